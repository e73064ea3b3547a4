"""Creates what each Python library accepts as a proxy. The `Proxy` method of the same name calls each function.

Each library is imported only on demand. How the libraries treat credentials and headers was observed at a proxy.
`tests/adapters` checks it with the libraries' current versions.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ._errors import ConfigError
from ._route import address, route
from ._secret import SecretStr

if TYPE_CHECKING:
    from httpx import Proxy as HttpxProxy
    from playwright.sync_api import ProxySettings as PlaywrightProxy
    from requests import Session as RequestsSession
    from requests.adapters import HTTPAdapter
    from selenium.webdriver import Proxy as SeleniumProxy
    from urllib3 import ProxyManager

    from ._proxymesh import Proxy

AUTHORIZATION = "Proxy-Authorization"
BROWSER = "start another browser or context for another exit IP, and do not call rotating()"


def needs(library: Any, least: str) -> None:
    """Rejects a version that is too old."""

    def numbers(version: str) -> list[int]:
        return [int(part) for part in version.split(".")[:3] if part.isdigit()]

    if numbers(library.__version__) < numbers(least):
        raise ImportError(
            f"proxymesh needs {library.__name__} {least} or later for this, but {library.__version__} is installed"
        )


def needs_urllib3() -> None:
    """Rejects a urllib3 that `_tunnel` cannot extend: one that is too old, or urllib3-future in its place."""
    import urllib3
    from urllib3.connection import HTTPSConnection

    needs(urllib3, "2.0")
    if not issubclass(HTTPSConnection, HTTPConnection):
        raise ImportError(
            "proxymesh needs the original urllib3 for this, but urllib3-future, which niquests needs, has replaced it; "
            "run `URLLIB3_NO_OVERRIDE=1 pip install --force-reinstall --no-binary urllib3-future urllib3-future`, and "
            "then `pip install --force-reinstall urllib3`, to have both"
        )


def without_headers(proxy: Proxy, who: str, way_out: str) -> None:
    """Rejects a proxy that needs headers: for a token, or for an exit choice."""
    headers = proxy.headers()
    if proxy._username_and_password() is not None:
        del headers[AUTHORIZATION]
    if headers:
        reason = f"{who} cannot send the header {next(iter(headers))} to the proxy; {way_out}"
        raise ConfigError(reason, reason=reason)


def not_rotating(proxy: Proxy, who: str, way_out: str) -> None:
    """Rejects a proxy that rotates."""
    if proxy.is_rotating:
        reason = f"{who} cannot be told to open a new tunnel for each request; {way_out}"
        raise ConfigError(reason, reason=reason)


def for_latin_1(proxy: Proxy) -> str:
    """The URL for libraries that decode the credentials and send them as Latin-1. With this URL, they send UTF-8."""
    url = address(proxy)
    if basic := proxy._username_and_password():
        username, password = (quote(part.encode().decode("latin-1"), safe="") for part in basic)
        url = SecretStr(url.replace("http://", f"http://{username}:{password}@"))
    return url


def requests(proxy: Proxy) -> dict[str, str]:
    without_headers(
        proxy,
        "requests.get(proxies=…)",
        "use proxy.requests_session(), or mount proxy.requests_adapter() on an existing session",
    )
    not_rotating(proxy, "requests.get(proxies=…)", "use proxy.requests_session()")
    return dict.fromkeys(("http", "https"), for_latin_1(proxy))


def requests_session(proxy: Proxy, **options: Any) -> RequestsSession:
    needs_urllib3()
    from ._requests import ProxySession

    return ProxySession(proxy, **options)


def requests_adapter(proxy: Proxy, **options: Any) -> HTTPAdapter:
    needs_urllib3()
    from ._requests import ProxyAdapter

    return ProxyAdapter(proxy, **options)


def urllib3(proxy: Proxy, **options: Any) -> ProxyManager:
    import urllib3

    needs_urllib3()
    from ._tunnel import pools

    headers = {**(options.pop("proxy_headers", None) or {}), **proxy.headers()}
    manager = urllib3.ProxyManager(address(proxy), proxy_headers=headers, **options)
    manager.pool_classes_by_scheme = pools(proxy)
    return manager


def httpx(proxy: Proxy) -> HttpxProxy:
    import httpx

    # The first version with Client(proxy=…).
    needs(httpx, "0.26")
    from ._httpx import HeaderProxy

    not_rotating(
        proxy,
        "an httpx.Proxy",
        "create the client with limits=httpx.Limits(max_keepalive_connections=0), and do not call rotating()",
    )
    return HeaderProxy(address(proxy), headers=proxy.headers())


def aiohttp(proxy: Proxy) -> dict[str, Any]:
    import aiohttp

    # The first version with ClientSession(proxy=…).
    needs(aiohttp, "3.11")
    from . import _aiohttp  # noqa: F401

    return {"proxy": route(proxy)}


def curl_cffi(proxy: Proxy) -> dict[str, str]:
    import curl_cffi

    needs(curl_cffi, "0.6.4")
    from . import _curl_cffi  # noqa: F401

    return {"proxy": route(proxy)}


def scrapy_meta(proxy: Proxy) -> dict[str, str]:
    without_headers(proxy, "Scrapy without the add-on", 'use ADDONS = {"proxymesh.scrapy.Addon": 500} instead')
    not_rotating(proxy, "Scrapy without the add-on", 'use ADDONS = {"proxymesh.scrapy.Addon": 500} instead')
    return {"proxy": for_latin_1(proxy)}


def playwright(proxy: Proxy) -> PlaywrightProxy:
    without_headers(
        proxy,
        "a browser",
        "use a username and password, or authorise this machine's IP (client.ips.authorized); to choose a country, use "
        "a proxy in that country",
    )
    not_rotating(proxy, "a browser", BROWSER)
    settings: PlaywrightProxy = {"server": address(proxy)}
    if basic := proxy._username_and_password():
        # They are not percent-encoded, because Playwright neither encodes nor decodes them.
        username, password = basic
        settings["username"], settings["password"] = username, SecretStr(password)
    return settings


def selenium(proxy: Proxy) -> SeleniumProxy:
    import selenium

    needs(selenium, "4.0")
    # selenium.webdriver imports it lazily, so tools such as PyInstaller would not find it there.
    from selenium.webdriver.common.proxy import Proxy as SeleniumProxy

    without_headers(
        proxy,
        "a browser",
        "authorise this machine's IP (client.ips.authorized); to choose a country, use a proxy in that country",
    )
    not_rotating(proxy, "a browser", BROWSER)
    if proxy._username_and_password():
        reason = (
            "Selenium cannot give a browser a proxy's credentials; authorise this machine's IP (client.ips.authorized) "
            "and use the proxy without credentials, or pass them over WebDriver BiDi: call "
            "driver.network.add_auth_handler(username, password), open the first page with "
            "driver.browsing_context.navigate(driver.current_window_handle, url), then call "
            "driver.network.remove_auth_handler, because otherwise sites that ask for a password get this one"
        )
        raise ConfigError(reason, reason=reason)
    place = address(proxy).removeprefix("http://")
    return SeleniumProxy({"proxyType": "manual", "httpProxy": place, "sslProxy": place})


def env(proxy: Proxy) -> dict[str, str]:
    without_headers(
        proxy,
        "a program configured by environment variables",
        "use your library's method, such as proxy.requests_session()",
    )
    not_rotating(proxy, "a program configured by environment variables", "do not call rotating()")
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    url = proxy.url()
    return dict.fromkeys(names, SecretStr(url) if proxy._username_and_password() else url)
