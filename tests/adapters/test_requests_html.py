"""requests-html, in an environment of its own: pyppeteer, which comes with it, needs urllib3 1."""

from __future__ import annotations

import json
import re
from typing import Any

import browsers
import proxymesh
import pyppeteer.errors
import pyppeteer.launcher
import pytest
import requests_html
from proxymesh import Proxy
from proxymesh.sandbox import Sandbox
from support import Site, blocks_of_the_guide, library_of, listed

EXIT_IP = "X-ProxyMesh-IP"
SCHEMES = ["http", "https"]


def fetched(sandbox: Sandbox, site: Site, proxy: Proxy, scheme: str) -> Any:
    """Fetches the page. Returns what arrived at the proxy."""
    with requests_html.HTMLSession() as session:
        session.proxies = proxy.requests()
        answer = session.get(getattr(site, scheme), verify=site.ca, timeout=10)
    assert answer.status_code == 200
    assert not [name for name in answer.json() if "proxy" in name], "what is for the proxy stays there"
    (at_the_proxy,) = sandbox.proxied()
    assert at_the_proxy.method == ("CONNECT" if scheme == "https" else "GET")
    # Through a tunnel, only the site's own claim can be seen.
    assert answer.headers[EXIT_IP] == ("203.0.113.99" if scheme == "https" else at_the_proxy.exit_ip)
    return at_the_proxy


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_username_and_password(sandbox: Sandbox, client: proxymesh.Client, site: Site, scheme: str) -> None:
    at_the_proxy = fetched(sandbox, site, listed(client, "us-ca").using(client=client), scheme)
    assert (at_the_proxy.auth, at_the_proxy.account) == ("basic", sandbox.username)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_authorised_ip(sandbox: Sandbox, client: proxymesh.Client, site: Site, scheme: str) -> None:
    client.ips.add("127.0.0.1")
    at_the_proxy = fetched(sandbox, site, listed(client, "us-ca"), scheme)
    assert (at_the_proxy.auth, at_the_proxy.account) == ("none", sandbox.username)
    assert "proxy-authorization" not in at_the_proxy.headers


@pytest.mark.parametrize("make", [Proxy.requests_session, Proxy.requests_adapter, Proxy.urllib3])
def test_what_needs_urllib3_2_says_so(make: Any) -> None:
    with pytest.raises(
        ImportError, match=r"proxymesh needs urllib3 2\.0 or later for this, but 1\.26\.\d+ is installed"
    ):
        make(Proxy("us-ca.proxymesh.com"))


def test_the_headers_for_the_proxy_are_refused() -> None:
    proxy = Proxy("open.proxymesh.com")
    for needs_headers in (proxy.using(token="pm_token"), proxy.using("me", "secret").steer(country="DE")):
        with pytest.raises(proxymesh.ConfigError, match="cannot send the header"):
            needs_headers.requests()


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes pyppeteer start the installed Chromium, instead of downloading an old one."""
    monkeypatch.setattr(pyppeteer.launcher, "check_chromium", lambda: True)
    monkeypatch.setattr(pyppeteer.launcher, "chromium_executable", browsers.chromium)


@pytest.mark.usefixtures("chromium")
def test_without_an_argument_for_it_chromium_does_not_use_the_proxy(
    sandbox: Sandbox, client: proxymesh.Client, site: Site
) -> None:
    client.ips.add("127.0.0.1")
    with requests_html.HTMLSession(browser_args=browsers.FLAGS) as session:
        session.proxies = listed(client, "us-ca").requests()
        answer = session.get(site.http, timeout=10)
        with pytest.raises(pyppeteer.errors.PageError, match="ERR_NAME_NOT_RESOLVED"):
            answer.html.render(retries=1)
    assert len(sandbox.proxied()) == 1


@pytest.mark.usefixtures("chromium")
def test_the_block_of_the_guide(
    sandbox: Sandbox,
    client: proxymesh.Client,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    (block,) = [block for _, block in blocks_of_the_guide() if library_of(block) == "requests_html"]
    block = block.replace('["--no-sandbox", ', "[*flags, ").replace("https://example.com/", site.https)
    proxy = listed(client, "us-ca").using(client=client)
    exec(block, {"client": client, "proxy": proxy, "page": site.https, "flags": browsers.FLAGS})
    arrived = json.loads(re.findall(r"{.*}", capsys.readouterr().out)[0])
    assert "Chrome" in arrived["user-agent"]
    assert not [name for name in arrived if "proxy" in name]
    seen = [(request.auth, request.status) for request in sandbox.proxied() if "site.test" in request.target]
    assert seen[0] == ("basic", 200), "the session"
    assert set(seen[1:]) == {("none", 200)}, "Chromium"
