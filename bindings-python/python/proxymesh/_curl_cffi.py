"""Patches curl_cffi to accept our proxy URLs (`_route`).

libcurl has an option for proxy headers. But only a session accepts options, not a single request, and a session's
options also apply to a request that names another proxy.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import functools
from typing import Any

from curl_cffi import Curl, CurlOpt, ffi

from ._route import address, is_route, name_in, named_by
from ._secret import SecretBytes

ROUTED = "_proxymesh"
"""An attribute of handles that are set to use one of our proxies."""


def _teach(setopt: Any) -> Any:
    @functools.wraps(setopt)
    def taught(self: Curl, option: CurlOpt, value: Any) -> Any:
        if option != CurlOpt.PROXY:
            return setopt(self, option, value)
        if vars(self).pop(ROUTED, False):
            # A request that was refused for its other arguments was never sent. Its options stay set for the next one.
            self._proxy_headers = ffi.NULL
            setopt(self, CurlOpt.PROXYHEADER, [])
            setopt(self, CurlOpt.PROXYUSERNAME, ffi.NULL)
            setopt(self, CurlOpt.FRESH_CONNECT, 0)
            setopt(self, CurlOpt.FORBID_REUSE, 0)
        url = value.decode() if isinstance(value, bytes) else value
        if not isinstance(url, str) or not is_route(url):
            return setopt(self, option, value)
        named = named_by(url)
        headers = named.headers()
        vars(self)[ROUTED] = True
        # libcurl reuses an open tunnel for another request, whatever headers opened it.
        if hasattr(CurlOpt, "PROXY_CREDENTIAL_NO_REUSE"):
            # With this option, it does not reuse a tunnel if the proxy's username differs. So each choice gets its own
            # username. libcurl does not send it. The header replaces it, and if the header is empty, neither is sent.
            headers.setdefault("Proxy-Authorization", "")
            setopt(self, CurlOpt.PROXY_CREDENTIAL_NO_REUSE, 1)
            setopt(self, CurlOpt.PROXYUSERNAME, name_in(url).encode())
        if named.is_rotating or not hasattr(CurlOpt, "PROXY_CREDENTIAL_NO_REUSE"):
            # Before curl_cffi 0.13, this is the only way to give each choice its own tunnel.
            setopt(self, CurlOpt.FRESH_CONNECT, 1)
            setopt(self, CurlOpt.FORBID_REUSE, 1)
        setopt(self, CurlOpt.PROXYHEADER, [SecretBytes(f"{name}: {text}".encode()) for name, text in headers.items()])
        # libcurl obeys the environment's no_proxy even for an explicit proxy.
        setopt(self, CurlOpt.NOPROXY, b"")
        return setopt(self, CurlOpt.PROXY, address(named))

    setattr(taught, "__proxymesh__", True)  # noqa: B010 (type checkers know of no such attribute)
    return taught


# No other place in curl_cffi sees every request, including websockets.
if not hasattr(Curl.setopt, "__proxymesh__"):
    Curl.setopt = _teach(Curl.setopt)  # type: ignore[method-assign]
