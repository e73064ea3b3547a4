"""A surface: the SDK in one language, with one kind of client, as a process that makes the calls it is told to make.

README.md describes what is said to it, and what it answers.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SECRETS = [line for line in (ROOT / "tests/canaries.txt").read_text(encoding="utf-8").splitlines() if line]

# Commands that start the agents, which `make conformance-agents` builds.
AGENTS = ROOT / "target/conformance/agents"
SURFACES = {
    "Rust, async": [str(AGENTS / "rust"), "async"],
    "Rust, blocking": [str(AGENTS / "rust"), "blocking"],
    "Python, async": [str(AGENTS / "python"), "async"],
    "Python, blocking": [str(AGENTS / "python"), "blocking"],
    "Kotlin, suspend": [str(AGENTS / "kotlin"), "suspend"],
    "Kotlin, blocking": [str(AGENTS / "kotlin"), "blocking"],
    "Swift, async": [str(AGENTS / "swift"), "async"],
    "Swift, blocking": [str(AGENTS / "swift"), "blocking"],
}


class AgentError(Exception):
    """The agent does not know a call, an argument or a setting, or has ended."""


class Surface:
    """An agent's process."""

    def __init__(self, name: str) -> None:
        self.name = name
        # No setting of whoever runs this reaches the clients.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PROXYMESH_")}
        environment["RUST_BACKTRACE"] = "0"
        self.process = subprocess.Popen(
            SURFACES[name],
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
        """Says one line, and gives the one that comes back."""
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self._reader.join(5)
            raise AgentError(f"{self.name} has ended, asked {question}: {''.join(self.complaints[-20:])}")
        answer: dict[str, Any] = json.loads(line)
        if "unknown" in answer:
            raise AgentError(f"{self.name}: {answer['unknown']}")
        return answer

    def end(self) -> None:
        """Ends the agent, which says nothing at its end, and never a secret."""
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
