"""What a TypeError about a parameter says, and where."""

from __future__ import annotations

import sys


def naming(parameter: str) -> str | None:
    """A pattern that names the parameter: it stands in a note, which exceptions have from Python 3.11 on."""
    return f"while processing '{parameter}'" if sys.version_info >= (3, 11) else None
