"""Runs programs in separate processes, for what a test cannot do in its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
# A program takes less than this, even on a busy machine. One that takes longer hangs.
LIMIT = 60.0


def run(module: str, *arguments: str, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
    """Runs `tests.support.MODULE` to its end. Warnings are errors."""
    # Python 3.12 warns about every fork of a process that has threads.
    warnings = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]
    return subprocess.run(
        [sys.executable, *warnings, "-m", f"tests.support.{module}", *arguments],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def succeeds(module: str, *arguments: str, limit: float = LIMIT) -> str:
    """Runs such a program and returns its output. It must succeed and write nothing to stderr."""
    ended = run(module, *arguments, limit=limit)
    assert (ended.returncode, ended.stderr) == (0, ""), f"{module} {arguments}: {ended.returncode}, {ended.stderr}"
    return ended.stdout
