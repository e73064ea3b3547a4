"""Makes the requests that a test passes as an argument."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import scrapy


def shown(response: Any) -> str:
    """The text of the site's response. A browser shows JSON as a page."""
    page = re.search(r"<pre>(.*)</pre>", response.text)
    return html.unescape(page[1]) if page else response.text


class Asked(scrapy.Spider):
    """`requests` is a JSON list. Each object in it has the arguments of one `scrapy.Request`."""

    name = "asked"
    requests: str

    async def start(self) -> AsyncIterator[Any]:
        for number, asked in enumerate(json.loads(self.requests)):
            yield scrapy.Request(
                **asked, dont_filter=True, errback=self.failed, cb_kwargs={"number": number}, priority=-number
            )

    def parse(self, response: Any, number: int) -> Iterator[Any]:
        sent = {name.decode().lower() for name in response.request.headers}
        yield {
            "number": number,
            "status": response.status,
            "headers": json.loads(shown(response)),
            "proxy": response.meta.get("proxymesh_proxy"),
            "exit_ip": response.headers.get("X-ProxyMesh-IP", b"").decode(),
            "left_in_the_request": sorted(name for name in sent if "proxy" in name),
        }

    def failed(self, failure: Any) -> Iterator[Any]:
        yield {
            "number": failure.request.cb_kwargs["number"],
            "error": type(failure.value).__name__,
            "text": str(failure.value),
        }
