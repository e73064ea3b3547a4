"""The sandboxes against which the cases run. One process, `proxymesh-conformance sandboxes`, serves them all."""

from __future__ import annotations

import base64
import itertools
import json
import os
import random
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, final

ROOT = Path(__file__).resolve().parents[3]
# The agent for Rust. The same program serves the sandboxes. `make conformance-agents` builds it.
RUST = Path(os.environ.get("PROXYMESH_CONFORMANCE_AGENT") or ROOT / "target/debug/proxymesh-conformance")
USERNAME, PASSWORD = "me+1@ex.com", "canary-password-7f3a91"

# These are below the ports that the system assigns. No port is used twice, because the agents keep running, and their
# auth gate would remember the failed authentications of the previous server on that port.
PORTS = itertools.count(random.randrange(12_000, 18_000))


class _Host:
    """The process that serves the sandboxes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if not self._process:
                self._process = subprocess.Popen(
                    [RUST, "sandboxes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
                )
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            return answer


_host = _Host()


@final
class Sandbox:
    """A sandbox. The runner uses it directly, without the SDK."""

    def __init__(self, **options: Any) -> None:
        options = {"username": USERNAME, "password": PASSWORD, **options}
        self.username, self.password = options["username"], options["password"]
        while True:
            answer = _host.ask({"start": {**options, "port": next(PORTS)}})
            if "url" in answer:
                break  # otherwise another process has the port
        self.base_url: str = answer["url"]

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        _host.ask({"stop": self.base_url})

    def call(self, line: str) -> Any:
        """Sends `METHOD TARGET[ FORM]` as the parent. Returns the JSON of the response, or the status of an error."""
        method, target, *form = line.split(" ")
        made = urllib.request.Request(self.base_url + target, data=form[0].encode() if form else None, method=method)
        token = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        made.add_header("Authorization", f"Basic {token}")
        try:
            with urllib.request.urlopen(made, timeout=20) as answer:
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            return error.code

    def control(self, method: str, name: str, body: Any = None) -> Any:
        """Sends a request to `/_sandbox/NAME`. Returns the JSON of the response."""
        sent = None if body is None else json.dumps(body).encode()
        made = urllib.request.Request(f"{self.base_url}/_sandbox/{name}", data=sent, method=method)
        with urllib.request.urlopen(made, timeout=20) as answer:
            return json.load(answer)

    def given(self, line: str) -> None:
        """Makes a request as the parent, or adds traffic: `usage NAME GIGABYTES`."""
        if line.startswith("usage "):
            _, username, gigabytes = line.split(" ")
            self.control("POST", "usage", {"username": username, "gigabytes": float(gigabytes)})
        elif isinstance(status := self.call(line), int):
            raise ValueError(f"{line}: {status}")

    def arrived(self) -> list[str]:
        """The requests since the last call of this method: `METHOD TARGET[ FORM]`, and the sender if not the parent."""
        lines = []
        for arrived in self.control("GET", "requests"):
            query, form = (urllib.parse.urlencode([*map(tuple, arrived[part])], safe="*") for part in ("query", "form"))
            line = f"{arrived['method']} {arrived['path']}{'?' + query if query else ''}{' ' + form if form else ''}"
            who = " ".join(arrived["auth"].values())
            lines.append(line if who == f"basic {USERNAME}" else f"{line} ({who})")
        self.control("DELETE", "requests")
        return lines
