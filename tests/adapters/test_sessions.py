"""What users do to sessions, and what must not lose the credentials or the choice of the exit on the way."""

from __future__ import annotations

import asyncio
import copy
import pickle
import ssl
from collections.abc import Callable
from typing import Any

import aiohttp
import curl_cffi.requests
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
    """As cloudscraper does: another session, with these attributes alone."""
    other = requests.Session()
    other.proxies, other.headers, other.verify = session.proxies, session.headers, session.verify
    return other


def mounted(session: requests.Session) -> requests.Session:
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=Retry(total=3)))
    return session


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("change", [copied, mounted, copy.deepcopy])
def test_the_exit_is_kept(sandbox: Sandbox, german: Proxy, site: Site, change: Any, scheme: str) -> None:
    session = change(german.requests_session(verify=site.ca))
    assert session.get(getattr(site, scheme), timeout=10).status_code == 200
    assert sandbox.proxied()[-1].country == "DE"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_adapter_for_a_session_that_there_is(
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


def test_a_session_is_pickled_without_secrets_or_not_at_all(client: proxymesh.Client, site: Site) -> None:
    with pytest.raises(TypeError, match="with credentials is not pickled"):
        pickle.dumps(listed(client, "open").using(client=client).requests_session())
    client.ips.add("127.0.0.1")
    again = pickle.loads(pickle.dumps(listed(client, "open").requests_session(verify=site.ca)))
    assert again.get(site.https, timeout=10).status_code == 200


@pytest.mark.parametrize("retries", [None, 5])
def test_a_refused_tunnel_is_asked_for_once(
    client: proxymesh.Client, sandbox: Sandbox, site: Site, retries: Any
) -> None:
    wrong = listed(client, "us-ca").using("parent", "wrong")
    with pytest.raises(requests.exceptions.ProxyError, match="407"):
        wrong.requests_session(max_retries=retries).get(site.https)
    assert [request.status for request in sandbox.proxied()] == [407]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_aiohttp_takes_it_for_a_session_and_a_users_middlewares_go_on(
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


def test_curl_cffi_takes_it_everywhere(sandbox: Sandbox, german: Proxy, site: Site) -> None:
    trusting: dict[str, Any] = {"verify": site.ca}
    assert curl_cffi.requests.get(site.https, **german.curl_cffi(), **trusting).status_code == 200
    assert sandbox.proxied()[-1].country == "DE"
    with curl_cffi.requests.Session(**german.curl_cffi()) as session:
        assert session.get(site.https, **trusting).status_code == 200
    assert sandbox.proxied()[-1].country == "DE"
    unsteered = german.steer()
    calls: list[Callable[..., Any]] = [curl_cffi.requests.get, curl_cffi.requests.Session().get]
    for call in calls:
        assert call(site.https, **unsteered.curl_cffi(), **trusting).status_code == 200


def test_nothing_shows_the_password() -> None:
    proxy = Proxy("us-ca.proxymesh.com").using("me", "s3cret-word")
    hidden = ("s3cret", "bWU6")
    given = [proxy.httpx(), proxy.aiohttp(), proxy.curl_cffi(), proxy.requests(), proxy.env(), proxy.playwright()]
    for shown in map(repr, given):
        assert not [part for part in hidden if part in shown], shown
