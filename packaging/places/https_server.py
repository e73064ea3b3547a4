"""An HTTPS server on this machine with a CA of its own, for tests of installed packages: https_server.py FOLDER

It writes the CA's certificate to FOLDER/ca.pem and serves the files in FOLDER. It answers any other request as if it
were one for the list of IPs. It prints its URL, and ends with its input.
"""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
ANSWER = b'{"ips": ["192.0.2.1"]}'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        file = FOLDER / Path(self.path).name
        body = file.read_bytes() if file.is_file() else ANSWER
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if file.is_file() else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def certificate(name: str, *options: str) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", *options]
    subprocess.run(command, cwd=FOLDER, check=True, stderr=subprocess.DEVNULL)


class Server(ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """A client that does not trust the CA ends the connection."""


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate("ca")
    names = ("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
    certificate("server", "-CA", "ca.pem", "-CAkey", "ca.key", *names)
    context.load_cert_chain(FOLDER / "server.pem", FOLDER / "server.key")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"https://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
