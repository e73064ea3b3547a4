"""niquests, in an environment of its own: urllib3-future, which comes with it, replaces urllib3."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import niquests
import proxymesh
import pytest
import requests
from proxymesh import Proxy
from proxymesh.sandbox import Sandbox
from support import Site, blocks_of_the_guide, library_of, listed

EXIT_IP = "X-ProxyMesh-IP"
SCHEMES = ["http", "https"]


def adapter(proxy: Proxy) -> Any:
    """An instance of the class in docs/scraping.md."""
    (block,) = [block for _, block in blocks_of_the_guide() if library_of(block) == "niquests"]
    namespace: dict[str, Any] = {}
    exec("\n".join(block.split("\n\n\n")[:2]), namespace)  # without the use of the class
    return namespace["ProxyAdapter"](proxy)


def session(proxy: Proxy) -> Any:
    opened = niquests.Session()
    for scheme in SCHEMES:
        opened.mount(f"{scheme}://", adapter(proxy))
    return opened


def by_adapter(proxy: Proxy, url: str, site: Site) -> Any:
    with session(proxy) as opened:
        for _ in range(2):
            answer = opened.get(url, verify=site.ca, timeout=10)
        return answer


def by_url(proxy: Proxy, url: str, site: Site) -> Any:
    return niquests.get(url, proxies=dict.fromkeys(SCHEMES, proxy.url()), verify=site.ca, timeout=10)


def fetched(sandbox: Sandbox, site: Site, fetch: Callable[..., Any], proxy: Proxy, scheme: str) -> Any:
    """Fetches the page. Returns what arrived at the proxy."""
    answer = fetch(proxy, getattr(site, scheme), site)
    assert answer.status_code == 200
    assert not [name for name in answer.json() if "proxy" in name], "what is for the proxy stays there"
    at_the_proxy = [request for request in sandbox.proxied() if request.status == 200][-1]
    assert at_the_proxy.method == ("CONNECT" if scheme == "https" else "GET")
    # Through a tunnel, only the site's own claim can be seen.
    assert answer.headers[EXIT_IP] == ("203.0.113.99" if scheme == "https" else at_the_proxy.exit_ip)
    return at_the_proxy


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("fetch", [by_adapter, by_url])
def test_a_username_and_password(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, fetch: Any, scheme: str
) -> None:
    at_the_proxy = fetched(sandbox, site, fetch, listed(client, "us-ca").using(client=client), scheme)
    assert (at_the_proxy.auth, at_the_proxy.account) == ("basic", sandbox.username)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("fetch", [by_adapter, by_url])
def test_an_authorised_ip(sandbox: Sandbox, client: proxymesh.Client, site: Site, fetch: Any, scheme: str) -> None:
    client.ips.add("127.0.0.1")
    at_the_proxy = fetched(sandbox, site, fetch, listed(client, "us-ca"), scheme)
    assert (at_the_proxy.auth, at_the_proxy.account) == ("none", sandbox.username)
    assert "proxy-authorization" not in at_the_proxy.headers


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_token_and_the_choice_of_the_exit(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, scheme: str
) -> None:
    proxy = listed(client, "open").using(token=client.tokens.create().token).steer(country="DE")
    wanted = proxy.check().exit_ip
    at_the_proxy = fetched(sandbox, site, by_adapter, proxy.steer(country="DE", prefer_ip=wanted), scheme)
    assert (at_the_proxy.auth, at_the_proxy.country, at_the_proxy.exit_ip) == ("bearer", "DE", wanted)


def test_the_value_for_requests_has_another_encoding(client: proxymesh.Client, site: Site) -> None:
    proxies = listed(client, "us-ca").using(client=client).requests()
    assert niquests.get(site.http, proxies=proxies, timeout=10).status_code == 407


def test_other_proxies_of_the_session_and_the_environment_get_nothing(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    proxy = listed(client, "us-ca").using(client=client)
    with session(proxy) as opened:
        opened.proxies = {"http": "http://127.0.0.1:1"}
        for scheme in SCHEMES:
            assert opened.get(getattr(site, scheme), verify=site.ca, timeout=10).status_code == 200


@pytest.mark.parametrize("make", [Proxy.requests_session, Proxy.requests_adapter, Proxy.urllib3])
def test_what_needs_the_original_urllib3_says_how_to_have_both(make: Any) -> None:
    with pytest.raises(ImportError, match=r"urllib3-future.* has replaced it; run .*URLLIB3_NO_OVERRIDE=1"):
        make(Proxy("us-ca.proxymesh.com"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_requests_itself_works_on_urllib3_future(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, scheme: str
) -> None:
    proxies = listed(client, "us-ca").using(client=client).requests()
    assert requests.get(getattr(site, scheme), proxies=proxies, verify=site.ca, timeout=10).status_code == 200
    assert [request.auth for request in sandbox.proxied()] == ["basic"]


def test_the_block_of_the_guide(sandbox: Sandbox, client: proxymesh.Client, site: Site) -> None:
    blocks = [block for kind, block in blocks_of_the_guide() if kind == "python"]
    (block,) = [block for block in blocks if library_of(block) == "niquests"]
    environment = {
        **os.environ,
        "PROXYMESH_BASE_URL": sandbox.base_url,
        "PROXYMESH_USERNAME": sandbox.username,
        "PROXYMESH_PASSWORD": sandbox.password,
        "REQUESTS_CA_BUNDLE": site.ca,
        "SSL_CERT_FILE": site.ca,
    }
    program = "\n".join([blocks[0], "proxy = client.proxies.list()[0].using(client=client)", block])
    program = program.replace("https://example.com/", site.https)
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "200\n"
    assert [(request.method, request.status) for request in sandbox.proxied()] == [("CONNECT", 200)]
