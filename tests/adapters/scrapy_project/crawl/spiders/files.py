"""Fetches a page, and the files that a test passes as an argument."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import scrapy


class Files(scrapy.Spider):
    name = "files"
    page: str
    files: str

    async def start(self) -> AsyncIterator[Any]:
        yield scrapy.Request(self.page)

    def parse(self, response: Any) -> Iterator[Any]:
        yield {"file_urls": self.files.split()}
