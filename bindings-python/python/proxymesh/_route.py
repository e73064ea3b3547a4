"""A URL that stands for a proxy with its credentials and exit choice, for libraries that accept only a URL.

It contains no secret and is valid only in this process. No library knows its scheme. A library that we did not patch
(as in `_requests`, `_aiohttp`) fails instead of using the proxy without credentials and exit choice.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ._errors import ConfigError

if TYPE_CHECKING:
    from ._proxymesh import Proxy

SCHEME = "proxymesh"
LATEST = 10_000
"""The number of URLs to remember. It bounds memory use in a program that steers each request differently."""

_key = secrets.token_bytes(32)
_proxies: OrderedDict[str, Proxy] = OrderedDict()


def address(proxy: Proxy) -> str:
    """The URL without credentials."""
    return proxy.using().url()


def route(proxy: Proxy) -> str:
    """The URL that stands for the proxy. Equal proxies have the same URL."""
    place = address(proxy).removeprefix("http://")
    named = repr((place, sorted(proxy.headers().items()), proxy.is_rotating, proxy.held_ip)).encode()
    name = hashlib.blake2b(named, digest_size=16, key=_key).hexdigest()
    _proxies[name] = proxy
    _proxies.move_to_end(name)
    if len(_proxies) > LATEST:
        _proxies.popitem(last=False)
    return f"{SCHEME}://{place}/{name}"


def is_route(url: str) -> bool:
    """Whether this is one of our URLs."""
    return url.startswith(f"{SCHEME}://")


def name_in(url: str) -> str:
    """The name in one of our URLs. Each combination of credentials and exit choice has its own."""
    return urlsplit(url).path.strip("/")


def named_by(url: str) -> Proxy:
    """The proxy that a URL stands for."""
    name = name_in(url)
    proxy = _proxies.get(name)
    if proxy is None:
        reason = (
            "this proxy URL was created in another process, or too long ago; "
            "create it again with the same method of the proxy"
        )
        raise ConfigError(reason, reason=reason)
    # Mark it as recently used. Another thread may have removed it in the meantime, so store it again.
    _proxies[name] = proxy
    _proxies.move_to_end(name)
    return proxy
