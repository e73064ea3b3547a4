"""`client.ips.authorized()`: an IP that it added is removed, whatever happens. An IP that was there before stays."""

from __future__ import annotations

import asyncio
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import proxymesh
import pytest
from proxymesh import Client, _authorized
from proxymesh.sandbox import Sandbox

IP = "203.0.113.7"

HOLDER = """
import sys, time, proxymesh
with proxymesh.Client() as client:
    try:
        with client.ips.authorized("203.0.113.7"):
            print("inside", flush=True)
            time.sleep(60) if len(sys.argv) < 2 else sys.stdin.readline()
    finally:
        print("left", client.ips.list(), flush=True)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are not coordinated there")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "proxymesh/ips"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        monkeypatch.setenv("PROXYMESH_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("PROXYMESH_USERNAME", sandbox.username)
        monkeypatch.setenv("PROXYMESH_PASSWORD", sandbox.password)
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with sandbox.client(max_retries=0) as client:
        yield client


def holder(*arguments: str) -> subprocess.Popen[str]:
    """Starts a process that is inside a block for the IP."""
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", HOLDER, *arguments], **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == "inside\n"
    return process


def test_an_ip_that_was_added_is_removed(client: Client, folder: Path) -> None:
    with client.ips.authorized(IP, label="crawl") as ip:
        assert ip == IP
        assert [(known.ip, known.label) for known in client.ips.labels()] == [(IP, "crawl")]
    assert client.ips.list() == []
    assert [path.name for path in folder.iterdir()] == ["guard"]


def test_an_ip_that_was_already_authorised_stays(client: Client) -> None:
    client.ips.add(IP, label="office")
    with client.ips.authorized(IP):
        pass
    assert [(known.ip, known.label) for known in client.ips.labels()] == [(IP, "office")]


def test_an_exception_removes_it_too(client: Client) -> None:
    with pytest.raises(KeyError), client.ips.authorized(IP):
        raise KeyError
    assert client.ips.list() == []


def test_it_works_for_a_sub_account(client: Client) -> None:
    client.sub_accounts.create("crawler-1")
    with client.ips.authorized(IP, username="crawler-1"):
        assert (client.ips.list(), client.ips.list(username="crawler-1")) == ([], [IP])
    assert client.ips.list(username="crawler-1") == []


def test_nested_contexts_share_it(client: Client) -> None:
    with client.ips.authorized(IP):
        with client.ips.authorized(IP):
            pass
        assert client.ips.list() == [IP]
    assert client.ips.list() == []


def test_a_context_is_entered_once_at_a_time(client: Client) -> None:
    context = client.ips.authorized(IP)
    with context, pytest.raises(RuntimeError, match="already been entered"):
        context.__enter__()
    assert client.ips.list() == []
    with context:
        assert client.ips.list() == [IP]


def test_it_may_be_gone_at_the_end(client: Client) -> None:
    with client.ips.authorized(IP):
        client.ips.delete(IP)
    assert client.ips.list() == []


def test_the_address_that_the_service_sees(client: Client, sandbox: Sandbox) -> None:
    with client.ips.authorized() as ip:
        assert ip == "127.0.0.1"
        assert client.ips.list() == [ip]


def test_behind_a_router_a_page_returns_the_address(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    class Connection:
        """A connection from a private network."""

        def __enter__(self) -> object:
            return self

        def __exit__(self, *_: object) -> None: ...

        def getsockname(self) -> tuple[str, int]:
            return ("192.168.1.5", 50000)

        def getpeername(self) -> tuple[str, int]:
            return ("198.51.100.1", 443)

    class Page(http.server.BaseHTTPRequestHandler):
        text = b""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.text)

        def log_message(self, *_: object) -> None: ...

    monkeypatch.setattr(_authorized, "_connected", lambda *_: Connection())
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # must not be used: its address would be a different one
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lookup = f"http://127.0.0.1:{server.server_address[1]}/"
    Page.text = b"198.51.100.77\n"
    assert _authorized.seen("https://proxymesh.com", lookup) == "198.51.100.77"
    for Page.text in (b"<html>", b"", b"\xff"):
        with pytest.raises(
            proxymesh.ConnectionError, match=r"^ips\.authorized: could not determine .*; pass it as ip=$"
        ):
            _authorized.seen("https://proxymesh.com", lookup)
    server.shutdown()
    server.server_close()
    with pytest.raises(proxymesh.ConnectionError, match="pass it as ip="):
        _authorized.seen("https://proxymesh.com", lookup)
    assert _authorized.seen("https://proxymesh.com", f"{sandbox.base_url}/_sandbox/ip") == "127.0.0.1"


@pytest.mark.parametrize("ip", ["nowhere", "", "1.2.3", "fe80::1%eth0"])
def test_an_invalid_ip_is_rejected_at_once(client: Client, sandbox: Sandbox, ip: str) -> None:
    with pytest.raises(proxymesh.ValidationError):
        client.ips.authorized(ip)
    assert sandbox.requests() == []


def test_an_ip_that_cannot_be_added_is_an_error(client: Client, sandbox: Sandbox, folder: Path) -> None:
    sandbox.fault("status", status=400, path="/api/ip/add/")
    with pytest.raises(proxymesh.BadRequestError), client.ips.authorized(IP):
        pytest.fail("it is not authorised")
    sandbox.fault("status", status=503, path="/api/ip_labels/")
    with pytest.raises(proxymesh.ServerError), client.ips.authorized(IP):
        pytest.fail("nobody knows")
    assert [path.name for path in folder.iterdir()] == ["guard"]


def test_an_ip_that_cannot_be_removed_is_left_to_the_next_block(
    client: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(proxymesh.ServerError), client.ips.authorized(IP):
        sandbox.fault("status", status=503, path="/api/ip/delete/")
    assert client.ips.list() == [IP]
    sandbox.fault("status", status=503, path="/api/ip/delete/")
    with pytest.raises(KeyError), client.ips.authorized(IP):
        raise KeyError  # takes precedence
    assert "stays authorised until the next" in caplog.text
    with client.ips.authorized(IP):
        pass
    assert client.ips.list() == []


def test_ctrl_c_removes_it(client: Client) -> None:
    process = holder()
    assert client.ips.list() == [IP]
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=20)
    assert (out, error.splitlines()[-1]) == ("left []\n", "KeyboardInterrupt")
    assert client.ips.list() == []


def test_the_next_block_takes_over_what_a_killed_process_left(client: Client) -> None:
    process = holder()
    process.kill()
    process.communicate()
    assert client.ips.list() == [IP], "nothing was left to remove it"
    with client.ips.authorized(IP):
        assert client.ips.list() == [IP]
    assert client.ips.list() == []


def test_the_last_of_two_processes_removes_it(client: Client) -> None:
    first, second = holder("wait"), holder("wait")
    assert first.communicate("\n", timeout=20)[0] == f"left ['{IP}']\n"
    assert client.ips.list() == [IP]
    assert second.communicate("\n", timeout=20)[0] == "left []\n"
    first, second = holder("wait"), holder("wait")
    first.kill()  # this one added it
    first.communicate()
    assert second.communicate("\n", timeout=20)[0] == "left []\n"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # about forking with threads
def test_leaving_the_block_in_a_forked_process_does_not_remove_it(client: Client) -> None:
    context = client.ips.authorized(IP)
    with context:
        child = os.fork()
        if child == 0:
            context.__exit__(None, None, None)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert client.ips.list() == [IP]
        with client.ips.authorized(IP):
            pass
        assert client.ips.list() == [IP], "the lock is still there, too"
    assert client.ips.list() == []


def test_many_at_once(client: Client, sandbox: Sandbox) -> None:
    """Many threads enter and leave blocks. The IP is authorised as long as one is inside, and removed at the end."""

    def worker() -> None:
        for _ in range(5):
            with client.ips.authorized(IP):
                assert client.ips.list() == [IP]

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.ips.list() == []
    assert {call.status for call in sandbox.requests()} <= {200, 204}


def test_asyncio(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.async_client() as client:

            async def worker() -> None:
                async with client.ips.authorized() as ip:
                    assert await client.ips.list() == [ip]

            await asyncio.gather(*(worker() for _ in range(10)))
            assert await client.ips.list() == []
            with pytest.raises(KeyError):
                async with client.ips.authorized(IP):
                    raise KeyError
            held = asyncio.create_task(hold(client))
            while await client.ips.list() != [IP]:
                await asyncio.sleep(0.01)
            held.cancel()
            with pytest.raises(asyncio.CancelledError):
                await held
            assert await client.ips.list() == []

    async def hold(client: proxymesh.AsyncClient) -> None:
        async with client.ips.authorized(IP):
            await asyncio.sleep(60)

    asyncio.run(main())


def test_a_loop_is_not_blocked_by_another_process(client: Client, sandbox: Sandbox, folder: Path) -> None:
    async def main() -> None:
        async with sandbox.async_client() as awaited:
            with client.ips.authorized(IP):
                pass
            guard = _authorized._Guard(folder / "x")  # held as if another process entered or left a block
            guard.lock(wait=True)
            task = asyncio.create_task(enter(awaited))
            began = time.monotonic()
            await asyncio.sleep(0.2)
            assert time.monotonic() - began < 5, "the event loop goes on"
            assert not task.done()
            guard.file.close()
            await task

    async def enter(awaited: proxymesh.AsyncClient) -> None:
        async with awaited.ips.authorized(IP):
            pass

    asyncio.run(main())


def test_without_a_state_folder_it_uses_the_temporary_folder(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(nowhere))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with client.ips.authorized(IP):
        assert (tmp_path / f"proxymesh-{os.getuid()}").stat().st_mode & 0o777 == 0o700
    assert client.ips.list() == []


def test_blocks_with_other_credentials_share_it(client: Client, sandbox: Sandbox) -> None:
    """A token and a password, or the parent and the sub-account itself, in either order."""
    token = Client(token=client.tokens.create().token, base_url=sandbox.base_url)
    client.sub_accounts.create("crawler-1", password="its-password")
    sub_account = Client("crawler-1", "its-password", base_url=sandbox.base_url)

    def pairs() -> Iterator[tuple[Any, Any, Any]]:
        for label in (None, "crawl"):
            yield token.ips.authorized(IP, label=label), client.ips.authorized(IP), client.ips
            yield client.ips.authorized(IP), token.ips.authorized(IP, label=label), client.ips
            parents = client.ips.authorized(IP, username="crawler-1", label=label)
            yield parents, sub_account.ips.authorized(IP), sub_account.ips
            yield sub_account.ips.authorized(IP), parents, sub_account.ips

    for first, second, ips in pairs():
        with first:
            second.__enter__()
        assert ips.list() == [IP], "the other block is still running"
        second.__exit__(None, None, None)
        assert ips.list() == []
        with first, second:
            pass
        assert ips.list() == []


def test_an_ip_that_the_user_has_added_since_is_left_alone(client: Client) -> None:
    process = holder()
    process.kill()
    process.communicate()
    client.ips.delete(IP)
    client.ips.add(IP, label="office")
    with client.ips.authorized(IP):
        pass
    assert client.ips.list() == [IP]


@pytest.mark.parametrize("kind", ["file", "symlink", "writable for all", "no space"])
def test_without_a_writable_folder_the_error_says_what_is_needed(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(nowhere))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path if kind != "file" else nowhere))
    folder = tmp_path / f"proxymesh-{os.getuid()}"
    if kind == "symlink":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    if kind == "writable for all":
        folder.mkdir()
        folder.chmod(0o777)
    if kind == "no space":

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(_authorized, "_write", full)
    with pytest.raises(proxymesh.ConfigError, match=r"^ips\.authorized needs a folder .* or use ips\.add"):
        client.ips.authorized(IP).__enter__()
    assert client.ips.list() == []


@pytest.mark.skipif(sys.platform == "darwin", reason="the state folder is a different one there")
def test_a_relative_state_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Otherwise two processes in different folders would not find each other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert _authorized._folder() == tmp_path / "home/.local/state/proxymesh/ips"
    assert not (tmp_path / "relative").exists()
