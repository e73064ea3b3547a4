"""aiohttp, taught to go through a proxy that is named by a URL of ours (`_route`).

By itself it sends `proxy_headers` with a CONNECT only, and takes none for a session. A middleware could send the
others, but those of a request take the place of the session's, and `ws_connect` takes none.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import functools
from typing import Any

from aiohttp import ClientRequest
from multidict import CIMultiDict
from yarl import URL

from ._route import address, is_route, named_by
from ._secret import SecretStr


def _teach(update_proxy: Any) -> Any:
    @functools.wraps(update_proxy)
    def taught(self: Any, proxy: URL | None, proxy_auth: Any, proxy_headers: Any) -> None:
        if proxy is None or not is_route(str(proxy)):
            update_proxy(self, proxy, proxy_auth, proxy_headers)
            return
        named = named_by(str(proxy))
        ours = {name: SecretStr(value) for name, value in named.headers().items()}
        headers = CIMultiDict(proxy_headers or {})
        headers.update(ours)
        update_proxy(self, URL(address(named)), proxy_auth, headers)
        if not self.is_ssl():
            # There is no CONNECT: the request itself is what the proxy sees.
            self.headers.update(ours)

    setattr(taught, "__proxymesh__", True)  # noqa: B010 (type checkers know of no such attribute)
    return taught


if not hasattr(ClientRequest, "update_proxy"):
    import aiohttp

    raise ImportError(f"proxymesh does not know how aiohttp {aiohttp.__version__} sends a request by way of a proxy")
# aiohttp has no other place that sees each request of a session, websockets and redirects included.
if not hasattr(ClientRequest.update_proxy, "__proxymesh__"):
    ClientRequest.update_proxy = _teach(ClientRequest.update_proxy)  # type: ignore[method-assign]
