"""A URL that names a proxy with its credentials and its choice of the exit, to libraries that take only a URL.

It holds no secret, and means something in this process only. Its scheme is one that no library knows by itself: what
was not taught it (`_requests`, `_aiohttp`) fails, instead of going through the proxy without the rest.
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
"""So many are known at a time, lest a program that steers each request otherwise fills its memory."""

_key = secrets.token_bytes(32)
_proxies: OrderedDict[str, Proxy] = OrderedDict()


def address(proxy: Proxy) -> str:
    """The URL without credentials."""
    return proxy.using().url()


def route(proxy: Proxy) -> str:
    """The URL that names it; equal ones have the same."""
    place = address(proxy).removeprefix("http://")
    named = repr((place, sorted(proxy.headers().items()))).encode()
    name = hashlib.blake2b(named, digest_size=16, key=_key).hexdigest()
    _proxies[name] = proxy
    _proxies.move_to_end(name)
    if len(_proxies) > LATEST:
        _proxies.popitem(last=False)
    return f"{SCHEME}://{place}/{name}"


def is_route(url: str) -> bool:
    """Whether it is one of these URLs."""
    return url.startswith(f"{SCHEME}://")


def name_in(url: str) -> str:
    """The name in one of these URLs. Others of the same place have others."""
    return urlsplit(url).path.strip("/")


def named_by(url: str) -> Proxy:
    """The proxy that it names."""
    name = name_in(url)
    proxy = _proxies.get(name)
    if proxy is None:
        reason = (
            "this address of a proxy was made in another process, or too long ago; make it anew, "
            "by the method of the proxy that made it"
        )
        raise ConfigError(reason, reason=reason)
    # It is used; another thread may have let it go meanwhile.
    _proxies[name] = proxy
    _proxies.move_to_end(name)
    return proxy
