"""A site on this machine, over http and https, which the tests reach through the sandbox's proxies."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import proxymesh
import pytest
import trustme
from proxymesh.sandbox import Sandbox
from support import ALONE, Site

# Freezing a program takes minutes, so only `make test-frozen` does it.
collect_ignore = [] if os.environ.get("FROZEN") else ["test_frozen.py"]
# These libraries are installed in environments of their own.
collect_ignore += [f"test_{name}.py" for name in ALONE if importlib.util.find_spec(name) is None]

USERNAME = "me+1@ex.com"
PASSWORD = "@:/% é+ß"


class Page(BaseHTTPRequestHandler):
    """Sends back the headers that arrived, and claims an exit IP of its own.

    `/pages/N` is a page with links. `/bytes/N` is N bytes long. `/status/N` has the status N. `/redirect` redirects to
    https. `/broken` sends an invalid body. `/slow` responds after 3 s.
    """

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        headers = json.dumps({name.lower(): value for name, value in self.headers.items()})
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, kind, argument = f"{self.path}//".split("/")[:3]
        status, content_type, body = 200, "application/json", headers
        if kind == "pages":
            content_type, body = "text/html", self.page(int(argument), headers)
        elif kind == "bytes":
            body = "x" * int(argument)
        elif kind == "status":
            status = int(argument)
        elif kind == "redirect":
            status = 302
        elif kind == "slow":
            time.sleep(3)
        elif kind == "broken":
            for piece in (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n"):
                self.wfile.write(piece)
                time.sleep(0.2)
            self.close_connection = True
            return
        self.send_response(status)
        if kind == "redirect":
            self.send_header("Location", self.site.https)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body.encode())))
        self.send_header("X-ProxyMesh-IP", "203.0.113.99")
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET

    def page(self, number: int, headers: str) -> str:
        """One of 500 pages. Each links to up to ten more, over http and https in turn."""
        links = [
            f'<a href="{(self.site.https if child % 2 else self.site.http)}pages/{child}">{child}</a>'
            for child in range(10 * number + 1, 10 * number + 11)
            if child < 500
        ]
        return f"<h1>{number}</h1><pre>{html.escape(headers, quote=False)}</pre>{''.join(links)}"

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores connections that a proxy cut off. They are not errors of the site."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    authority = trustme.CA()
    ca: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("site.test").configure_cert(context)
    servers = [Server(("127.0.0.1", 0), Page) for _ in range(2)]
    servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    http, https = (server.server_address[1] for server in servers)
    Page.site = Site(f"http://site.test:{http}/", f"https://site.test:{https}/", str(ca))
    yield Page.site
    for server in servers:
        server.shutdown()


@pytest.fixture(autouse=True, scope="session")
def temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Browsers leave temporary files behind. This puts them where pytest removes them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
        yield


@pytest.fixture(autouse=True)
def no_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(username=USERNAME, password=PASSWORD, proxies=True) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[proxymesh.Client]:
    with sandbox.client() as client:
        client.proxies.add("open")
        yield client
