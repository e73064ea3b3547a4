"""Runs programs of their own: what a test cannot do to the process it runs in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
# Longer than a program takes on a busy machine. One that takes longer hangs.
LIMIT = 60.0


def run(module: str, *arguments: str, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
    """Runs `tests.support.MODULE` to its end, its warnings errors."""
    # Python 3.12 warns of every fork where there are threads.
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
    """What such a program prints. It must neither fail nor complain."""
    ended = run(module, *arguments, limit=limit)
    assert (ended.returncode, ended.stderr) == (0, ""), f"{module} {arguments}: {ended.returncode}, {ended.stderr}"
    return ended.stdout
