"""The program that test_frozen.py freezes. It imports only the package, and uses everything in it that imports late.

Arguments: the sandbox's URL, the parent's username and password, the URLs of a page over http and https, and a CA file.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
from collections.abc import Callable

import proxymesh


def main() -> None:
    base_url, username, password, http, https, ca = sys.argv[1:]
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    client = proxymesh.Client(username, password, base_url=base_url)
    proxy = next(proxy for proxy in client.proxies.list() if proxy.name == "us-ca").using(client=client)
    context = ssl.create_default_context(cafile=ca)

    def by_requests() -> int:
        return proxy.requests_session(verify=ca).get(https, timeout=10).status_code

    def by_urllib3() -> int:
        return proxy.urllib3(ca_certs=ca).request("GET", https).status

    def by_httpx() -> int:
        import httpx

        return httpx.Client(proxy=proxy.httpx(), verify=context, trust_env=False).get(https).status_code

    def by_aiohttp() -> int:
        import aiohttp

        async def fetch() -> int:
            async with aiohttp.ClientSession() as session, session.get(http, **proxy.aiohttp()) as answer:
                return answer.status

        return asyncio.run(fetch())

    def by_curl_cffi() -> int:
        import curl_cffi.requests

        return curl_cffi.requests.get(http, **proxy.curl_cffi()).status_code

    def by_asyncio() -> int:
        async def fetch() -> int:
            async with proxymesh.AsyncClient(username, password, base_url=base_url) as awaited:
                return len(await awaited.proxies.list())

        return asyncio.run(fetch())

    def by_authorized() -> str:
        with client.ips.authorized("203.0.113.9") as ip:
            return str(ip)

    uses: list[Callable[[], object]] = [
        by_requests,
        by_urllib3,
        by_httpx,
        by_aiohttp,
        by_curl_cffi,
        by_asyncio,
        by_authorized,
        lambda: client.proxies.pool().get(),
        lambda: client.tokens.create(expires_at="2030-01-01").expires_at,
        lambda: proxy.playwright() and proxy.env() and proxymesh.Proxy("us-ca.proxymesh.com").selenium(),
    ]
    for use in uses:
        use()
    sys.stdout.write(f"used {len(uses)}\n")


main()
