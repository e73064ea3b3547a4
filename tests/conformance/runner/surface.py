"""A surface is the SDK in one language with one kind of client. An agent's process makes the calls.

README.md describes the protocol between the runner and an agent.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from typing import Any

from sandbox import ROOT, RUST

SECRETS = [line for line in (ROOT / "tests/canaries.txt").read_text(encoding="utf-8").splitlines() if line]

# The agents, which `make conformance-agents` builds.
PYTHON = [str(ROOT / "target/venvs/tests/bin/python"), str(ROOT / "tests/conformance/agents/python.py")]
SWIFT = [str(ROOT / "bindings-ffi/swift/toolchain.sh"), str(ROOT / "target/swift-build/debug/ConformanceAgent")]


def kotlin() -> list[str]:
    """The command that runs the Kotlin agent, which is part of the Kotlin package's tests."""
    built = ROOT / os.environ.get("KOTLIN_OUTPUT", "target/kotlin") / "proxymesh"
    classpath = os.pathsep.join([f"{built}/test-classes", f"{built}/classes", (built / "classpath").read_text()])
    unpacked = f"-Dproxymesh.library.folder={built}/unpacked"
    return ["java", unpacked, "-classpath", classpath, "com.proxymesh.support.AgentKt"]


SURFACES = {
    "Rust, async": lambda: [str(RUST), "async"],
    "Rust, blocking": lambda: [str(RUST), "blocking"],
    "Python, async": lambda: [*PYTHON, "async"],
    "Python, blocking": lambda: [*PYTHON, "blocking"],
    "Kotlin, suspend": lambda: [*kotlin(), "suspend"],
    "Kotlin, blocking": lambda: [*kotlin(), "blocking"],
    "Kotlin, future": lambda: [*kotlin(), "future"],  # for Java
    "Swift, async": lambda: [*SWIFT, "async"],
    "Swift, blocking": lambda: [*SWIFT, "blocking"],
}


class AgentError(Exception):
    """The agent does not know a call, an argument or a setting, or has ended."""


class Surface:
    """An agent's process. It shares what it learns about credentials with others that have the same state folder."""

    def __init__(self, name: str, state: str = os.devnull) -> None:
        self.name = name
        self.language = name.split(",")[0].lower()
        # The clients must not see settings from the environment of whoever runs this.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PROXYMESH_")}
        environment["RUST_BACKTRACE"] = "0"
        # A port soon belongs to another sandbox. By default, the clients save no state about credentials to a file.
        environment["XDG_STATE_HOME"] = state
        if state != os.devnull:
            environment["HOME"] = state  # for macOS
        self.process = subprocess.Popen(
            SURFACES[name](),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
        )
        self.complaints: list[str] = []
        self._reader = threading.Thread(target=self._read_complaints, daemon=True)
        self._reader.start()

    def _read_complaints(self) -> None:
        assert self.process.stderr
        self.complaints.extend(self.process.stderr)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Sends one line to the agent and returns its reply."""
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self._reader.join(5)
            raise AgentError(f"{self.name} ended when it was asked {question}: {''.join(self.complaints[-20:])}")
        answer: dict[str, Any] = json.loads(line)
        if "unknown" in answer:
            raise AgentError(f"{self.name}: {answer['unknown']}")
        return answer

    def end(self) -> None:
        """Ends the agent. It must exit successfully, and must never have printed a secret to stderr."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._reader.join(5)
        said = "".join(self.complaints)
        if status or any(secret in said for secret in SECRETS):
            raise AgentError(f"{self.name} ended with status {status}: {said}")
