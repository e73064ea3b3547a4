"""A plain recording server, which is not the sandbox. It sends scripted responses and records the raw head and body of
each request. It knows nothing about the service.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit

# Anything that a test waits for happens within this time, or never.
PATIENCE = 20.0

_retired: list[socket.socket] = []


@dataclass(frozen=True)
class Request:
    """A request as it arrived."""

    connection: int
    """The number of its connection, counted from 0."""
    head: str
    """The request line and the headers, as they were sent."""
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(" ")[0]

    @property
    def target(self) -> str:
        return self.head.split(" ")[1]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str | None:
        _, mark, query = self.target.partition("?")
        return query if mark else None

    @property
    def headers(self) -> dict[str, str]:
        """All headers, with lower-case names. None may occur twice."""
        pairs = [line.split(": ", 1) for line in self.head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs), "a header was sent twice"
        return headers


@dataclass(frozen=True)
class Answer:
    """A response, byte for byte as the test wants it."""

    status: int = 200
    body: bytes | str = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False
    """Whether it is sent in chunks, without a length."""
    truncate: bool = False
    """Whether it announces twice as many bytes as it sends, and then closes the connection."""
    close: bool = False
    """Whether the server closes the connection afterwards, without announcing it."""

    def message(self) -> bytes:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        lines = [f"HTTP/1.1 {self.status} Whatever", *(f"{name}: {value}" for name, value in self.headers.items())]
        if self.chunked:
            lines.append("transfer-encoding: chunked")
            pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        elif self.status != 204:
            lines.append(f"content-length: {len(body) * 2 if self.truncate else len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body


def answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON response."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value), {"content-type": "application/json", **names})


class Instead(Enum):
    """What the server does instead of responding."""

    CLOSE = auto()
    RESET = auto()
    HANG = auto()
    """Waits until the client closes the connection."""


Reply = Answer | Instead
Script = Callable[[Request], Reply]


class Server:
    """A server on a free port. It runs from its creation until it is stopped."""

    def __init__(self, script: Script | Reply, *, tls: ssl.SSLContext | None = None, asleep: bool = False) -> None:
        self._script: Script = (lambda _: script) if isinstance(script, (Answer, Instead)) else script
        self._tls = tls
        self._seen: list[Request] = []
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._stopped = False
        self._burnt = False
        self.connections = 0
        """How many connections were made."""
        self.closed = 0
        """How many connections have ended."""
        self.gone = 0
        """How many clients have closed the connection of a request that got no response."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=0 if asleep else 512)
        self.port: int = self._listener.getsockname()[1]
        self._crowd: list[socket.socket] = []
        if asleep:
            self._fill_queue()
        else:
            self.wake()

    @property
    def base_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{'localhost' if self._tls else '127.0.0.1'}:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """All requests so far, in the order of arrival."""
        with self._changed:
            return list(self._seen)

    @property
    def count(self) -> int:
        return len(self.requests)

    def only_request(self) -> Request:
        """The only request. It is an error if there were none or several."""
        (request,) = self.requests
        return request

    def wait_for_requests(self, count: int) -> None:
        """Waits until this many requests have arrived."""
        self._wait(lambda: len(self._seen) >= count, f"{count} requests")

    def wait_for_gone(self, count: int) -> None:
        """Waits until this many clients have closed the connection of a request that got no response."""
        self._wait(lambda: self.gone >= count, f"{count} clients gone away")

    def wait_for_closed(self, count: int) -> None:
        """Waits until this many connections have ended."""
        self._wait(lambda: self.closed >= count, f"{count} connections closed")

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(done, PATIENCE), f"waited in vain for {what}"

    def _fill_queue(self) -> None:
        """Makes connections, which the server does not accept, until the queue is full."""
        while True:
            one = socket.socket()
            one.settimeout(0.2)
            self._crowd.append(one)
            try:
                one.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return

    def wake(self) -> None:
        """Accepts connections from now on."""
        for one in self._crowd:
            one.close()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        if self._crowd:
            # The queue has room again once one of them has been accepted.
            self.wait_for_closed(1)

    def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        for one in self._crowd:
            one.close()
        with contextlib.suppress(OSError):
            # This wakes the thread that accepts connections.
            self._listener.shutdown(socket.SHUT_RDWR)
        if hasattr(self, "_thread"):
            self._thread.join(PATIENCE)
        self._listener.close()
        with self._changed:
            for stream in self._open:
                with contextlib.suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)
        if self._burnt:
            retire(self.port)

    def _accept(self) -> None:
        while not self._stopped:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                connection = self.connections
                self.connections += 1
                self._open.add(stream)
            threading.Thread(target=self._serve, args=(stream, connection), daemon=True).start()

    def _serve(self, plain: socket.socket, connection: int) -> None:
        stream = plain
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                stream = self._tls.wrap_socket(plain, server_side=True)
                with self._changed:
                    self._open.discard(plain)
                    self._open.add(stream)
            while (request := _read(stream, connection)) is not None:
                with self._changed:
                    self._seen.append(request)
                    self._changed.notify_all()
                if self._reply(stream, self._script(request)):
                    break
        except OSError:
            # The client closed the connection, or the server was stopped.
            pass
        finally:
            with self._changed:
                self._open.discard(stream)
                stream.close()
                self.closed += 1
                self._changed.notify_all()

    def _reply(self, stream: socket.socket, reply: Reply) -> bool:
        """Sends the reply. Returns whether the connection ends."""
        # The auth gate remembers a missing response and a 401.
        self._burnt |= not isinstance(reply, Answer) or reply.status == 401 or reply.truncate
        if isinstance(reply, Answer):
            stream.sendall(reply.message())
            return reply.truncate or reply.close
        if reply is Instead.RESET:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if reply is Instead.HANG:
            with contextlib.suppress(ConnectionError):
                while stream.recv(1024):
                    pass
            with self._changed:
                self.gone += 1
                self._changed.notify_all()
        return True


def _read(stream: socket.socket, connection: int) -> Request | None:
    """Reads a request. Returns None if the connection ends. The client never sends the next request before the
    response."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    request = Request(connection, head.decode(), body)
    length = int(request.headers.get("content-length", "0"))
    while len(body) < length:
        piece = stream.recv(65536)
        if not piece:
            return None
        body += piece
    assert len(body) == length, "more than was announced"
    return Request(connection, head.decode(), body)


def retire(port: int) -> None:
    """Keeps a port until the process ends. If another server used it, the auth gate would still remember the failed
    authentications and the missing responses of this one."""
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.suppress(OSError):
        keeper.bind(("127.0.0.1", port))
    _retired.append(keeper)


def port_of(base_url: str) -> int:
    port = urlsplit(base_url).port
    assert port is not None
    return port


def close_retired() -> None:
    """Call this at the end of the process."""
    while _retired:
        _retired.pop().close()
