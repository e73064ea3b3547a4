"""Runs `scrapy crawl` in a project whose settings enable `proxymesh.scrapy` with one line."""

from __future__ import annotations

import base64
import collections
import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import browsers
import proxymesh
import pytest
from proxymesh.sandbox import ProxiedRequest, Sandbox
from support import Site, listed

PROJECT = Path(__file__).with_name("scrapy_project")
SCHEMES = ("http", "https")


@dataclass
class Crawl:
    """The items and the log of a crawl."""

    items: list[dict[str, Any]]
    log: str

    def stat(self, name: str) -> Any:
        """A stat from the list that Scrapy logs at the end."""
        found = re.search(rf"^[ {{]'{re.escape(name)}': (.*?)[,}}]?$", self.log, re.MULTILINE)
        return found and json.loads(found[1].replace("'", '"'))


@pytest.fixture
def crawl(sandbox: Sandbox, site: Site, tmp_path: Path) -> Any:
    def crawl(spider: str, *options: str, settings: dict[str, object] | None = None, **arguments: str) -> Crawl:
        items = tmp_path / "items.jsonl"
        command = [sys.executable, "-m", "scrapy", "crawl", spider, "-O", str(items), *options]
        for name, value in arguments.items():
            command += ["-a", f"{name}={value}"]
        for name, setting in (settings or {}).items():
            command += ["-s", f"{name}={setting}"]
        environment = {
            **os.environ,
            "SSL_CERT_FILE": site.ca,
            "PROXYMESH_BASE_URL": sandbox.base_url,
            "PROXYMESH_USERNAME": sandbox.username,
            "PROXYMESH_PASSWORD": sandbox.password,
        }
        ran = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert sandbox.password not in ran.stdout + ran.stderr
        lines = items.read_text().splitlines() if items.exists() else []
        return Crawl([json.loads(line) for line in lines], ran.stdout + ran.stderr)

    return crawl


def ask(crawl: Any, *requests: dict[str, Any], **settings: object) -> Crawl:
    """Makes these requests in a crawl, one after the other, in this order."""
    told: Crawl = crawl("asked", requests=json.dumps(requests), settings={"CONCURRENT_REQUESTS": 1, **settings})
    told.items.sort(key=lambda item: item["number"])
    return told


def test_500_pages_through_three_proxies_when_one_reaches_its_limit(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    client.proxies.delete("open")
    sandbox.fault("status", status=509, proxy="us-ny", after=60, times=0)
    crawled = crawl("pages", first=f"{site.http}pages/0", settings={"PROXYMESH_COOLDOWN": 600})
    assert sorted(item["number"] for item in crawled.items) == list(range(500)), crawled.log
    assert {item["url"].partition(":")[0] for item in crawled.items} == {"http", "https"}
    assert not [item for item in crawled.items if "proxy" in item["headers"].lower()], "the site gets no proxy header"
    through = collections.Counter(item["proxy"] for item in crawled.items)
    assert set(through) == {"us-ca", "us-ny", "us-il"}
    statuses = [request.status for request in sandbox.proxied() if request.proxy == "us-ny"]
    assert statuses[:60] == [200] * 60
    assert through["us-ny"] < 150 < through["us-ca"], "a tunnel serves many requests, but none after its proxy fails"
    assert abs(through["us-ca"] - through["us-il"]) <= 20, through
    refused = crawled.stat("proxymesh/failure_count")
    assert statuses[60:] == [509] * refused
    assert 1 <= refused <= 16, "no more than were under way"
    assert crawled.stat("proxymesh/failure_count/us-ny/509") == refused
    assert crawled.stat("proxymesh/cooldown_count") == crawled.stat("proxymesh/cooldown_count/us-ny") == 1
    assert crawled.stat("proxymesh/retry/count") == crawled.stat("proxymesh/retry/reason_count/509") == refused
    assert crawled.stat("proxymesh/request_count") == 500 + refused
    assert (crawled.stat("retry/count"), crawled.stat("finish_reason")) == (None, "finished")
    (told,) = re.findall(r"WARNING: (The proxy .*)", crawled.log)
    assert told == (
        "The proxy us-ny returned 509: the bandwidth limit of the sub-account or the account has been reached: raise "
        "it, or wait for the next billing period; left out for 600 s"
    )
    assert [call.path for call in sandbox.requests()].count("/api/proxies/") == 1


def test_a_username_and_password(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    told = ask(crawl, {"url": site.http}, {"url": site.https}, {"url": site.https})
    assert [item["status"] for item in told.items] == [200, 200, 200], told.log
    for request in sandbox.proxied():
        assert (request.auth, request.account, request.status) == ("basic", sandbox.username, 200)
    assert {request.method for request in sandbox.proxied()} == {"GET", "CONNECT"}
    exits = {(request.proxy, request.exit_ip) for request in sandbox.proxied()}
    assert {(item["proxy"], item["exit_ip"]) for item in told.items} == exits
    for item in told.items:
        assert not [name for name in item["headers"] if "proxy" in name]
        assert item["left_in_the_request"] == [], "what is kept of a request, in a cache or a queue, has no credentials"


def test_a_token(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    token = client.tokens.create().token
    told = ask(crawl, {"url": site.http}, {"url": site.https}, PROXYMESH_TOKEN=token)
    assert [item.get("status") for item in told.items] == [200, 200], told.log
    assert {request.auth for request in sandbox.proxied()} == {"bearer"}
    assert token not in told.log


def test_an_authorised_ip(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    client.ips.add("127.0.0.1")
    told = ask(crawl, {"url": site.http}, {"url": site.https}, PROXYMESH_CREDENTIALS=False)
    assert [item["status"] for item in told.items] == [200, 200], told.log
    assert {request.auth for request in sandbox.proxied()} == {"none"}
    assert not [request for request in sandbox.proxied() if "proxy-authorization" in request.headers]


def test_the_proxy_of_the_environment_is_not_used_and_its_credentials_are_not_sent(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://me:secret@127.0.0.1:1")
    client.ips.add("127.0.0.1")
    sandbox.fault("status", status=509, proxy="us-ca", times=0)  # so that a request is also retried
    told = ask(crawl, {"url": site.http}, {"url": site.https}, PROXYMESH_CREDENTIALS=False)
    assert [item["status"] for item in told.items] == [200, 200], told.log
    assert not [request for request in sandbox.proxied() if "proxy-authorization" in request.headers]
    assert [item["left_in_the_request"] for item in told.items] == [[], []]


def test_each_request_has_its_country(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    countries = ["DE", "FR", "DE", "fr", "DE", "FR"]
    asked = [
        {"url": url, "meta": {"proxymesh_country": country}} for country in countries for url in (site.http, site.https)
    ]
    told = ask(crawl, *asked, PROXYMESH_COUNTRY="GB")
    assert [item["status"] for item in told.items] == [200] * 12, told.log
    asked_for = {request.exit_ip: request.headers["x-proxymesh-country"] for request in sandbox.proxied()}
    got = [asked_for[item["exit_ip"]] for item in told.items]
    assert got == [country.upper() for country in countries for _ in range(2)], "no tunnel of another country is used"
    assert not [item for item in told.items if [name for name in item["headers"] if "proxymesh" in name]]
    assert len([request for request in sandbox.proxied() if request.method == "CONNECT"]) == 2, "each tunnel is reused"
    told = ask(
        crawl, {"url": site.https}, {"url": site.http, "meta": {"proxymesh_country": "ZA"}}, PROXYMESH_COUNTRY="GB"
    )
    assert sandbox.proxied()[-1].country == "GB"
    assert told.items[1]["error"] == "IgnoreRequest"
    assert told.items[1]["text"].endswith("has exits in ZA; authorise world, which has some")


def test_with_rotation_each_request_has_a_tunnel_of_its_own(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    client.proxies.delete("us-ca")
    for tunnels, settings in [(20, {"PROXYMESH_ROTATING": True}), (3, {})]:
        sandbox.clear_proxied()
        told = ask(crawl, *[{"url": site.https}] * 20, **settings)
        assert [item["status"] for item in told.items] == [200] * 20, told.log
        exits = [request.exit_ip for request in sandbox.proxied()]
        assert (len(exits), {item["exit_ip"] for item in told.items}) == (tunnels, set(exits))


def test_a_request_may_choose_its_own_proxy(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    own = listed(client, "us-il").using(client=client)
    told = ask(crawl, {"url": site.https, "meta": own.scrapy_meta()}, {"url": site.https, "meta": {"proxy": None}})
    assert (told.items[0]["status"], told.items[0]["proxy"]) == (200, None), told.log
    assert told.items[1]["error"] == "CannotResolveHostError", "no proxy at all"
    assert [(request.proxy, request.auth) for request in sandbox.proxied()] == [("us-il", "basic")]
    assert told.stat("proxymesh/request_count") is None


def test_scrapy_meta_works_without_the_addon(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    meta = listed(client, "us-il").using(client=client).scrapy_meta()
    told = ask(crawl, {"url": site.http, "meta": meta}, {"url": site.https, "meta": meta}, ADDONS="{}")
    assert [item["status"] for item in told.items] == [200, 200], told.log
    assert [request.account for request in sandbox.proxied()] == [sandbox.username] * 2
    for needs_headers in (own := listed(client, "open")).steer(country="DE"), own.using(token="pm_token"):
        with pytest.raises(proxymesh.ConfigError, match=r"cannot send the header .* to the proxy; use ADDONS = {"):
            needs_headers.scrapy_meta()


@pytest.mark.parametrize("status", [402, 407, 509])
def test_a_request_that_a_proxy_refuses_goes_through_another(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any, status: int
) -> None:
    sandbox.fault("status", status=status, proxy="us-ca", times=0)
    post = {"url": site.http, "method": "POST", "body": "x", "meta": {"dont_retry": True}}
    told = ask(crawl, post)
    assert [(item["status"], item["proxy"]) for item in told.items] == [(200, "us-ny")], told.log
    assert [(request.proxy, request.status) for request in sandbox.proxied()] == [
        ("us-ca", status),
        ("us-ny", 200),
    ]
    assert told.stat(f"proxymesh/failure_count/us-ca/{status}") == 1


def test_a_refused_tunnel_is_opened_by_another_proxy(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    sandbox.fault("status", status=509, proxy="us-ca", times=0)
    sandbox.fault("drop", proxy="us-ny", times=0)
    told = ask(crawl, {"url": site.https})
    assert (told.items[0]["status"], told.items[0]["proxy"]) == (200, "us-il"), told.log
    assert told.stat("proxymesh/failure_count/us-ny/ProxyRefusedError") == 1
    assert "The proxy us-ny closed the connection; left out for 60 s" in told.log


@contextmanager
def answering(pieces: list[bytes], tunnel_to: int) -> Iterator[str]:
    """A proxy that answers each request with these pieces. If there is more than one, a CONNECT then opens a tunnel."""

    def carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                head += self.request.recv(4096)
            for piece in pieces:
                self.request.sendall(piece)
                time.sleep(0.001)
            if head.startswith(b"CONNECT") and len(pieces) > 1:
                with socket.create_connection(("127.0.0.1", tunnel_to)) as site:
                    threading.Thread(target=carry, args=(self.request, site), daemon=True).start()
                    carry(site, self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"odd.localhost:{server.server_address[1]}"
        server.shutdown()


def test_odd_responses_to_connect(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    opened = b"HTTP/1.1 200 Connection established\r\nX-Other: y\r\nx-proxymesh-ip:  198.51.100.7 \r\n\r\n"
    port = urllib.parse.urlsplit(site.https).port or 0
    good = str(listed(client, "us-ca"))
    for answer, proxy, said in [
        ([opened[i : i + 1] for i in range(len(opened))], "odd", None),
        (
            [b"HTTP/1.1 407 No\r\nContent-Length: 15\r\n\r\n<html>no</html>"],
            "us-ca",
            "returned 407: the proxy does not",
        ),
        ([b"SSH-2.0-OpenSSH_10\r\n\r\n"], "us-ca", "is not an HTTP proxy; left out"),
        ([b"HTTP/1.1 200 OK\r\nX-"], "us-ca", "closed the connection; left out"),
    ]:
        with answering(answer, port) as odd:
            sandbox.clear_faults()
            sandbox.fault(
                "status", status=200, body=json.dumps({"proxies": [odd, good]}), path="/api/proxies/", times=0
            )
            told = ask(crawl, {"url": site.https})
        (item,) = told.items
        assert (item["status"], item["proxy"]) == (200, proxy), told.log
        assert (item["exit_ip"] == "198.51.100.7") is (said is None)
        assert said is None or f"The proxy odd {said}" in told.log


def test_a_proxy_that_is_not_there_is_left_out(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    with socket.socket() as silent, socket.socket() as closed:
        for one in (silent, closed):
            one.bind(("127.0.0.1", 0))
        silent.listen(0)
        full = [socket.create_connection(silent.getsockname()) for _ in range(1)]
        proxies = [
            f"closed.localhost:{closed.getsockname()[1]}",
            f"silent.localhost:{silent.getsockname()[1]}",
            str(listed(client, "us-ca")),
        ]
        sandbox.fault("status", status=200, body=json.dumps({"proxies": proxies}), path="/api/proxies/", times=0)
        told = ask(crawl, *[{"url": url} for url in (site.http, site.https) * 3], PROXYMESH_CONNECT_TIMEOUT=1)
        for one in full:
            one.close()
    assert [(item["status"], item["proxy"]) for item in told.items] == [(200, "us-ca")] * 6, told.log
    assert told.stat("proxymesh/cooldown_count/closed") == 1
    assert told.stat("proxymesh/failure_count/closed/DownloadConnectionRefusedError") == 1
    assert told.stat("proxymesh/failure_count/silent/DownloadTimeoutError") == 1


def test_while_all_cool_down_requests_wait(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    for name in ("us-ca", "us-ny", "us-il", "open"):
        sandbox.fault("status", status=509, proxy=name)
    told = ask(crawl, *[{"url": site.http}] * 8, PROXYMESH_COOLDOWN=1, CONCURRENT_REQUESTS=8)
    assert [item["status"] for item in told.items] == [200] * 8, told.log
    assert told.stat("proxymesh/failure_count") == 4
    assert told.stat("proxymesh/wait_count") >= 1


def test_without_a_usable_proxy_the_spider_closes_and_the_next_crawl_resumes(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any, tmp_path: Path
) -> None:
    for name in ("us-ca", "us-ny", "us-il", "open"):
        sandbox.fault("status", status=509, proxy=name, times=0)
    asked = [{"url": site.http}, {"url": site.https}] * 20
    settings = {"JOBDIR": tmp_path / "job", "PROXYMESH_COOLDOWN": 1, "PROXYMESH_MAX_WAIT": 1, "CONCURRENT_REQUESTS": 4}
    told = ask(crawl, *asked, **settings)
    assert (told.stat("finish_reason"), told.items) == ("proxymesh_exhausted", []), told.log
    assert "ERROR: No proxy is usable: all 4 proxies are cooling down after failures" in told.log
    sandbox.clear_faults()
    told = crawl("asked", requests="[]", settings=settings)
    assert sorted(item["number"] for item in told.items) == list(range(40)), "nothing is lost"


def test_an_account_without_proxies_closes_the_spider(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    for proxy in client.proxies.list():
        client.proxies.delete(proxy)
    told = ask(crawl, *[{"url": site.http}] * 20)
    assert (told.stat("finish_reason"), told.items) == ("proxymesh_exhausted", []), told.log
    assert "No proxy is usable: the account has no authorised proxy" in told.log


def test_a_request_for_a_country_without_a_usable_proxy_fails_alone(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    sandbox.fault("status", status=509, proxy="open", times=0)
    german = {"url": site.http, "meta": {"proxymesh_country": "DE"}}
    told = ask(crawl, german, {"url": site.http}, PROXYMESH_MAX_WAIT=5)
    assert told.items[0]["text"].startswith("the one proxy is cooling down after failures"), told.log
    assert (told.items[1]["status"], told.stat("finish_reason")) == (200, "finished")
    assert told.stat("proxymesh/cooldown_count/open") == told.stat("proxymesh/exhausted_count") == 1
    sandbox.clear_faults()
    sandbox.fault("status", status=503, path="/api/geoips/open/", times=0)
    told = ask(crawl, german, {"url": site.http})
    assert (told.items[0]["error"], told.items[1]["status"]) == ("ServerError", 200), told.log


def test_a_closing_spider_does_not_wait_for_a_proxy(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    for name in ("us-ca", "us-ny", "us-il", "open"):
        sandbox.fault("status", status=509, proxy=name, times=0)
    settings = {"CLOSESPIDER_TIMEOUT": 2, "PROXYMESH_COOLDOWN": 30, "ROBOTSTXT_OBEY": True}
    told = ask(crawl, *[{"url": site.http}] * 40, **settings)
    assert told.stat("finish_reason") == "closespider_timeout"
    assert told.stat("elapsed_time_seconds") < 10
    assert len(sandbox.proxied()) == 4


def test_requests_under_way_when_the_spider_closes_are_finished(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any, tmp_path: Path
) -> None:
    """A media pipeline requests its files when the spider is already being closed."""
    settings = {
        "ITEM_PIPELINES": '{"scrapy.pipelines.files.FilesPipeline": 1}',
        "FILES_STORE": tmp_path / "files",
        "CLOSESPIDER_PAGECOUNT": 1,
    }
    files = f"{site.http}bytes/100000 {site.https}bytes/200000"
    told = crawl("files", page=site.http, files=files, settings=settings)
    assert [file["status"] for file in told.items[0]["files"]] == ["downloaded"] * 2, told.log
    assert sorted(path.stat().st_size for path in (tmp_path / "files/full").iterdir()) == [100000, 200000]
    assert told.stat("finish_reason") == "closespider_pagecount"
    assert told.stat("proxymesh/request_count") == 3


def test_a_proxy_that_stays_silent_is_left_out(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    sandbox.fault("delay", seconds=30, proxy="us-ca", times=0)
    told = ask(crawl, *[{"url": url} for url in (site.http, site.https) * 8], DOWNLOAD_TIMEOUT=2)
    assert [item["status"] for item in told.items] == [200] * 16, "what is sent again goes through another"
    assert (told.stat("proxymesh/cooldown_count/us-ca"), told.stat("proxymesh/request_count/us-ca")) == (1, 3)
    assert "The proxy us-ca did not respond 3 times in a row; left out for 60 s" in told.log


def test_a_proxy_that_closes_its_connections_is_left_out(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    sandbox.fault("drop", proxy="us-ca", times=0)
    told = ask(crawl, *[{"url": site.http}] * 16)
    assert [item["status"] for item in told.items] == [200] * 16, told.log
    assert told.stat("proxymesh/failure_count/us-ca/DownloadFailedError") == 1


def test_a_proxys_own_response_is_not_cached_as_a_page(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any, tmp_path: Path
) -> None:
    for name in ("us-ca", "us-ny", "us-il", "open"):
        sandbox.fault("status", status=509, proxy=name, times=0)
    cache = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": tmp_path / "cache"}
    told = ask(crawl, {"url": site.http}, PROXYMESH_RETRY_TIMES=2, **cache)
    assert told.items[0]["error"] == "ProxyRefusedError", told.log
    assert told.items[0]["text"].startswith(
        "the proxy us-il.localhost returned 509: the bandwidth limit of the sub-account"
    )
    assert (told.stat("httpcache/store"), told.stat("proxymesh/retry/max_reached")) == (None, 1)
    sandbox.clear_faults()
    assert ask(crawl, {"url": site.http}, **cache).items[0]["status"] == 200


def test_a_proxy_that_others_choose_gets_no_credentials_of_the_account(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    stale = {"proxymesh_proxy": "us-ca", "_proxymesh_url": listed(client, "us-ca").url(), "proxymesh_retry_times": 9}
    with Sandbox(proxies=True) as other, other.client() as others:
        foreign = others.proxies.list()[0].url()
        told = ask(
            crawl,
            {"url": site.http, "meta": {**stale, "proxy": foreign}},
            {"url": site.https, "meta": {**stale, "proxy": None}},
        )
        assert [request.auth for request in other.proxied()] == ["none"], "a copied meta does not overrule it"
        assert told.items[1]["error"] == "CannotResolveHostError"
        middlewares = '{"crawl.late.Late": 999}'
        told = ask(
            crawl, {"url": site.http}, {"url": site.https}, DOWNLOADER_MIDDLEWARES=middlewares, LATE_PROXY=foreign
        )
        assert {request.auth for request in other.proxied()} == {"none"}
        assert {request.status for request in other.proxied()} == {407}
    assert sandbox.proxied() == []
    assert told.stat("proxymesh/failure_count") is None


def test_errors_of_the_site_are_not_failures_of_the_proxy(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    urls = [f"{base}status/{status}" for base in (site.http, site.https) for status in (402, 403, 407, 503, 509)]
    told = ask(crawl, *[{"url": url, "meta": {"handle_httpstatus_all": True}} for url in urls], RETRY_ENABLED=False)
    assert [item["status"] for item in told.items] == [402, 403, 407, 503, 509] * 2, told.log
    assert told.stat("proxymesh/failure_count") is None
    blocked = {"url": f"{site.https}status/403", "meta": {"handle_httpstatus_all": True}}
    told = ask(crawl, blocked, PROXYMESH_COOLDOWN_HTTP_CODES="403,429")
    assert told.items[0]["status"] == 403
    assert told.stat("proxymesh/cooldown_count/us-ca") == 1
    broken = [{"url": f"{site.http}broken"}, {"url": f"{site.https}broken"}, {"url": f"{site.http}slow"}]
    told = ask(crawl, *broken, DOWNLOAD_TIMEOUT=2, RETRY_TIMES=1)
    assert [item["error"] for item in told.items][2] == "DownloadTimeoutError", told.log
    assert told.stat("proxymesh/failure_count") is None
    nowhere = site.https.replace("site.test", "127.0.0.1").rsplit(":", 1)[0] + ":1/"
    told = ask(crawl, {"url": nowhere}, RETRY_TIMES=1)
    assert told.items[0]["error"] == "ProxyRefusedError"
    assert told.items[0]["text"] == "the proxy localhost returned 502: the proxy could not reach the target"
    assert (told.stat("retry/count"), told.stat("proxymesh/failure_count")) == (1, None)


def test_a_redirect_has_a_proxy_of_its_own(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    told = ask(crawl, {"url": f"{site.http}redirect", "meta": {"proxymesh_country": "US"}})
    (item,) = told.items
    assert (item["status"], item["proxy"]) == (200, "us-ny"), told.log
    assert not [name for name in item["headers"] if "proxy" in name]
    assert [(request.method, request.proxy) for request in sandbox.proxied()] == [
        ("GET", "us-ca"),
        ("CONNECT", "us-ny"),
    ]


def test_a_stopped_crawl_keeps_no_secrets_on_disk(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any, tmp_path: Path
) -> None:
    """All proxies refuse, so requests are queued again. The crawl ends while they are in the queue."""
    for name in ("us-ca", "us-ny", "us-il", "open"):
        sandbox.fault("status", status=509, proxy=name, times=0)
    job = tmp_path / "job"
    settings = {"JOBDIR": job, "PROXYMESH_COOLDOWN": 2, "PROXYMESH_RETRY_TIMES": 100, "CLOSESPIDER_TIMEOUT": 1}
    ask(crawl, *[{"url": site.http}] * 8, **settings)
    kept = b"".join(path.read_bytes() for path in job.rglob("*") if path.is_file())
    assert b"site.test" in kept, "there are requests in it"
    basic = base64.b64encode(f"{sandbox.username}:{sandbox.password}".encode())
    for secret in (sandbox.password.encode(), basic, b"uthorization"):
        assert secret not in kept
    sandbox.clear_faults()
    told = crawl("asked", requests="[]", settings={"JOBDIR": job})
    assert [item["status"] for item in told.items] == [200] * len(told.items), told.log
    assert told.items, "the next crawl goes on with them"


def test_a_response_from_the_cache_needs_no_proxy(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any, tmp_path: Path
) -> None:
    cache = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": tmp_path / "cache"}
    first = ask(crawl, {"url": site.https}, **cache)
    again = ask(crawl, {"url": site.https}, **cache)
    assert again.items[0]["headers"] == first.items[0]["headers"]
    assert (again.stat("httpcache/hit"), again.stat("proxymesh/request_count")) == (1, None)
    assert len(sandbox.proxied()) == 1


def test_wrong_credentials_end_the_crawl_and_cost_one_failure(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    told = ask(crawl, *[{"url": site.http}] * 20, PROXYMESH_PASSWORD="wrong", CONCURRENT_REQUESTS=16)
    assert told.stat("finish_reason") == "proxymesh_unavailable"
    assert "Could not fetch the account's proxies: proxies.list: authentication failed (401): " in told.log
    assert told.items == []
    assert [call.status for call in sandbox.requests()].count(401) == 1
    assert sandbox.proxied() == []


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"PROXYMESH_COUNTRY": "Germany"}, "country: must be a two-letter code"),
        ({"PROXYMESH_COOLDOWN": 0}, "cooldown: must be a number of seconds greater than 0"),
        ({"TWISTED_REACTOR_ENABLED": False}, "needs a Twisted reactor: do not change TWISTED_REACTOR_ENABLED"),
        ({"PROXYMESH_TOKEN": "pm_1", "PROXYMESH_USERNAME": "me"}, "token"),
        ({"TWISTED_REACTOR": "twisted.internet.selectreactor.SelectReactor"}, "needs Scrapy's asyncio reactor"),
        (
            {"DOWNLOAD_HANDLERS": '{"https": "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"}'},
            "cannot choose a browser's proxy, as in scrapy-playwright: set PROXYMESH_ENABLED = False and "
            'PLAYWRIGHT_LAUNCH_OPTIONS = {"proxy": proxy.playwright()} instead',
        ),
    ],
)
def test_invalid_settings_end_the_crawl_before_it_begins(
    sandbox: Sandbox, site: Site, crawl: Any, settings: dict[str, object], reason: str
) -> None:
    told = ask(crawl, {"url": site.http}, **settings)
    assert reason in told.log
    assert (told.items, sandbox.requests(), sandbox.proxied()) == ([], [], [])


def test_it_can_be_switched_off(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    told = ask(crawl, {"url": site.http}, PROXYMESH_ENABLED=False)
    assert told.items[0]["error"] == "CannotResolveHostError", "the request goes to the site directly"
    assert sandbox.proxied() == []


def by_playwright(crawl: Any, *requests: dict[str, Any], **settings: object) -> Crawl:
    """Makes requests with scrapy-playwright, as the guide says, without the add-on."""
    handlers = dict.fromkeys(SCHEMES, "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler")
    launch = {
        "executable_path": browsers.chromium(),
        "args": browsers.FLAGS,
        **cast("dict[str, Any]", settings.pop("launch", {})),
    }
    ours = {"PROXYMESH_ENABLED": False, "DOWNLOAD_HANDLERS": json.dumps(handlers)}
    return ask(crawl, *requests, **{**ours, "PLAYWRIGHT_LAUNCH_OPTIONS": json.dumps(launch), **settings})


def fetched_by_a_browser(sandbox: Sandbox) -> list[ProxiedRequest]:
    """The requests for the site's pages that were let through. A browser makes others, too."""
    return [request for request in sandbox.proxied() if "site.test" in request.target and request.status == 200]


@pytest.mark.parametrize("auth", ["basic", "none"])
def test_scrapy_playwright_with_a_proxy_for_the_whole_browser(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any, auth: str
) -> None:
    proxy = listed(client, "us-ca")
    if auth == "basic":
        proxy = proxy.using(client=client)
    else:
        client.ips.add("127.0.0.1")
    pages = [{"url": url, "meta": {"playwright": True}} for url in (site.http, site.https)]
    others: list[dict[str, Any]] = [{"url": site.https, "meta": proxy.scrapy_meta()}, {"url": site.https}]
    told = by_playwright(crawl, *pages, *others, launch={"proxy": proxy.playwright()}, RETRY_ENABLED=False)
    assert [item.get("status") for item in told.items] == [200, 200, 200, None], told.log
    assert told.items[3]["error"] == "CannotResolveHostError", "what is not for the browser goes to the site directly"
    for item in told.items[:3]:
        assert not [name for name in item["headers"] if "proxy" in name]
    seen = fetched_by_a_browser(sandbox)
    assert [request.method for request in seen] == ["GET", "CONNECT", "CONNECT"]
    assert {(request.auth, request.account) for request in seen} == {(auth, sandbox.username)}
    exits = [seen[0].exit_ip, "203.0.113.99"]  # through a tunnel, only the site's own claim can be seen
    assert [item["exit_ip"] for item in told.items[:2]] == exits


def test_scrapy_playwright_with_a_proxy_for_each_context(
    sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any
) -> None:
    client.sub_accounts.create("crawler-1", password="password-1")
    proxies = [
        listed(client, "us-ca").using(client=client),
        listed(client, "us-ny").using("crawler-1", "password-1"),
    ]
    asked: list[dict[str, Any]] = [
        {
            "url": url,
            "meta": {
                "playwright": True,
                "playwright_context": proxy.name,
                "playwright_context_kwargs": {"proxy": proxy.playwright()},
            },
        }
        for proxy in proxies
        for url in (site.http, site.https)
    ]
    told = by_playwright(crawl, *asked)
    assert [item.get("status") for item in told.items] == [200] * 4, told.log
    assert [(request.method, request.proxy, request.account) for request in fetched_by_a_browser(sandbox)] == [
        (method, proxy, account)
        for proxy, account in (("us-ca", sandbox.username), ("us-ny", "crawler-1"))
        for method in ("GET", "CONNECT")
    ]


def test_an_old_scrapy_is_an_import_error() -> None:
    program = "import scrapy; scrapy.version_info, scrapy.__version__ = (2, 15, 2), '2.15.2'; import proxymesh.scrapy"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr.endswith("ImportError: proxymesh.scrapy needs Scrapy 2.16 or later, but 2.15.2 is installed\n")


def test_the_meta_keys_of_older_plugins(sandbox: Sandbox, client: proxymesh.Client, site: Site, crawl: Any) -> None:
    german = {"X-ProxyMesh-Country": "DE"}
    somebodys = {**listed(client, "open").using(client=client).scrapy_meta(), "proxy_headers": german}
    metas = [{"proxy_headers": german}, somebodys]
    asked = [{"url": url, "meta": meta} for meta in metas for url in (site.http, site.https)]
    told = ask(crawl, *asked)
    assert [item.get("status") for item in told.items] == [200] * 4, told.log
    assert [request.country for request in sandbox.proxied() if request.status == 200] == ["DE"] * 4
    sandbox.clear_proxied()
    ask(crawl, {"url": site.http, "meta": {"bypass_proxy": True}}, RETRY_ENABLED=False)
    assert sandbox.proxied() == [], "it went to the site itself"
