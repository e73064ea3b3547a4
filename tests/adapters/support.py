"""What the adapters' tests have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import proxymesh

ALONE = ("niquests", "requests_html")
"""The libraries that have an environment of their own (see the Makefile)."""


@dataclass
class Site:
    """The URLs of the site. No resolver knows the name site.test, so only a proxy can reach it."""

    http: str
    https: str
    ca: str


def blocks_of_the_guide() -> list[tuple[str, str]]:
    """The language and the text of each code block in docs/scraping.md."""
    guide = Path(__file__).parents[2] / "docs/scraping.md"
    return re.findall(r"^```(\w*)\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def library_of(block: str) -> str | None:
    """The library with an environment of its own that a block of the guide uses."""
    return next((name for name in ALONE if f"import {name}\n" in block), None)


def listed(client: proxymesh.Client, name: str) -> proxymesh.Proxy:
    return next(proxy for proxy in client.proxies.list() if proxy.name == name)
