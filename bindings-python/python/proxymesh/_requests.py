"""A requests adapter that sends proxy headers to the proxy alone and exposes its response, and a session that uses it.

Sessions lose adapters easily: mounting one replaces another, and code that copies a session copies only `proxies`. So
`proxies` also holds the credentials and the exit choice, as our own kind of URL (`_route`). This module patches every
`HTTPAdapter` to understand it. In a `Session` with such a URL, the session's settings override the environment;
requests does it the other way round.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidProxyURL
from requests.utils import select_proxy
from urllib3 import ProxyManager

from ._errors import ConfigError
from ._route import address, is_route, named_by, route
from ._tunnel import pools

if TYPE_CHECKING:
    from ._proxymesh import Proxy


def _teach_adapter(proxy_manager_for: Any) -> Any:
    """Makes an adapter accept our proxy URLs. Other URLs are passed through."""

    @functools.wraps(proxy_manager_for)
    def taught(self: HTTPAdapter, proxy: str, **options: Any) -> Any:
        if not is_route(proxy):
            return proxy_manager_for(self, proxy, **options)
        try:
            named = named_by(proxy)
        except ConfigError as error:
            raise InvalidProxyURL(str(error)) from None
        managers: dict[str, ProxyManager] = self.proxy_manager
        if proxy not in managers:
            manager = ProxyManager(
                address(named),
                num_pools=self._pool_connections,
                proxy_headers=named.headers(),
                maxsize=self._pool_maxsize,
                block=self._pool_block,
                **options,
            )
            manager.pool_classes_by_scheme = pools(named)
            managers[proxy] = manager
        return managers[proxy]

    setattr(taught, "__proxymesh__", True)  # noqa: B010 (type checkers know of no such attribute)
    return taught


def _teach_session(merge_environment_settings: Any) -> Any:
    """Makes a session's settings override the environment, if its `proxies` hold one of our URLs."""

    @functools.wraps(merge_environment_settings)
    def taught(self: Session, url: str, proxies: Any, stream: Any, verify: bool | str | None, cert: Any) -> Any:
        of_session = select_proxy(url, self.proxies)
        if not of_session or not is_route(of_session):
            return merge_environment_settings(self, url, proxies, stream, verify, cert)
        asked_for = select_proxy(url, proxies)
        verify = self.verify if verify is None else verify
        settings = merge_environment_settings(self, url, proxies, stream, verify, cert)
        if not asked_for:
            settings["proxies"] = dict(self.proxies)
        return settings

    setattr(taught, "__proxymesh__", True)  # noqa: B010 (type checkers know of no such attribute)
    return taught


# requests has no way to register a new kind of proxy.
if not hasattr(HTTPAdapter.proxy_manager_for, "__proxymesh__"):
    HTTPAdapter.proxy_manager_for = _teach_adapter(HTTPAdapter.proxy_manager_for)  # type: ignore[method-assign]
    Session.merge_environment_settings = _teach_session(Session.merge_environment_settings)  # type: ignore[method-assign]


def _ca_of_the_environment() -> str | None:
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None


def _routed(proxy: Proxy, url: str | None, asked_for: Mapping[str, str] | None) -> dict[str, str]:
    """The value for `proxies`. The request may ask for the same proxy or the environment's; any other is an error."""
    ours = route(proxy)
    other = select_proxy(url or "", dict(asked_for or {}))
    if other and other not in (ours, address(proxy), *getproxies().values()):
        # The URL may hold a password.
        place = urlsplit(other).hostname or "another one"
        raise InvalidProxyURL(
            f"this session uses the proxy {proxy}, but the request asks for {place}; "
            "use a session without proxymesh's adapter for that"
        )
    return dict.fromkeys(("http", "https"), ours)


class ProxyAdapter(HTTPAdapter):
    """Goes through this proxy and ignores the proxy settings of the session and the environment."""

    __attrs__ = [*HTTPAdapter.__attrs__, "_proxy", "_verify"]  # noqa: RUF012 (as requests has it)

    def __init__(self, proxy: Proxy, verify: bool | str | None = None, **options: Any) -> None:
        self._proxy = proxy
        self._verify = verify
        super().__init__(**options)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str | None = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        from_environment = _ca_of_the_environment()
        if verify is None or verify is True or verify == from_environment:
            # Neither the session nor the request sets it.
            verify = from_environment or True if self._verify is None else self._verify
        return super().send(request, stream, timeout, verify, cert, _routed(self._proxy, request.url, proxies))


class ProxySession(Session):
    """Goes through this proxy, whatever adapters are mounted on it, and ignores the environment's proxy settings."""

    __attrs__ = [*Session.__attrs__, "_proxy"]  # noqa: RUF012

    def __init__(self, proxy: Proxy, verify: bool | str | None = None, **options: Any) -> None:
        super().__init__()
        self._proxy = proxy
        self.proxies = _routed(proxy, None, None)
        if verify is not None:
            self.verify = verify
        for scheme in ("http://", "https://"):
            self.mount(scheme, ProxyAdapter(proxy, **options))

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        # Redirects go through here, too.
        options["proxies"] = _routed(self._proxy, request.url, options.get("proxies", self.proxies))
        return super().send(request, **options)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # The proxy's URL is different in this process.
        self.proxies = _routed(self._proxy, None, None)
