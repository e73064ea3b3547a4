"""An `httpx.Proxy` that hides secret headers in its repr, unlike httpx's own, and cannot be pickled with them."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from typing import Any

import httpx

from ._secret import HIDDEN


class HeaderProxy(httpx.Proxy):
    """A proxy whose headers hold the credentials."""

    def __repr__(self) -> str:
        headers = {name: HIDDEN if "authorization" in name.lower() else value for name, value in self.headers.items()}
        return f"Proxy({str(self.url)!r}, headers={headers!r})"

    def __reduce_ex__(self, protocol: Any) -> Any:
        if "proxy-authorization" in self.headers:
            raise TypeError(
                "an httpx.Proxy with credentials cannot be pickled or copied, because they are secret; create a new one"
            )
        return super().__reduce_ex__(protocol)
