"""Where a TypeError names the parameter."""

from __future__ import annotations

import sys


def naming(parameter: str) -> str | None:
    """A pattern for the note that names the parameter. Exceptions have had notes since Python 3.11."""
    return f"while processing '{parameter}'" if sys.version_info >= (3, 11) else None
