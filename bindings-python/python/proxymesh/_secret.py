"""Texts that hold a secret, and do not show it where a whole structure is shown: a log line, a traceback's locals.

`str()` and formatting give them as they are, since that is what they are for. Pickled, they are the plain text.
"""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "[redacted]"


class SecretStr(str):
    """A password, a URL or a header with one."""

    __slots__ = ()

    def __repr__(self) -> str:
        url = re.sub(r"(?<=://)[^/@]*@", f"{HIDDEN}@", self)
        return repr(url if url != self else HIDDEN)

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


class SecretBytes(bytes):
    """A header with one, as bytes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(HIDDEN.encode())

    def __reduce__(self) -> tuple[Any, ...]:
        return bytes, (bytes(self),)
