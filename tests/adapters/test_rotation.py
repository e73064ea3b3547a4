"""Which exits the requests of one HTTP session use: with `rotating`, with `session`, and with neither."""

from __future__ import annotations

import asyncio
import pickle
import ssl
from collections.abc import Callable
from typing import Any

import aiohttp
import curl_cffi
import httpx
import proxymesh
import pytest
import requests
import urllib3
from proxymesh import Proxy
from proxymesh.sandbox import Sandbox
from support import Site, listed


def by_requests(proxy: Proxy, url: str, site: Site, times: int) -> None:
    with proxy.requests_session(verify=site.ca) as session:
        for _ in range(times):
            assert session.get(url, timeout=10).status_code == 200


def by_a_requests_adapter(proxy: Proxy, url: str, site: Site, times: int) -> None:
    with requests.Session() as session:
        session.mount("http://", proxy.requests_adapter(verify=site.ca))
        session.mount("https://", proxy.requests_adapter(verify=site.ca))
        for _ in range(times):
            assert session.get(url, timeout=10).status_code == 200


def by_urllib3(proxy: Proxy, url: str, site: Site, times: int) -> None:
    with proxy.urllib3(ca_certs=site.ca) as manager:
        for _ in range(times):
            assert manager.request("GET", url, timeout=10).status == 200


def by_httpx(proxy: Proxy, url: str, site: Site, times: int) -> None:
    context = ssl.create_default_context(cafile=site.ca)
    limits = httpx.Limits(max_keepalive_connections=0 if proxy.is_rotating else None)
    # An httpx.Proxy cannot rotate, but the client can.
    plain = listed_again(proxy) if proxy.is_rotating else proxy
    with httpx.Client(proxy=plain.httpx(), verify=context, trust_env=False, limits=limits) as client:
        for _ in range(times):
            assert client.get(url).status_code == 200


def listed_again(proxy: Proxy) -> Proxy:
    """The same proxy without rotation."""
    username, password = proxy._username_and_password() or ("", "")
    return Proxy(proxy.host, proxy.port).using(username, password)


def by_aiohttp(proxy: Proxy, url: str, site: Site, times: int) -> None:
    async def fetch() -> None:
        context = ssl.create_default_context(cafile=site.ca)
        async with aiohttp.ClientSession(**proxy.aiohttp()) as session:
            for _ in range(times):
                async with session.get(url, ssl=context) as answer:
                    assert (answer.status, bool(await answer.read())) == (200, True)

    asyncio.run(fetch())


def by_curl_cffi(proxy: Proxy, url: str, site: Site, times: int) -> None:
    with curl_cffi.requests.Session(**proxy.curl_cffi()) as session:
        for _ in range(times):
            assert session.get(url, timeout=10, verify=site.ca).status_code == 200


LIBRARIES = [by_requests, by_a_requests_adapter, by_urllib3, by_httpx, by_aiohttp, by_curl_cffi]
Fetch = Callable[[Proxy, str, Site, int], None]


@pytest.fixture
def proxy(client: proxymesh.Client) -> Proxy:
    return listed(client, "open").using(client=client)  # it has more exits than the others


@pytest.mark.parametrize("fetch", LIBRARIES)
def test_a_rotating_proxy_uses_many_exits_and_another_one_keeps_its_exit(
    sandbox: Sandbox, proxy: Proxy, site: Site, fetch: Fetch
) -> None:
    for used, tunnels, fewest, most in [(proxy, 1, 1, 1), (proxy.rotating(), 50, 20, 50), (proxy, 1, 1, 1)]:
        sandbox.clear_proxied()
        fetch(used, site.https, site, 50)
        exits = [request.exit_ip for request in sandbox.proxied()]
        assert (len(exits), fewest <= len(set(exits)) <= most) == (tunnels, True), exits


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("fetch", LIBRARIES)
def test_a_session_has_one_exit_over_any_number_of_tunnels(
    sandbox: Sandbox, proxy: Proxy, site: Site, fetch: Fetch, scheme: str
) -> None:
    session = proxy.session()
    sandbox.clear_proxied()
    for _ in range(10):
        fetch(session, getattr(site, scheme), site, 1)
    assert [request.exit_ip for request in sandbox.proxied()] == [session.held_ip] * 10


@pytest.mark.parametrize("retries", [None, 3])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_session_that_lost_its_exit_fails_and_is_not_retried(
    sandbox: Sandbox, proxy: Proxy, site: Site, scheme: str, retries: int | None
) -> None:
    lost = proxy.steer(hold_ip="192.0.2.7")
    message = r"no longer has the exit IP 192\.0\.2\.7 and used 198\.18\.\d+\.\d+ instead; call session\(\)"
    url = getattr(site, scheme)
    with (
        lost.requests_session(verify=site.ca, max_retries=retries) as session,
        pytest.raises(requests.exceptions.ProxyError, match=message),
    ):
        session.get(url, timeout=10)
    with lost.urllib3(ca_certs=site.ca) as manager:
        with pytest.raises(urllib3.exceptions.MaxRetryError, match=message) as refused:
            manager.request("GET", url, timeout=10)
        assert isinstance(refused.value.reason, urllib3.exceptions.ProxyError)
    assert len(sandbox.proxied()) == 2
    # Such a response gives its place in the pool back.
    with lost.requests_session(verify=site.ca, pool_block=True, pool_maxsize=1) as session:
        for _ in range(3):
            with pytest.raises(requests.exceptions.ProxyError, match=message):
                session.get(url, timeout=10)
    # A proxy may say only that it does not have the exit.
    sandbox.fault("status", status=200, proxy="open", times=2, headers={"X-ProxyMesh-IP-Not-Found": "192.0.2.7"})
    message = r"no longer has the exit IP 192\.0\.2\.7; call session\(\)"
    session = lost.requests_session(verify=site.ca, max_retries=retries)
    with session, pytest.raises(requests.exceptions.ProxyError, match=message):
        session.get(url, timeout=10)
    with lost.urllib3(ca_certs=site.ca) as manager, pytest.raises(urllib3.exceptions.MaxRetryError, match=message):
        manager.request("GET", url, timeout=10)
    # A preference is not a session.
    with proxy.steer(prefer_ip="192.0.2.7").requests_session(verify=site.ca) as session:
        assert session.get(url, timeout=10).status_code == 200


@pytest.mark.parametrize("fetch", [by_aiohttp, by_curl_cffi])
def test_one_client_may_use_a_proxy_with_and_without_rotation(
    sandbox: Sandbox, proxy: Proxy, site: Site, fetch: Fetch
) -> None:
    turns = [proxy, proxy.rotating(), proxy, proxy.rotating(), proxy.rotating(), proxy]

    async def by_aiohttp() -> None:
        context = ssl.create_default_context(cafile=site.ca)
        async with aiohttp.ClientSession() as session:
            for used in turns:
                async with session.get(site.https, ssl=context, **used.aiohttp()) as answer:
                    assert await answer.read()

    if fetch is by_curl_cffi:
        with curl_cffi.requests.Session() as session:
            for used in turns:
                assert session.get(site.https, timeout=10, verify=site.ca, **used.curl_cffi()).status_code == 200
    else:
        asyncio.run(by_aiohttp())
    assert len(sandbox.proxied()) == 4, "the three requests without rotation share a tunnel"


@pytest.mark.parametrize(
    "make",
    [Proxy.requests, Proxy.scrapy_meta, Proxy.playwright, Proxy.selenium, Proxy.env, Proxy.httpx],
    ids=lambda make: make.__name__,
)
def test_what_cannot_rotate_is_an_error_that_says_what_to_do(make: Any) -> None:
    with pytest.raises(proxymesh.ConfigError, match=r"cannot be told to open a new tunnel for each request; \w+"):
        make(Proxy("us-ca.proxymesh.com").rotating())


def test_a_session_of_requests_still_rotates_after_pickling(
    sandbox: Sandbox, client: proxymesh.Client, site: Site
) -> None:
    client.ips.add("127.0.0.1")
    proxy = listed(client, "us-ca").rotating()
    with pickle.loads(pickle.dumps(proxy.requests_session(verify=site.ca))) as session:
        for _ in range(3):
            assert session.get(site.https, timeout=10).status_code == 200
    assert len(sandbox.proxied()) == 3
