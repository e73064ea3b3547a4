"""Runs a real Chromium: another site's page that tries to control the sandbox, and a name that was rebound to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import browsers
import pytest
from playwright.sync_api import Browser, sync_playwright
from proxymesh.sandbox import Sandbox

# The images and the form send requests to another site. The script records what it was allowed to read.
PAGE = """<!DOCTYPE html><body>
<img src="BASE/api/ips/"><img src="BASE/api/ips/"><img src="BASE/api/ips/"><img src="BASE/api/ips/">
<iframe name="frame"></iframe>
<form method="post" action="AUTHORIZED/api/sub/delete/" target="frame"><input name="username" value="crawler-1"></form>
<script>
    document.forms[0].submit();
    const post = (url) => fetch(url, { method: "POST", mode: "no-cors", body: "{}" });
    const posts = ["BASE/_sandbox/reset", "BASE/_sandbox/clock", "PROXY/"].map(post);
    const read = fetch("BASE/_sandbox/requests").then((answer) => answer.text());
    window.tried = Promise.allSettled([...posts, read]).then((all) => all.map((one) => one.status));
</script>"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    rebound = "--host-resolver-rules=MAP rebound.example 127.0.0.1"
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=browsers.chromium(), args=[*browsers.FLAGS, rebound])
        yield browser
        browser.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_page_of_another_site_changes_nothing_and_reads_nothing(chromium: Browser, host: str) -> None:
    with Sandbox(proxies=True) as sandbox, sandbox.client() as client:
        client.sub_accounts.create("crawler-1")
        client.ips.add("127.0.0.1")
        sandbox.fault("status", status=509, proxy="us-ca")
        proxy = f"http://127.0.0.1:{client.proxies.list()[0].port}"
        before = sandbox.requests()
        base = sandbox.base_url
        authorized = base.replace("//", f"//{sandbox.username}:{sandbox.password}@")

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = PAGE.replace("BASE", base).replace("AUTHORIZED", authorized).replace("PROXY", proxy)
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Page) as site, chromium.new_context() as context:
            threading.Thread(target=site.serve_forever, daemon=True).start()
            page = context.new_page()
            page.goto(f"http://{host}:{site.server_address[1]}/", wait_until="networkidle")
            # The page cannot see the responses to its POSTs. Its GET is refused, because it could read the response.
            assert page.evaluate("window.tried") == ["fulfilled", "fulfilled", "fulfilled", "rejected"]
            site.shutdown()
        assert sandbox.requests() == before
        assert sandbox.proxied() == []
        assert client.sub_accounts.get("crawler-1").active, "neither deleted, nor reset, nor is this machine banned"


def test_a_name_that_was_rebound_to_this_machine_is_refused(chromium: Browser) -> None:
    with Sandbox() as sandbox, chromium.new_context() as context:
        page = context.new_page()
        for host, status in [("rebound.example", 421), ("127.0.0.1", 200), ("localhost", 200)]:
            answer = page.goto(f"{sandbox.base_url}/_sandbox/account".replace("127.0.0.1", host))
            assert answer is not None
            assert answer.status == status, host
