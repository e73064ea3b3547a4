"""What the adapters' tests have in common."""

from __future__ import annotations

from dataclasses import dataclass

import proxymesh


@dataclass
class Site:
    """Pages of the name site.test, which no resolver knows: whoever gets one came through a proxy."""

    http: str
    https: str
    ca: str


def listed(client: proxymesh.Client, name: str) -> proxymesh.Proxy:
    return next(proxy for proxy in client.proxies.list() if proxy.name == name)
