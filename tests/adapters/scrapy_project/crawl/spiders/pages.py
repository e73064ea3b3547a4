"""Follows the links of a site, over http and https."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import scrapy


class Pages(scrapy.Spider):
    name = "pages"
    first: str

    async def start(self) -> AsyncIterator[Any]:
        yield scrapy.Request(self.first)

    def parse(self, response: Any) -> Iterator[Any]:
        yield {
            "url": response.url,
            "number": int(response.css("h1::text").get()),
            "headers": response.css("pre::text").get(),
            "proxy": response.meta.get("proxymesh_proxy"),
            "exit_ip": response.headers.get("X-ProxyMesh-IP", b"").decode(),
        }
        yield from response.follow_all(css="a")
