"""A process that makes many calls needs no more resources than one that makes a few."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .support import process
from .support.calls import ROOT


@pytest.mark.skipif(not process.KNOWN, reason="there is no /proc here")
def test_5000_calls_leak_neither_memory_nor_descriptors_nor_threads() -> None:
    """`make test-soak` makes a million of them."""
    command = [sys.executable, "-W", "error", str(ROOT / "tests/soak/soak.py"), "5000"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count(" descriptors, ") == 20
