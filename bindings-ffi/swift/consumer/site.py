"""A site for the tests of the guide, with http and https. A page is the request as it arrived, headers included.

    site.py CERTIFICATE KEY

It prints both URLs. No resolver knows the name site.test, so only a proxy can reach it.
"""

import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.requestline}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ProxyMesh-IP", "made up by the site")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def serve(scheme: str, context: ssl.SSLContext | None) -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever).start()
    return f"{scheme}://site.test:{server.server_port}/"


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    print(serve("http", None), serve("https", context), flush=True)
