"""An adapter of requests that sends the proxy what is for the proxy, and shows what it answers."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter

from ._tunnel import POOLS


class ProxyAdapter(HTTPAdapter):
    """Sends these headers to the proxy: on the CONNECT for an https target, on the request for an http one."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.for_proxy = headers
        super().__init__()

    def proxy_headers(self, proxy: str) -> dict[str, str]:  # noqa: ARG002
        return dict(self.for_proxy)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager
