"""What users do with sessions. None of it may lose the credentials or the choice of the exit."""

from __future__ import annotations

import asyncio
import copy
import pickle
import ssl
from pathlib import Path
from typing import Any, cast

import aiohttp
import certifi
import curl_cffi.requests
import httpx
import proxymesh
import pytest
import requests
from proxymesh import Proxy
from proxymesh.sandbox import Sandbox
from requests.adapters import HTTPAdapter
from support import Site, listed
from urllib3 import Retry


@pytest.fixture
def german(client: proxymesh.Client, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return listed(client, "open").using(client=client).steer(country="DE")


def copied(session: requests.Session) -> requests.Session:
    """Makes another session with only these attributes, as cloudscraper does."""
    other = requests.Session()
    other.proxies, other.headers, other.verify = session.proxies, session.headers, session.verify
    return other


def mounted(session: requests.Session) -> requests.Session:
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=Retry(total=3)))
    return session


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("change", [copied, mounted, copy.deepcopy])
@pytest.mark.parametrize("variable", [None, "{scheme}_proxy", "ALL_PROXY", "NO_PROXY"])
def test_the_exit_is_kept(
    sandbox: Sandbox,
    german: Proxy,
    site: Site,
    change: Any,
    scheme: str,
    variable: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if variable:
        value = "site.test" if variable == "NO_PROXY" else "http://127.0.0.1:1"
        monkeypatch.setenv(variable.format(scheme=scheme), value)
    session = change(german.requests_session(verify=site.ca))
    assert session.get(getattr(site, scheme), timeout=10).status_code == 200
    assert sandbox.proxied()[-1].country == "DE"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_adapter_for_an_existing_session(
    sandbox: Sandbox, german: Proxy, site: Site, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "*")
    with requests.Session() as session:
        session.mount(f"{scheme}://", german.requests_adapter(max_retries=3, verify=site.ca))
        assert session.get(getattr(site, scheme), timeout=10).status_code == 200
        assert sandbox.proxied()[-1].country == "DE"
        with pytest.raises(requests.exceptions.InvalidProxyURL, match=r"the request asks for other\.test"):
            session.get(getattr(site, scheme), proxies={scheme: "http://me:secret@other.test:1"})


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_ca_of_the_environment(german: Proxy, site: Site, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, site.ca)
    assert german.requests_session().get(site.https, timeout=10).status_code == 200


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_verify_of_a_session_overrides_the_environment(
    german: Proxy, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    for verify in (site.ca, False):
        assert german.requests_session(verify=verify).get(site.https, timeout=10).status_code == 200
        session = copied(german.requests_session())
        session.verify = verify
        assert session.get(site.https, timeout=10).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        german.requests_session().get(site.https, timeout=10)


def test_the_passwords_for_sites_in_netrc_are_used(
    german: Proxy, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine site.test login me password of-the-site\n")
    monkeypatch.setenv("NETRC", str(netrc))
    session = german.requests_session(verify=site.ca)
    assert session.get(site.https, timeout=10).json()["authorization"].startswith("Basic ")
    session.trust_env = False
    assert "authorization" not in session.get(site.https, timeout=10).json()


def test_a_session_is_pickled_without_secrets_or_not_at_all(client: proxymesh.Client, site: Site) -> None:
    with pytest.raises(TypeError, match="with credentials cannot be pickled"):
        pickle.dumps(listed(client, "open").using(client=client).requests_session())
    client.ips.add("127.0.0.1")
    again = pickle.loads(pickle.dumps(listed(client, "open").requests_session(verify=site.ca)))
    assert again.get(site.https, timeout=10).status_code == 200


@pytest.mark.parametrize("retries", [None, 5])
def test_a_refused_tunnel_is_not_retried(client: proxymesh.Client, sandbox: Sandbox, site: Site, retries: Any) -> None:
    wrong = listed(client, "us-ca").using("parent", "wrong")
    with pytest.raises(requests.exceptions.ProxyError, match="407"):
        wrong.requests_session(max_retries=retries).get(site.https)
    assert [request.status for request in sandbox.proxied()] == [407]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_aiohttp_arguments_fit_sessions_and_requests_and_keep_a_users_middlewares(
    sandbox: Sandbox, german: Proxy, site: Site, scheme: str
) -> None:
    async def mine(request: Any, handler: Any) -> Any:
        request.headers["X-Mine"] = "1"
        return await handler(request)

    async def fetch(of_session: dict[str, Any], of_request: dict[str, Any]) -> Any:
        context = ssl.create_default_context(cafile=site.ca)
        async with (
            aiohttp.ClientSession(middlewares=(mine,), **of_session) as session,
            session.get(getattr(site, scheme), ssl=context, **of_request) as answer,
        ):
            return await answer.json()

    ways: list[tuple[dict[str, Any], dict[str, Any]]] = [(german.aiohttp(), {}), ({}, german.aiohttp())]
    for arguments in ways:
        arrived = asyncio.run(fetch(*arguments))
        assert arrived["x-mine"] == "1"
        assert not [name for name in arrived if "proxy" in name]
        assert sandbox.proxied()[-1].country == "DE"


def by_curl_cffi_get(german: Proxy, french: Proxy, url: str, ca: str) -> None:
    for proxy in (german, french):
        curl_cffi.requests.get(url, verify=cast("bool", ca), **proxy.curl_cffi())


def by_requests_of_a_curl_cffi_session(german: Proxy, french: Proxy, url: str, ca: str) -> None:
    with curl_cffi.requests.Session(verify=cast("bool", ca)) as session:
        session.get(url, **german.curl_cffi())
        with session.stream("GET", url, **french.curl_cffi()):
            pass


def by_a_curl_cffi_session_and_its_requests(german: Proxy, french: Proxy, url: str, ca: str) -> None:
    with curl_cffi.requests.Session(verify=cast("bool", ca), **german.curl_cffi()) as session:
        session.get(url)
        session.get(url, **french.curl_cffi())


def by_curl_cffi_with_asyncio(german: Proxy, french: Proxy, url: str, ca: str) -> None:
    async def fetch() -> None:
        trusting: dict[str, Any] = {"verify": ca}
        async with curl_cffi.requests.AsyncSession(**german.curl_cffi(), **trusting) as session:
            await session.get(url)
            await session.get(url, **french.curl_cffi())

    asyncio.run(fetch())


def by_curl_cffi_websockets(german: Proxy, french: Proxy, url: str, ca: str) -> None:
    with curl_cffi.requests.Session(verify=cast("bool", ca)) as session:
        for proxy in (german, french):
            # The site has no WebSocket endpoint.
            with pytest.raises(curl_cffi.CurlError, match="Refused WebSocket upgrade: 200"):
                session.ws_connect(url.replace("http", "ws"), **proxy.curl_cffi())


def by_aiohttp_request(german: Proxy, french: Proxy, url: str, ca: str) -> None:
    async def fetch() -> None:
        context = ssl.create_default_context(cafile=ca)
        for proxy in (german, french):
            async with aiohttp.request("GET", url, ssl=context, **proxy.aiohttp()) as answer:
                assert answer.status == 200

    asyncio.run(fetch())


def by_an_aiohttp_session_and_its_requests(german: Proxy, french: Proxy, url: str, ca: str) -> None:
    async def fetch() -> None:
        context = ssl.create_default_context(cafile=ca)
        async with aiohttp.ClientSession(**german.aiohttp()) as session:
            for arguments in ({}, french.aiohttp()):
                async with session.get(url, ssl=context, **arguments) as answer:
                    assert answer.status == 200

    asyncio.run(fetch())


def by_httpx_get(german: Proxy, french: Proxy, url: str, ca: str) -> None:
    for proxy in (german, french):
        assert httpx.get(url, proxy=proxy.httpx(), verify=ssl.create_default_context(cafile=ca)).status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "fetch",
    [
        by_curl_cffi_get,
        by_requests_of_a_curl_cffi_session,
        by_a_curl_cffi_session_and_its_requests,
        by_curl_cffi_with_asyncio,
        by_curl_cffi_websockets,
        by_aiohttp_request,
        by_an_aiohttp_session_and_its_requests,
        by_httpx_get,
    ],
)
def test_each_request_has_the_credentials_and_the_exit_of_its_proxy(
    sandbox: Sandbox, client: proxymesh.Client, german: Proxy, site: Site, fetch: Any, scheme: str
) -> None:
    french = german.using(token=client.tokens.create().token).steer(country="FR")
    fetch(german, french, getattr(site, scheme), site.ca)
    asked = [(request.status, request.auth, request.country) for request in sandbox.proxied()]
    assert asked == [(200, "basic", "DE"), (200, "bearer", "FR")]


def test_curl_cffi_reuses_a_tunnel_only_for_the_same_choice(
    sandbox: Sandbox, client: proxymesh.Client, german: Proxy, site: Site
) -> None:
    client.ips.add("127.0.0.1")
    anonymous = german.using()
    with curl_cffi.requests.Session(verify=cast("bool", site.ca)) as session:
        for proxy in (anonymous, anonymous, anonymous.steer(country="FR"), anonymous):
            session.get(site.https, **proxy.curl_cffi())
    asked = [(request.status, request.auth, request.country) for request in sandbox.proxied()]
    assert asked == [(200, "none", "DE"), (200, "none", "FR")]


def test_a_curl_cffi_request_that_was_not_sent_leaves_nothing_behind(
    sandbox: Sandbox, client: proxymesh.Client, german: Proxy, site: Site
) -> None:
    us_ca = listed(client, "us-ca")
    with curl_cffi.requests.Session() as session:
        for proxy in (german.curl_cffi(), us_ca.using("me", "other").curl_cffi(), {"proxy": us_ca.url()}):
            with pytest.raises(curl_cffi.requests.RequestsError, match="not supported"):
                session.get(site.http, impersonate="nothing", **german.curl_cffi())
            session.get(site.http, **proxy)
    asked = [(request.status, request.auth) for request in sandbox.proxied()]
    assert asked == [(200, "basic"), (407, "basic"), (407, "none")]
    assert [name for name in sandbox.proxied()[-1].headers if "proxymesh" in name] == []


def test_nothing_shows_the_password() -> None:
    proxy = Proxy("us-ca.proxymesh.com").using("me", "s3cret-word")
    hidden = ("s3cret", "bWU6")
    given = [proxy.httpx(), proxy.aiohttp(), proxy.curl_cffi(), proxy.requests(), proxy.env(), proxy.playwright()]
    for shown in map(repr, given):
        assert not [part for part in hidden if part in shown], shown
    anonymous = proxy.using()
    for shown in map(repr, (anonymous.requests(), anonymous.env(), anonymous.scrapy_meta())):
        assert "'http://us-ca.proxymesh.com:31280'" in shown
