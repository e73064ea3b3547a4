"""Strings that hold a secret and hide it in their repr: in log lines and in the locals of a traceback.

`str()` and formatting return the plain text, because that is its purpose. Pickling stores the plain text.
"""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "[redacted]"


class SecretStr(str):
    """A password, or a URL or header that contains one."""

    __slots__ = ()

    def __repr__(self) -> str:
        url = re.sub(r"(?<=://)[^/@]*@", f"{HIDDEN}@", self)
        return repr(url if url != self else HIDDEN)

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


class SecretBytes(bytes):
    """A header that contains a secret, as bytes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(HIDDEN.encode())

    def __reduce__(self) -> tuple[Any, ...]:
        return bytes, (bytes(self),)
