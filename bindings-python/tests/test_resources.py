"""The system resources that a client uses, and what calls do when there are none left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import StartServer
from .support.server import Answer, Request, Server, answer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts and limits as Linux does")
LIMITED = Path(__file__).parent / "support" / "limited.py"
TOKEN = {"id": 1, "label": "x", "is_active": True, "created_at": "2026-01-15T12:00:00", "token": "pm_x"}


def script(request: Request) -> Answer:
    if request.path == "/api/ip_labels/":
        return answer([])
    if request.path == "/api/ip/add/":
        return answer({"ip": "127.0.0.1"})
    return answer(TOKEN if request.path == "/api/token/create/" else {})


@pytest.fixture
def base_url(start_server: StartServer) -> str:
    server: Server = start_server(script)
    # A name instead of an address, so that it must be resolved.
    return server.base_url.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize("kind", ["authorized", "aauthorized"])
def test_without_descriptors_authorized_raises_an_error_of_ours(
    kind: str, base_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    results = program(LIMITED, base_url, kind, "descriptors", *range(3, 41)).splitlines()
    assert len(results) == 38
    assert results[-1] == "fine"
    for result in results:
        # The modules that this needs are imported only now.
        module = "could not import the module " in result and result.startswith("ConfigError: ")
        lack = "[Errno 24] " in result or "EMFILE" in result
        assert result == "fine" or module or (result.startswith("ConnectionError: ") and lack), result


def program(*arguments: object) -> str:
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.mark.parametrize("kind", ["sync", "new", "async", "gather", "write", "check", "acheck"])
def test_without_descriptors_a_call_raises_an_error_of_ours_and_works_later(kind: str, base_url: str) -> None:
    results = program(LIMITED, base_url, kind, "descriptors", *range(3, 41)).splitlines()
    assert len(results) == 38
    assert results[-1] == "fine"
    for result in results:
        # The module that the result needs is imported before anything is sent.
        module = kind == "write" and result.startswith("ConfigError: could not import the module datetime: [Errno 24] ")
        assert result == "fine" or module or (result.startswith("ConnectionError: ") and "(EMFILE)" in result), result
    if kind not in {"check", "acheck", "write"}:
        assert results[0].endswith(": connection failed: the process has no file descriptors left (EMFILE)")


@pytest.mark.parametrize("kind", ["sync", "new", "async", "gather", "write", "check", "acheck"])
@pytest.mark.parametrize(("what", "limit"), [("threads", 1), ("memory", 1 << 20)])
def test_without_threads_or_memory_a_call_raises_an_error_of_ours_and_works_later(
    kind: str, what: str, limit: int, base_url: str
) -> None:
    result = program(LIMITED, base_url, kind, what, limit)
    if kind == "check":
        # A check returns its failure as a value.
        assert result == "fine"
        return
    assert result.startswith("ConnectionError: "), result
    assert "could not start a thread" in result


def test_a_thousand_unused_clients_hold_no_descriptor_and_no_thread() -> None:
    counted = program(
        "-c",
        """if True:
        import os, proxymesh
        count = lambda: (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")))
        before = count()
        clients = [kind("me", "pw") for kind in (proxymesh.Client, proxymesh.AsyncClient) for _ in range(500)]
        optional = [client.with_options(timeout=5) for client in clients]
        print(before == count())
        """,
    )
    assert counted == "True"


def test_a_used_client_holds_few_descriptors(base_url: str) -> None:
    held = program(
        "-c",
        f"""if True:
        import asyncio, os, proxymesh
        count = lambda: len(os.listdir("/proc/self/fd"))
        before = count()
        clients = [proxymesh.Client("me", "pw", base_url={base_url!r}) for _ in range(20)]
        for client in clients:
            client.geo.open()
        blocking = count() - before
        async def main():
            before = count()
            clients = [proxymesh.AsyncClient("me", "pw", base_url={base_url!r}) for _ in range(20)]
            for client in clients:
                await client.geo.open()
            return count() - before
        print(blocking / 20, asyncio.run(main()))
        """,
    )
    # A blocking client has an event loop and a connection. Async clients share an event loop and its counter, and each
    # has a connection.
    assert float(held.split()[0]) <= 4
    assert int(held.split()[1]) <= 4 + 20
