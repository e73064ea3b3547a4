"""Runs a real Chromium with Playwright and with Selenium: what arrives at the proxy, and what a browser cannot do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import browsers
import playwright.async_api
import proxymesh
import pytest
from playwright.sync_api import Browser, Error, ProxySettings, sync_playwright
from proxymesh import Proxy
from proxymesh.sandbox import ProxiedRequest, Sandbox
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from support import Site, listed

EXIT_IP = "x-proxymesh-ip"
CHROMIUM: dict[str, Any] = {"executable_path": browsers.chromium(), "args": browsers.FLAGS}


def at_the_proxy(sandbox: Sandbox, *, let_through: bool = True) -> list[ProxiedRequest]:
    """The requests for the site's pages. A browser also makes requests of its own, which are left out."""
    return [
        request
        for request in sandbox.proxied()
        if "site.test" in request.target and "favicon" not in request.target and (request.status == 200) is let_through
    ]


def arrived(text: str) -> dict[str, str]:
    """The headers that arrived at the site. None of them may be for the proxy."""
    headers: dict[str, str] = json.loads(text)
    assert not [name for name in headers if "proxymesh" in name or "authorization" in name]
    return headers


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all of Playwright's contexts. Each context has its own proxy."""
    with sync_playwright() as started:
        browser = started.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


def visit(browser: Browser, settings: ProxySettings, site: Site) -> dict[str, str]:
    """Opens both pages, and returns the exit IPs in their responses."""
    exits = {}
    with browser.new_context(proxy=settings) as context:
        page = context.new_page()
        for url in (site.http, site.https):
            answer = page.goto(url)
            assert answer is not None
            assert answer.status == 200
            arrived(answer.text())
            exits[url] = answer.headers[EXIT_IP]
    return exits


class TestPlaywright:
    def test_a_username_and_password(
        self, sandbox: Sandbox, client: proxymesh.Client, site: Site, chromium: Browser
    ) -> None:
        proxy = listed(client, "us-ca").using(client=client)
        exits = visit(chromium, proxy.playwright(), site)
        seen = at_the_proxy(sandbox)
        assert {request.method for request in seen} == {"GET", "CONNECT"}
        assert {(request.auth, request.account) for request in seen} == {("basic", sandbox.username)}
        assert exits[site.http] == seen[0].exit_ip
        assert exits[site.https] == "203.0.113.99", "what a site claims is all that is seen through a tunnel"

    def test_an_authorised_ip(self, sandbox: Sandbox, client: proxymesh.Client, site: Site, chromium: Browser) -> None:
        client.ips.add("127.0.0.1")
        visit(chromium, listed(client, "us-ca").playwright(), site)
        seen = at_the_proxy(sandbox)
        assert {request.method for request in seen} == {"GET", "CONNECT"}
        assert {(request.auth, request.account) for request in seen} == {("none", sandbox.username)}

    def test_a_whole_browser_with_asyncio(self, sandbox: Sandbox, client: proxymesh.Client, site: Site) -> None:
        async def main() -> None:
            async with playwright.async_api.async_playwright() as started:
                settings = listed(client, "us-ca").using(client=client).playwright()
                browser = await started.chromium.launch(proxy=settings, **CHROMIUM)
                page = await browser.new_page()
                for url in (site.http, site.https):
                    answer = await page.goto(url)
                    assert answer is not None
                    arrived(await answer.text())
                await browser.close()

        # This needs another thread, because Playwright's synchronous API has a running loop in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, main()).result()
        assert {(request.method, request.auth) for request in at_the_proxy(sandbox)} == {
            ("GET", "basic"),
            ("CONNECT", "basic"),
        }

    def test_a_refusal_by_the_proxy_is_not_taken_for_a_page(
        self, sandbox: Sandbox, client: proxymesh.Client, site: Site, chromium: Browser
    ) -> None:
        sandbox.fault("status", status=509, proxy="us-ca", times=0)
        settings = listed(client, "us-ca").using(client=client).playwright()
        with chromium.new_context(proxy=settings) as context:
            page = context.new_page()
            answer = page.goto(site.http)
            assert answer is not None
            assert (answer.status, EXIT_IP in answer.headers) == (509, False)
            with pytest.raises(Error, match="ERR_TUNNEL_CONNECTION_FAILED"):
                page.goto(site.https)
        wrong = listed(client, "us-ny").using("me", "wrong").playwright()
        with chromium.new_context(proxy=wrong) as context, pytest.raises(Error, match="ERR_"):
            context.new_page().goto(site.https)


@contextmanager
def driver(proxy: Proxy, **options: Any) -> Iterator[Any]:
    """Starts Chromium with the result of `proxy.selenium()`."""
    chromium: Any = webdriver.ChromeOptions()
    chromium.binary_location = browsers.chromium()
    chromium.accept_insecure_certs = True
    for flag in ["--headless=new", *browsers.FLAGS]:
        chromium.add_argument(flag)
    for name, value in options.items():
        setattr(chromium, name, value)
    chromium.proxy = proxy.selenium()
    started = webdriver.Chrome(options=chromium, service=Service(browsers.chromedriver()))
    started.set_page_load_timeout(20)
    try:
        yield started
    finally:
        started.quit()


def shown(started: Any) -> dict[str, str]:
    return arrived(started.find_element("tag name", "pre").text)


class TestSelenium:
    def test_an_authorised_ip(self, sandbox: Sandbox, client: proxymesh.Client, site: Site) -> None:
        client.ips.add("127.0.0.1")
        with driver(listed(client, "us-ca")) as started:
            for url in (site.http, site.https):
                started.get(url)
                assert shown(started)["host"] in url
        seen = at_the_proxy(sandbox)
        assert {request.method for request in seen} == {"GET", "CONNECT"}
        assert {(request.auth, request.account) for request in seen} == {("none", sandbox.username)}

    def test_a_username_and_password_by_bidi(self, sandbox: Sandbox, client: proxymesh.Client, site: Site) -> None:
        """Does what the error of `selenium()` advises. With `get` for the first page, Chromium would hang."""
        proxy = listed(client, "us-ca").using(client=client)
        with driver(proxy.using(), enable_bidi=True) as started:
            handler = started.network.add_auth_handler(sandbox.username, sandbox.password)
            started.browsing_context.navigate(started.current_window_handle, site.https, wait="complete")
            started.network.remove_auth_handler(handler)
            assert shown(started)["host"] in site.https
            for url in (site.http, site.https):
                started.get(url)
                assert shown(started)["host"] in url
        seen = at_the_proxy(sandbox)
        assert {request.method for request in seen} == {"GET", "CONNECT"}
        assert {(request.auth, request.account) for request in seen} == {("basic", sandbox.username)}

    def test_a_site_that_asks_for_a_password_does_not_get_the_proxys(
        self, sandbox: Sandbox, client: proxymesh.Client, site: Site
    ) -> None:
        """The handler must be removed, because it would send the password to any site that asks for one."""
        with driver(listed(client, "us-ca"), enable_bidi=True) as started:
            handler = started.network.add_auth_handler(sandbox.username, sandbox.password)
            started.browsing_context.navigate(started.current_window_handle, site.http, wait="complete")
            started.network.remove_auth_handler(handler)
            question = {"WWW-Authenticate": 'Basic realm="a site"'}
            sandbox.fault("status", status=401, headers=question, proxy="us-ca", times=0)
            private = f"{site.http}private"
            with pytest.raises(Exception, match="ERR_"):
                started.browsing_context.navigate(started.current_window_handle, private, wait="complete")
        asked = [request for request in sandbox.proxied() if request.target == private]
        assert {(request.status, request.auth) for request in asked} == {(401, "basic")}
        assert not [request for request in asked if "authorization" in request.headers]

    def test_without_credentials_the_page_is_empty(self, client: proxymesh.Client, site: Site) -> None:
        """`get` raises no error in this case."""
        with driver(listed(client, "us-ca")) as started:
            for url in (site.http, site.https):
                started.get(url)
                status = "return performance.getEntriesByType('navigation')[0].responseStatus"
                assert (started.find_element("tag name", "body").text, started.execute_script(status)) == ("", 407)

    def test_a_refusal_by_the_proxy_is_not_taken_for_a_page(
        self, sandbox: Sandbox, client: proxymesh.Client, site: Site
    ) -> None:
        client.ips.add("127.0.0.1")
        sandbox.fault("status", status=509, proxy="us-ca", times=0)
        with driver(listed(client, "us-ca")) as started:
            started.get(site.http)
            assert "An injected fault: status 509" in started.page_source
            with pytest.raises(Exception, match="ERR_TUNNEL_CONNECTION_FAILED"):
                started.get(site.https)


@pytest.mark.parametrize("make", [Proxy.playwright, Proxy.selenium])
@pytest.mark.parametrize(
    "proxy",
    [
        Proxy("open.proxymesh.com").using(token="pm_token"),
        Proxy("open.proxymesh.com").steer(country="DE"),
        Proxy("open.proxymesh.com").using("me", "secret").steer(not_ip="192.0.2.1"),
    ],
)
def test_headers_for_the_proxy_are_an_error_that_says_what_to_do(proxy: Proxy, make: Any) -> None:
    way_out = r"^a browser cannot send the header .*authorise this machine's IP .*use a proxy in that country$"
    with pytest.raises(proxymesh.ConfigError, match=way_out) as caught:
        make(proxy)
    assert "secret" not in str(caught.value)


def test_selenium_with_credentials_is_an_error_that_says_what_to_do() -> None:
    way_out = (
        r"^Selenium cannot give a browser a proxy's credentials.*client\.ips\.authorized.*or .*"
        r"add_auth_handler.*navigate.*remove_auth_handler"
    )
    with pytest.raises(proxymesh.ConfigError, match=way_out):
        Proxy("us-ca.proxymesh.com").using("me", "secret").selenium()
