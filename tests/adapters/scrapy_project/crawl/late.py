"""A downloader middleware that runs after proxymesh's and sends each request through another proxy."""

from __future__ import annotations

from typing import Any

from scrapy.exceptions import NotConfigured


class Late:
    def __init__(self, proxy: str) -> None:
        self.proxy = proxy

    @classmethod
    def from_crawler(cls, crawler: Any) -> Late:
        if proxy := crawler.settings.get("LATE_PROXY"):
            return cls(proxy)
        raise NotConfigured

    def process_request(self, request: Any) -> None:
        request.meta["proxy"] = self.proxy
