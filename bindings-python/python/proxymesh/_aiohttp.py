"""Patches aiohttp to accept our proxy URLs (`_route`).

On its own, aiohttp sends `proxy_headers` only with a CONNECT, and a session does not accept them. A middleware could
send them to an http target's proxy, but a request's middlewares replace the session's, and `ws_connect` accepts none.
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

ROTATING = "rotating"


def _teach_to_rotate(send: Any) -> Any:
    @functools.wraps(send)
    def taught(self: Any, conn: Any) -> Any:
        if self.proxy is not None and self.proxy.fragment == ROTATING:
            conn.protocol.force_close()
        return send(self, conn)

    return taught


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
        url = URL(address(named))
        if named.is_rotating:
            # aiohttp does not send the fragment, but it reuses a tunnel only for the same proxy URL.
            url = url.with_fragment(ROTATING)
        update_proxy(self, url, proxy_auth, headers)
        if not self.is_ssl():
            # Without a CONNECT, the proxy sees the request itself.
            self.headers.update(ours)

    setattr(taught, "__proxymesh__", True)  # noqa: B010 (type checkers know of no such attribute)
    return taught


if not hasattr(ClientRequest, "update_proxy"):
    import aiohttp

    raise ImportError(
        f"proxymesh does not support aiohttp {aiohttp.__version__}, which has no ClientRequest.update_proxy"
    )
# No other place in aiohttp sees every request of a session, including websockets and redirects.
if not hasattr(ClientRequest.update_proxy, "__proxymesh__"):
    ClientRequest.update_proxy = _teach(ClientRequest.update_proxy)  # type: ignore[method-assign]
    ClientRequest.send = _teach_to_rotate(ClientRequest.send)  # type: ignore[method-assign]
