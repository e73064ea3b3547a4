"""Extends urllib3's connections: responses through a tunnel contain the exit IP, and a refused tunnel is not retried.

The proxy sends the exit IP in its response to the CONNECT, which urllib3, and so requests, discards. urllib3 retries a
refused CONNECT three times by default. With a wrong password, each one is a failed authentication.

A proxy that rotates gets a new tunnel for each request. If the proxy no longer has the exit IP of a
session, the request fails.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping
from email.message import Message
from functools import partial
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError, ProxyError

if TYPE_CHECKING:
    from ._proxymesh import Proxy

EXIT_IP = "X-ProxyMesh-IP"
MISSING_IP = "X-ProxyMesh-IP-Not-Found"


class LostExitError(OSError):
    """The proxy no longer has the exit IP of the session."""


class LastResponse(HTTPResponse):
    """A response after which the connection is not reused."""

    def begin(self) -> None:
        super().begin()
        self.will_close = True


class TunnelConnection(HTTPSConnection):
    """A connection that remembers the exit IP from the proxy's response to the CONNECT.

    If a request has the header `Connection: close`, the next one gets a new tunnel, even if the site does not return
    that header (RFC 9112, section 9.6). Python looks only at the response.
    """

    exit_ip: str | None = None
    proxied: Proxy | None = None

    def request(  # type: ignore[override]
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        closes = any(
            str(name).lower() == "connection" and "close" in str(value).lower()
            for name, value in (headers or {}).items()
        )
        self.response_class = LastResponse if closes else HTTPResponse
        super().request(method, url, body, headers, **options)

    if sys.version_info >= (3, 12):

        def _tunnel(self) -> None:
            super()._tunnel()  # type: ignore[misc]
            headers = self.get_proxy_response_headers() or {}
            self.exit_ip = headers.get(EXIT_IP)
            self._check_exit(headers)

    else:

        def _tunnel(self) -> None:
            # Python keeps the headers only from 3.12 on. Before that, read them as they pass through.
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
            headers = Message()
            for head in heads:
                for name, value in head.headers:
                    headers[name] = value
            self.exit_ip = headers[EXIT_IP]
            self._check_exit(headers)

    def _check_exit(self, headers: Any) -> None:
        lost = _lost(self.proxied, headers)
        if lost:
            self.close()
            raise LostExitError(lost)

    def getresponse(self) -> BaseHTTPResponse:  # type: ignore[override]
        response = super().getresponse()
        if self.exit_ip is not None:
            # The proxy's header overrides one from the target.
            response.headers[EXIT_IP] = self.exit_ip
        return response


class _Head(io.RawIOBase):
    """Passes on the lines of a response head, and keeps the proxy's headers about the exit IP."""

    def __init__(self, wrapped: Any) -> None:
        self.wrapped = wrapped
        self.headers: list[tuple[str, str]] = []

    def readline(self, size: int | None = -1, /) -> bytes:
        line: bytes = self.wrapped.readline(size)
        name, _, value = line.partition(b":")
        if name.lower().startswith(b"x-proxymesh-"):
            self.headers.append((name.strip().decode("latin-1"), value.strip().decode("latin-1")))
        return line

    def close(self) -> None:
        self.wrapped.close()


def is_final(status: int) -> bool:
    """Whether the same CONNECT would be refused again: because of the caller, or because a limit is reached."""
    return 400 <= status < 500 or status == 509


def _lost(proxy: Proxy | None, headers: Any) -> str | None:
    return proxy and proxy._lost_exit(headers.get(EXIT_IP), headers.get(MISSING_IP))


class PlainPool(HTTPConnectionPool):
    """A pool for http targets. Their responses come from the proxy, with the exit IP."""

    def __init__(self, *arguments: Any, proxied: Proxy, **options: Any) -> None:
        self.proxied = proxied
        super().__init__(*arguments, **options)

    def urlopen(self, method: str, url: str, *arguments: Any, **options: Any) -> BaseHTTPResponse:
        response = super().urlopen(method, url, *arguments, **options)
        lost = _lost(self.proxied, response.headers)
        if lost:
            response.close()
            # Closing the response does not give its place in the pool back.
            response.release_conn()
            raise MaxRetryError(self, url, ProxyError(lost, LostExitError(lost)))
        return response


class TunnelPool(HTTPSConnectionPool):
    """A pool for https targets. It does not retry a refused tunnel, whatever `retries` says."""

    ConnectionCls: Any = TunnelConnection

    def __init__(self, *arguments: Any, proxied: Proxy, **options: Any) -> None:
        self.proxied = proxied
        super().__init__(*arguments, **options)

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.proxied = self.proxied
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and self.proxied.is_rotating:
            conn.close()
        super()._put_conn(conn)

    def _prepare_proxy(self, conn: Any) -> None:
        try:
            super()._prepare_proxy(conn)
        except LostExitError as error:
            raise MaxRetryError(self, f"https://{self.host}:{self.port}", ProxyError(str(error), error)) from error
        except OSError as error:
            # http.client's message if the response to a CONNECT is not 200.
            refused = re.match(r"Tunnel connection failed: (\d{3})", str(error))
            if refused and is_final(int(refused[1])):
                url = f"https://{self.host}:{self.port}"
                raise MaxRetryError(self, url, ProxyError("Unable to connect to proxy", error)) from error
            raise


def pools(proxy: Proxy) -> dict[str, Any]:
    """The value of `pool_classes_by_scheme` for a manager of this proxy."""
    return {"http": partial(PlainPool, proxied=proxy), "https": partial(TunnelPool, proxied=proxy)}
