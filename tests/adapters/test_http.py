"""Uses each HTTP library: which headers arrive at the proxy and at the site, for http and for https."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

import aiohttp
import cloudscraper
import curl_cffi
import httpx
import proxymesh
import pytest
import requests
import urllib3
from proxymesh import Proxy
from proxymesh.sandbox import Sandbox
from support import Site, listed

Fetched = tuple[dict[str, str], str | None]
"""The headers that arrived at the site, and the exit IP that the library's user sees."""

EXIT_IP = "X-ProxyMesh-IP"


def by_requests(proxy: Proxy, url: str, site: Site) -> Fetched:
    answer = requests.get(url, proxies=proxy.requests(), verify=site.ca, timeout=10)
    assert answer.status_code == 200
    return answer.json(), None if url.startswith("https") else answer.headers[EXIT_IP]


def by_requests_session(proxy: Proxy, url: str, site: Site) -> Fetched:
    with proxy.requests_session() as session:
        session.verify = site.ca
        for _ in range(2):  # the second request uses the same connection
            answer = session.get(url, timeout=10)
            assert answer.status_code == 200
        return answer.json(), answer.headers[EXIT_IP]


def by_cloudscraper(proxy: Proxy, url: str, site: Site) -> Fetched:
    scraper = cloudscraper.create_scraper()
    scraper.proxies = proxy.requests_session().proxies
    with scraper:
        for _ in range(2):
            answer = scraper.get(url, timeout=10, verify=site.ca)
            assert answer.status_code == 200
        headers = answer.json()
        assert headers["user-agent"].startswith("Mozilla/"), "cloudscraper's own headers are sent"
        assert isinstance(scraper.get_adapter("https://"), cloudscraper.CipherSuiteAdapter)
        return headers, answer.headers[EXIT_IP]


def by_urllib3(proxy: Proxy, url: str, site: Site) -> Fetched:
    with proxy.urllib3(ca_certs=site.ca) as manager:
        answer = manager.request("GET", url, timeout=10)
        assert answer.status == 200
        return answer.json(), answer.headers[EXIT_IP]


def by_httpx(proxy: Proxy, url: str, site: Site) -> Fetched:
    context = ssl.create_default_context(cafile=site.ca)
    with httpx.Client(proxy=proxy.httpx(), verify=context, trust_env=False) as client:
        exits: list[str] = []

        def trace(event: str, info: dict[str, Any]) -> None:
            if event == "http11.receive_response_headers.complete":
                headers = dict(info["return_value"][3])
                exits.extend(
                    value.decode() for name, value in headers.items() if name.lower() == EXIT_IP.lower().encode()
                )

        answer = client.get(url, extensions={"trace": trace})
        assert answer.status_code == 200
        return answer.json(), exits[0]


def by_httpx_async(proxy: Proxy, url: str, site: Site) -> Fetched:
    async def fetch() -> Fetched:
        context = ssl.create_default_context(cafile=site.ca)
        async with httpx.AsyncClient(proxy=proxy.httpx(), verify=context, trust_env=False) as client:
            answer = await client.get(url)
            assert answer.status_code == 200
            return answer.json(), None if url.startswith("https") else answer.headers[EXIT_IP]

    return asyncio.run(fetch())


def by_aiohttp(proxy: Proxy, url: str, site: Site) -> Fetched:
    async def fetch() -> Fetched:
        context = ssl.create_default_context(cafile=site.ca)
        async with aiohttp.ClientSession() as session, session.get(url, ssl=context, **proxy.aiohttp()) as answer:
            assert answer.status == 200
            return await answer.json(), None if url.startswith("https") else answer.headers[EXIT_IP]

    return asyncio.run(fetch())


def by_curl_cffi(proxy: Proxy, url: str, site: Site) -> Fetched:
    with curl_cffi.requests.Session(**proxy.curl_cffi()) as session:
        answer = session.get(url, timeout=10, verify=site.ca)
        assert answer.status_code == 200
        return answer.json(), None if url.startswith("https") else answer.headers[EXIT_IP]


def by_urllib(proxy: Proxy, url: str, site: Site) -> Fetched:
    handlers = [
        urllib.request.ProxyHandler({"http": proxy.url(), "https": proxy.url()}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=site.ca)),
    ]
    with urllib.request.build_opener(*handlers).open(url, timeout=10) as answer:
        return json.loads(answer.read()), None


def by_the_environment(proxy: Proxy, url: str, site: Site) -> Fetched:
    """Runs httpx in a program that takes its proxy only from the environment."""
    program = "import httpx, sys; answer = httpx.get(sys.argv[1]); assert answer.status_code == 200; print(answer.text)"
    environment = {**os.environ, **proxy.env(), "SSL_CERT_FILE": site.ca}
    ran = subprocess.run(
        [sys.executable, "-c", program, url], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(ran.stdout), None


WITH_HEADERS = [by_requests_session, by_cloudscraper, by_urllib3, by_httpx, by_httpx_async, by_aiohttp, by_curl_cffi]
BY_URL = [by_requests, by_urllib, by_the_environment]
SCHEMES = ["http", "https"]


def fetched(
    sandbox: Sandbox, site: Site, fetch: Callable[[Proxy, str, Site], Fetched], proxy: Proxy, scheme: str
) -> tuple[dict[str, str], Any]:
    """Fetches the page. Returns what arrived at the site and at the proxy."""
    sandbox.clear_proxied()
    at_the_site, exit_ip = fetch(proxy, getattr(site, scheme), site)
    let_through = [request for request in sandbox.proxied() if request.status == 200]
    at_the_proxy = let_through[-1]
    assert at_the_proxy.method == ("CONNECT" if scheme == "https" else "GET")
    assert exit_ip in (None, at_the_proxy.exit_ip), "the exit IP that the user sees is the one that was used"
    assert not [name for name in at_the_site if "proxy" in name], "what is for the proxy stays there"
    return at_the_site, at_the_proxy


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("fetch", WITH_HEADERS + BY_URL)
def test_a_username_and_password(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, fetch: Any, scheme: str
) -> None:
    proxy = listed(client, "us-ca").using(client=client)
    _, at_the_proxy = fetched(sandbox, site, fetch, proxy, scheme)
    assert (at_the_proxy.auth, at_the_proxy.account) == ("basic", sandbox.username)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("fetch", WITH_HEADERS)
def test_a_token(sandbox: Sandbox, client: proxymesh.Client, site: Site, fetch: Any, scheme: str) -> None:
    proxy = listed(client, "us-ca").using(token=client.tokens.create().token)
    _, at_the_proxy = fetched(sandbox, site, fetch, proxy, scheme)
    assert (at_the_proxy.auth, at_the_proxy.account) == ("bearer", sandbox.username)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("fetch", WITH_HEADERS + BY_URL)
def test_an_authorised_ip(sandbox: Sandbox, client: proxymesh.Client, site: Site, fetch: Any, scheme: str) -> None:
    client.ips.add("127.0.0.1")
    _, at_the_proxy = fetched(sandbox, site, fetch, listed(client, "us-ca"), scheme)
    assert (at_the_proxy.auth, at_the_proxy.account) == ("none", sandbox.username)
    assert "proxy-authorization" not in at_the_proxy.headers


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("fetch", WITH_HEADERS)
def test_the_exit_is_chosen(sandbox: Sandbox, client: proxymesh.Client, site: Site, fetch: Any, scheme: str) -> None:
    proxy = listed(client, "open").using(client=client)
    exits = {proxy.steer(country="DE").check().exit_ip for _ in range(200)}
    wanted, *others = sorted(exit for exit in exits if exit)
    steered = proxy.steer(country="DE", prefer_ip=wanted, not_ip=others)
    _, at_the_proxy = fetched(sandbox, site, fetch, steered, scheme)
    assert (at_the_proxy.country, at_the_proxy.exit_ip) == ("DE", wanted)
    headers = {name: value for name, value in at_the_proxy.headers.items() if name.startswith("x-proxymesh-")}
    assert headers == {
        "x-proxymesh-country": "DE",
        "x-proxymesh-prefer-ip": wanted,
        "x-proxymesh-not-ip": ",".join(others),
    }


@pytest.mark.parametrize("make", [Proxy.requests, Proxy.env])
def test_what_a_url_cannot_hold_is_an_error_that_says_what_to_do(make: Any) -> None:
    proxy = Proxy("open.proxymesh.com")
    for needs_headers in (proxy.using(token="pm_token"), proxy.using("me", "secret").steer(country="DE")):
        with pytest.raises(
            proxymesh.ConfigError, match=r"cannot send the header .* to the proxy; use .*requests_session"
        ):
            make(needs_headers)


def test_the_environment_does_not_get_into_a_session(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "*")
    proxy = listed(client, "us-ca").using(client=client)
    fetched(sandbox, site, by_requests_session, proxy, "https")
    fetched(sandbox, site, by_curl_cffi, proxy, "https")


def test_a_refusal_by_the_proxy_is_the_librarys_own_error(
    sandbox: Sandbox, client: proxymesh.Client, site: Site
) -> None:
    proxy = listed(client, "us-ca").using("me", "wrong")
    assert proxy.requests_session().get(site.http, timeout=10).status_code == 407
    with pytest.raises(requests.exceptions.ProxyError, match="407"):
        proxy.requests_session().get(site.https, timeout=10)
    with pytest.raises(urllib3.exceptions.MaxRetryError, match="407"):
        proxy.urllib3(ca_certs=site.ca, retries=0).request("GET", site.https)
    context = ssl.create_default_context(cafile=site.ca)
    with httpx.Client(proxy=proxy.httpx(), verify=context, trust_env=False) as client_of_httpx:
        assert client_of_httpx.get(site.http).status_code == 407
        with pytest.raises(httpx.ProxyError, match="407"):
            client_of_httpx.get(site.https)
    with pytest.raises(aiohttp.ClientHttpProxyError, match="407"):
        by_aiohttp(proxy, site.https, site)
    with pytest.raises(curl_cffi.requests.RequestsError, match="407"):
        by_curl_cffi(proxy, site.https, site)


def test_no_library_is_imported_until_it_is_used() -> None:
    program = (
        "import proxymesh, sys; p = proxymesh.Proxy('us-ca.proxymesh.com'); p.requests(), p.env(), p.playwright(); "
        "libraries = {'requests', 'httpx', 'urllib3', 'aiohttp', 'curl_cffi', 'selenium', 'playwright'}; "
        "print(sorted(libraries & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
