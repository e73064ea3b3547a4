"""Runs every block of docs/scraping.md. The Python blocks run in one program, from the first to the last.

https://example.com/ is replaced by a page on this machine. Playwright and Selenium are told where Chromium is.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import browsers
import proxymesh
import pytest
from proxymesh.sandbox import Sandbox
from proxymesh.scrapy import ProxyMeshMiddleware
from support import Site, blocks_of_the_guide, library_of

GUIDE = Path(__file__).parents[2] / "docs/scraping.md"
BLOCKS = blocks_of_the_guide()
FILES = {
    name: block
    for kind, block in BLOCKS
    if kind == "python" and (name := re.match(r"# (\S+\.py)\n", block) and block[2 : block.index("\n")])
}
# test_niquests.py and test_requests_html.py run the blocks of libraries with an environment of their own.
ELSEWHERE = [block for _, block in BLOCKS if library_of(block)]
PROGRAM = [block for kind, block in BLOCKS if kind == "python" and block not in [*FILES.values(), *ELSEWHERE]]
COMMANDS = [block for kind, block in BLOCKS if kind == "sh"]

READER = """
import functools, json, os, sys
import certifi
certifi.where = lambda: os.environ["SSL_CERT_FILE"]  # the site's certificate comes from a CA made for the tests

from playwright.sync_api import BrowserType
from selenium import webdriver
chromium = json.loads(os.environ["CHROMIUM"])
BrowserType.launch = functools.partialmethod(BrowserType.launch, **chromium)

class Options(webdriver.ChromeOptions):
    def __init__(self):
        super().__init__()
        self.binary_location = chromium["executable_path"]
        for flag in ["--headless=new", *chromium["args"]]:
            self.add_argument(flag)

webdriver.ChromeOptions = Options

namespace = {"__name__": "guide"}
for number, block in enumerate(json.load(sys.stdin), start=1):
    exec(compile(block, f"docs/scraping.md, program block {number}", "exec"), namespace)
"""


@pytest.fixture
def reader(sandbox: Sandbox, site: Site, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who runs the guide's programs."""
    return {
        **os.environ,
        "PROXYMESH_BASE_URL": sandbox.base_url,
        "PROXYMESH_USERNAME": sandbox.username,
        "PROXYMESH_PASSWORD": sandbox.password,
        **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), site.ca),
        "SE_CHROMEDRIVER": browsers.chromedriver(),
        "CHROMIUM": json.dumps({"executable_path": browsers.chromium(), "args": browsers.FLAGS}),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }


def test_all_blocks_are_run() -> None:
    assert len(PROGRAM) + len(FILES) + len(COMMANDS) + len(ELSEWHERE) == len(BLOCKS)
    assert (len(FILES), len(COMMANDS)) == (2, 1)
    assert [library_of(block) for block in ELSEWHERE] == ["niquests", "requests_html"]
    assert len(PROGRAM) >= 18


def test_the_program(sandbox: Sandbox, site: Site, reader: dict[str, str]) -> None:
    program = json.dumps([block.replace("https://example.com/", site.https) for block in PROGRAM])
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", READER],
        env=reader,
        input=program,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert sandbox.password not in run.stdout + run.stderr
    assert "us-ca.localhost:" in run.stdout
    assert "the proxy accepted the connection" in run.stdout
    let_through = [request for request in sandbox.proxied() if "site.test" in request.target and request.status == 200]
    assert len(let_through) >= 22, "each block went through a proxy"
    assert {request.auth for request in let_through} == {"basic", "none"}
    with sandbox.client() as client:
        assert client.ips.list() == [], "what was authorised for a while no longer is"
        assert client.sub_accounts.get("crawler-1").monthly_bandwidth > 0


def test_the_scrapy_project(sandbox: Sandbox, site: Site, reader: dict[str, str], tmp_path: Path) -> None:
    with sandbox.client() as client:
        client.proxies.add("open")
    project = tmp_path / "project"
    (project / "guide/spiders").mkdir(parents=True)
    (project / "scrapy.cfg").write_text("[settings]\ndefault = guide.settings\n")
    for name, block in FILES.items():
        (project / "guide" / name).write_text(block.replace("https://example.com/", site.https))
    with (project / "guide/settings.py").open("a") as settings:
        settings.write('\nSPIDER_MODULES = ["guide.spiders"]\n')  # `scrapy startproject` writes this line
    path = os.pathsep.join((str(Path(sys.executable).parent), reader["PATH"]))
    run = subprocess.run(
        ["bash", "-euc", COMMANDS[0]],
        cwd=project,
        env={**reader, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    (item,) = [json.loads(line) for line in (project / "pages.jsonl").read_text().splitlines()]
    (request,) = sandbox.proxied()
    assert item == {"url": site.https, "proxy": "open", "exit_ip": request.exit_ip}
    assert request.country == "DE"


def test_the_guide_lists_the_settings_of_the_code() -> None:
    """The code, the middleware's docstring and the guide name the same settings, with the same defaults."""
    code = Path(proxymesh.__file__).with_name("scrapy.py").read_text(encoding="utf-8")
    table = GUIDE.read_text(encoding="utf-8").partition("| setting |")[2].partition("| meta key |")[0]
    described = ProxyMeshMiddleware.__doc__ or ""
    names = set(re.findall(r'"(PROXYMESH_\w+)"', code))
    assert set(re.findall(r"PROXYMESH_\w+", described)) == set(re.findall(r"PROXYMESH_\w+", table)) == names
    defaults = dict(re.findall(r'"(PROXYMESH_\w+)", ([^)]+)\)', code))
    assert len(defaults) >= 8, "the pattern finds them"
    for found in (
        re.findall(r"``(\w+)`` \(``(.+?)``\)", described),
        re.findall(r"^\| `(\w+)` \| `(.+?)`", table, re.M),
    ):
        told = dict(found)
        assert {name: told[name] for name in defaults} == defaults
