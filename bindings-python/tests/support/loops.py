"""An event loop that differs."""

from __future__ import annotations

import asyncio
from typing import Any


class WithoutReaders(asyncio.SelectorEventLoop):
    """Watches no descriptors for others: the default loop of Windows does not, either."""

    def add_reader(self, *watched: Any) -> None:  # type: ignore[override]
        raise NotImplementedError
