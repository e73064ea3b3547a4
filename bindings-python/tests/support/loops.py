"""An unusual event loop."""

from __future__ import annotations

import asyncio
from typing import Any


class WithoutReaders(asyncio.SelectorEventLoop):
    """Does not support `add_reader`. The default loop on Windows does not, either."""

    def add_reader(self, *watched: Any) -> None:  # type: ignore[override]
        raise NotImplementedError
