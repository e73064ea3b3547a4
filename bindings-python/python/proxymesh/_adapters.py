"""The shapes in which Python's libraries take a proxy: one function each, called by the method of `Proxy` of its name.

Each library is imported when it is wanted, and never otherwise. What they do with credentials and headers was found by
asking a proxy; `tests/adapters` asks again, with the libraries' current versions.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ._errors import ConfigError

if TYPE_CHECKING:
    from httpx import Proxy as HttpxProxy
    from playwright.sync_api import ProxySettings as PlaywrightProxy
    from requests import Session as RequestsSession
    from selenium.webdriver import Proxy as SeleniumProxy
    from urllib3 import ProxyManager

    from ._proxymesh import Proxy

AUTHORIZATION = "Proxy-Authorization"


def address(proxy: Proxy) -> str:
    """The URL without credentials."""
    return proxy.using().url()


def without_headers(proxy: Proxy, who: str, way_out: str) -> None:
    """Refuses what has to be sent in a header: a token, and what steers the exit."""
    headers = proxy.headers()
    if proxy._username_and_password() is not None:
        del headers[AUTHORIZATION]
    if headers:
        reason = f"{who} cannot send the proxy the header {next(iter(headers))}; {way_out}"
        raise ConfigError(reason, reason=reason)


def for_latin_1(proxy: Proxy) -> str:
    """The URL for who writes what it decodes of the URL in Latin-1: such that the result is UTF-8."""
    url = address(proxy)
    if basic := proxy._username_and_password():
        username, password = (quote(part.encode().decode("latin-1"), safe="") for part in basic)
        url = url.replace("http://", f"http://{username}:{password}@")
    return url


def requests(proxy: Proxy) -> dict[str, str]:
    without_headers(proxy, "requests.get(proxies=…)", "use proxy.requests_session(), which does")
    return dict.fromkeys(("http", "https"), for_latin_1(proxy))


def requests_session(proxy: Proxy) -> RequestsSession:
    import requests

    from ._requests import ProxyAdapter

    session = requests.Session()
    # What the environment says of proxies would go before the session's own.
    session.trust_env = False
    session.proxies = dict.fromkeys(("http", "https"), address(proxy))
    for scheme in ("http://", "https://"):
        session.mount(scheme, ProxyAdapter(proxy.headers()))
    return session


def urllib3(proxy: Proxy, **options: Any) -> ProxyManager:
    import urllib3

    from ._tunnel import POOLS

    manager = urllib3.ProxyManager(address(proxy), proxy_headers=proxy.headers(), **options)
    manager.pool_classes_by_scheme = POOLS
    return manager


def httpx(proxy: Proxy) -> HttpxProxy:
    import httpx

    return httpx.Proxy(address(proxy), headers=proxy.headers())


def aiohttp(proxy: Proxy) -> dict[str, Any]:
    headers = proxy.headers()

    async def for_http(request: Any, handler: Any) -> Any:
        # aiohttp sends `proxy_headers` with a CONNECT only; without one the request is what the proxy sees.
        if request.url.scheme == "http":
            request.headers.update(headers)
        return await handler(request)

    return {"proxy": address(proxy), "proxy_headers": headers, "middlewares": (for_http,)}


def curl_cffi(proxy: Proxy) -> dict[str, Any]:
    from curl_cffi import CurlOpt

    headers = [f"{name}: {value}".encode() for name, value in proxy.headers().items()]
    return {"proxy": address(proxy), "curl_options": {CurlOpt.PROXYHEADER: headers}, "trust_env": False}


def scrapy_meta(proxy: Proxy) -> dict[str, str]:
    without_headers(proxy, "the meta of a request", 'use ADDONS = {"proxymesh.scrapy.Addon": 500}, which can')
    return {"proxy": for_latin_1(proxy)}


def playwright(proxy: Proxy) -> PlaywrightProxy:
    without_headers(
        proxy,
        "a browser",
        "give a username and password, or authorise this machine's IP (client.ips.authorized); for a country take a "
        "proxy that is in it",
    )
    settings: PlaywrightProxy = {"server": address(proxy)}
    if basic := proxy._username_and_password():
        # As they are: Playwright encodes nothing and decodes nothing.
        settings["username"], settings["password"] = basic
    return settings


def selenium(proxy: Proxy) -> SeleniumProxy:
    import selenium.webdriver

    without_headers(
        proxy,
        "a browser",
        "authorise this machine's IP (client.ips.authorized); for a country take a proxy that is in it",
    )
    if proxy._username_and_password():
        reason = (
            "Selenium gives a browser no credentials for a proxy; authorise this machine's IP (client.ips.authorized) "
            "and take the proxy without them, or answer the proxy's question by WebDriver BiDi: "
            "driver.network.add_auth_handler(username, password), then the first page with "
            "driver.browsing_context.navigate(driver.current_window_handle, url), and then "
            "driver.network.remove_auth_handler, or sites that ask for a password get this one"
        )
        raise ConfigError(reason, reason=reason)
    place = address(proxy).removeprefix("http://")
    return selenium.webdriver.Proxy({"proxyType": "manual", "httpProxy": place, "sslProxy": place})


def env(proxy: Proxy) -> dict[str, str]:
    without_headers(proxy, "the environment", "use the library's own way, such as proxy.requests_session()")
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    return dict.fromkeys(names, proxy.url())
