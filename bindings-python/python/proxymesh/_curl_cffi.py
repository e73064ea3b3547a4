"""curl_cffi, taught to go through a proxy that is named by a URL of ours (`_route`).

libcurl has an option for the headers that are for the proxy. But only a session takes options, not a request of it, and
the options of a session go with a request that names another proxy, too.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import functools
from typing import Any

from curl_cffi import Curl, CurlOpt, ffi

from ._route import address, is_route, name_in, named_by
from ._secret import SecretBytes

ROUTED = "_proxymesh"
"""An attribute of handles that were told to take one of our proxies."""


def _teach(setopt: Any) -> Any:
    @functools.wraps(setopt)
    def taught(self: Curl, option: CurlOpt, value: Any) -> Any:
        if option != CurlOpt.PROXY:
            return setopt(self, option, value)
        if vars(self).pop(ROUTED, False):
            # What is refused for its other arguments is not sent, and leaves its options to the next request.
            self._proxy_headers = ffi.NULL
            setopt(self, CurlOpt.PROXYHEADER, [])
            setopt(self, CurlOpt.PROXYUSERNAME, ffi.NULL)
        url = value.decode() if isinstance(value, bytes) else value
        if not isinstance(url, str) or not is_route(url):
            return setopt(self, option, value)
        named = named_by(url)
        headers = named.headers()
        vars(self)[ROUTED] = True
        # libcurl takes a tunnel that is open for another request, whatever headers opened it.
        if hasattr(CurlOpt, "PROXY_CREDENTIAL_NO_REUSE"):
            # Not where the proxy's user is another. So each choice is a user of its own, whose name libcurl does not
            # send: there is a header in its place, and if that is empty, neither is sent.
            headers.setdefault("Proxy-Authorization", "")
            setopt(self, CurlOpt.PROXY_CREDENTIAL_NO_REUSE, 1)
            setopt(self, CurlOpt.PROXYUSERNAME, name_in(url).encode())
        else:
            # Before curl_cffi 0.13.
            setopt(self, CurlOpt.FRESH_CONNECT, 1)
            setopt(self, CurlOpt.FORBID_REUSE, 1)
        setopt(self, CurlOpt.PROXYHEADER, [SecretBytes(f"{name}: {text}".encode()) for name, text in headers.items()])
        # libcurl obeys the environment's no_proxy even for a proxy that it is told to use.
        setopt(self, CurlOpt.NOPROXY, b"")
        return setopt(self, CurlOpt.PROXY, address(named))

    setattr(taught, "__proxymesh__", True)  # noqa: B010 (type checkers know of no such attribute)
    return taught


# curl_cffi has no other place that sees each request, websockets included.
if not hasattr(Curl.setopt, "__proxymesh__"):
    Curl.setopt = _teach(Curl.setopt)  # type: ignore[method-assign]
