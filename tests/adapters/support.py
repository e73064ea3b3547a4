"""What the adapters' tests have in common."""

from __future__ import annotations

from dataclasses import dataclass

import proxymesh


@dataclass
class Site:
    """The URLs of the site. No resolver knows the name site.test, so only a proxy can reach it."""

    http: str
    https: str
    ca: str


def listed(client: proxymesh.Client, name: str) -> proxymesh.Proxy:
    return next(proxy for proxy in client.proxies.list() if proxy.name == name)
