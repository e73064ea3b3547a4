"""urllib3's connections, such that an answer that came through a tunnel tells its exit IP.

The proxy tells it in its answer to the CONNECT, which urllib3, and so requests, reads and forgets.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import io
import sys
from typing import Any

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

EXIT_IP = "X-ProxyMesh-IP"


class TunnelConnection(HTTPSConnection):
    """A connection that remembers what the proxy said when it opened the tunnel."""

    exit_ip: str | None = None

    if sys.version_info >= (3, 12):

        def _tunnel(self) -> None:
            super()._tunnel()  # type: ignore[misc]
            self.exit_ip = (self.get_proxy_response_headers() or {}).get(EXIT_IP)

    else:

        def _tunnel(self) -> None:
            # Python keeps the headers from 3.12 on. Before, they can be seen going by.
            heads: list[_Head] = []
            connection: Any = self
            original = connection.response_class

            def response(*args: Any, **options: Any) -> Any:
                made = original(*args, **options)
                heads.append(_Head(made.fp))
                made.fp = heads[-1]
                return made

            connection.response_class = response
            try:
                super()._tunnel()
            finally:
                connection.response_class = original
            for head in heads:
                self.exit_ip = head.exit_ip or self.exit_ip

    def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override]
        response = super().getresponse()
        if self.exit_ip is not None:
            # The proxy's word goes before the target's.
            response.headers[EXIT_IP] = self.exit_ip
        return response


class _Head(io.RawIOBase):
    """Passes on the lines of a head, and keeps the one that is wanted."""

    def __init__(self, wrapped: Any) -> None:
        self.wrapped = wrapped
        self.exit_ip: str | None = None

    def readline(self, size: int | None = -1, /) -> bytes:
        line: bytes = self.wrapped.readline(size)
        name, _, value = line.partition(b":")
        if name.strip().lower() == EXIT_IP.lower().encode():
            self.exit_ip = value.strip().decode("latin-1")
        return line

    def close(self) -> None:
        self.wrapped.close()


class TunnelPool(HTTPSConnectionPool):
    ConnectionCls: Any = TunnelConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": HTTPConnectionPool, "https": TunnelPool}
