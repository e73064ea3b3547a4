"""The sandbox counts what is fetched through its proxies, and refuses traffic beyond a limit."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import aiohttp
import httpx
import proxymesh
import pytest
import requests
from proxymesh import Proxy
from proxymesh.sandbox import Sandbox
from support import Site, listed

MEGABYTE = 1_000_000


def by_requests(proxy: Proxy, url: str, site: Site) -> int:
    with proxy.requests_session() as session:
        session.verify = site.ca
        return len(session.get(url, timeout=30).content)


def by_httpx(proxy: Proxy, url: str, site: Site) -> int:
    context = ssl.create_default_context(cafile=site.ca)
    with httpx.Client(proxy=proxy.httpx(), verify=context, trust_env=False) as client:
        return len(client.get(url, timeout=30).content)


def by_aiohttp(proxy: Proxy, url: str, site: Site) -> int:
    async def fetch() -> int:
        context = ssl.create_default_context(cafile=site.ca)
        async with aiohttp.ClientSession() as session, session.get(url, ssl=context, **proxy.aiohttp()) as answer:
            return len(await answer.read())

    return asyncio.run(fetch())


@pytest.mark.parametrize("fetch", [by_requests, by_httpx, by_aiohttp])
def test_the_bandwidth_used_is_what_was_fetched(
    client: proxymesh.Client, site: Site, fetch: Callable[[Proxy, str, Site], int]
) -> None:
    client.sub_accounts.create("crawler-1", password="password-1", monthly_limit=1)
    proxy = listed(client, "us-ca").using("crawler-1", "password-1")
    fetched = sum(
        fetch(proxy, f"{base}bytes/{megabytes * MEGABYTE}", site)
        for megabytes in (1, 5, 10)
        for base in (site.http, site.https)
    )
    assert fetched == 32 * MEGABYTE
    account = client.sub_accounts.get("crawler-1")
    assert fetched / 1e9 <= account.monthly_bandwidth <= fetched / 1e9 * 1.01
    assert account.total_bandwidth == account.monthly_bandwidth


def test_a_limit_leads_to_509_until_it_is_raised(sandbox: Sandbox, client: proxymesh.Client, site: Site) -> None:
    client.sub_accounts.create("crawler-1", password="password-1", monthly_limit=1)
    proxy = listed(client, "us-ca").using("crawler-1", "password-1")
    sandbox.book_usage("crawler-1", 0.995)
    with proxy.requests_session() as session:
        session.verify = site.ca
        assert len(session.get(f"{site.https}bytes/{4 * MEGABYTE}", timeout=30).content) == 4 * MEGABYTE
        with pytest.raises(requests.RequestException):  # the sandbox cuts the response off at the limit
            session.get(f"{site.https}bytes/{4 * MEGABYTE}", timeout=30)
        assert 1 <= client.sub_accounts.get("crawler-1").monthly_bandwidth < 1.001
        assert session.get(site.http, timeout=30).status_code == 509
        with pytest.raises(requests.exceptions.ProxyError, match="509"):
            session.get(site.https, timeout=30)
        assert "bandwidth limit" in proxy.check().meaning
        client.sub_accounts.edit("crawler-1", monthly_limit=2)
        for base in (site.http, site.https):
            assert len(session.get(f"{base}bytes/{MEGABYTE}", timeout=30).content) == MEGABYTE
