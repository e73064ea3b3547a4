"""A plain HTTP server that sends the responses that a case defines, and records the requests byte for byte."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from http import HTTPStatus
from typing import Any, NamedTuple, final

from sandbox import PORTS


class Request(NamedTuple):
    """A request, byte for byte."""

    line: str
    headers: dict[str, str]
    body: str

    def __str__(self) -> str:
        """The request as a case writes it: `METHOD TARGET[ FORM]`."""
        method, target, version = self.line.split(" ")
        assert version == "HTTP/1.1"
        return f"{method} {target} {self.body}".rstrip()


def _listening() -> socket.socket:
    while True:
        try:
            return socket.create_server(("127.0.0.1", next(PORTS)))
        except OSError:  # another process has the port
            continue


@final
class Answering:
    """The server. `answer` is its response to each request that arrives from now on."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {"close": True}
        self.connections = 0
        self._requests: list[Request] = []
        self._open: list[socket.socket] = []
        self._listener = _listening()
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def requests(self) -> list[Request]:
        """The requests that have arrived since the last call of this method."""
        arrived, self._requests = self._requests, []
        return arrived

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                headers: dict[str, str] = {}
                while header := stream.readline().strip():
                    name, _, value = header.decode().partition(": ")
                    assert headers.setdefault(name.lower(), value) is value, f"{name} was sent twice"
                body = stream.read(int(headers.get("content-length", 0)))
                self._requests.append(Request(line.decode().strip(), headers, body.decode()))
                if not self._reply(connection):
                    return

    def _reply(self, connection: socket.socket) -> bool:
        """Sends the response. Returns whether the connection stays open."""
        answer = self.answer
        if "close" in answer:
            return False
        if "hang" in answer:
            return True
        body = body_of(answer)
        headers = {"content-type": "application/json", **answer.get("headers", {})}
        if "chunked" in answer:
            headers["transfer-encoding"] = "chunked"
        elif answer["status"] != HTTPStatus.NO_CONTENT:
            headers["content-length"] = str(len(body) * 2 if "truncate" in answer else len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"HTTP/1.1 {answer['status']} Status\r\n{head}\r\n".encode())
        if "chunked" in answer:
            parts = [body[start : start + 65536] for start in range(0, len(body), 65536)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])
        connection.sendall(body)
        return "truncate" not in answer


def body_of(answer: dict[str, Any]) -> bytes:
    """The body of the response in bytes."""
    return base64.b64decode(answer["base64"]) if "base64" in answer else str(answer.get("body", "")).encode()
