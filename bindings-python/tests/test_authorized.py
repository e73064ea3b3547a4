"""`client.ips.authorized()` and `follow()`: an IP that they added is removed, whatever happens, and any other stays.

core/tests/lease.rs tests the same in Rust, and also this machine's address and what happens when it changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import proxymesh
import pytest
from proxymesh import Client
from proxymesh.sandbox import Sandbox

if sys.platform != "win32":
    import fcntl
    import resource

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

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the tests use signals and forks")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if sys.platform == "darwin":
        monkeypatch.setenv("HOME", str(tmp_path))
        return tmp_path / "Library/Application Support/proxymesh/ips"
    return tmp_path / "proxymesh/ips"


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """As if another process were entering or leaving a block."""
    with (folder / "guard").open("ab") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


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


def test_without_an_address_the_error_says_what_to_do(sandbox: Sandbox) -> None:
    client = Client(sandbox.username, sandbox.password, base_url="http://127.0.0.1:1")
    for method in (client.ips.authorized, client.ips.follow):
        with pytest.raises(proxymesh.ConnectionError, match=r"could not determine this machine's address \(") as error:
            method().__enter__()
        assert str(error.value).startswith(f"ips.{method.__name__}: connection failed: ")
        assert str(error.value).endswith("; pass it as ip=") == (method.__name__ == "authorized")


@pytest.mark.parametrize("ip", ["nowhere", "", "1.2.3", "fe80::1%eth0"])
def test_an_invalid_ip_is_rejected_at_once(client: Client, sandbox: Sandbox, ip: str) -> None:
    with pytest.raises(proxymesh.ValidationError):
        client.ips.authorized(ip)
    assert sandbox.requests() == []


def test_other_invalid_arguments_are_rejected_at_once(client: Client, sandbox: Sandbox) -> None:
    ips = client.ips
    calls: list[tuple[str, Callable[[], object]]] = [
        ("label", lambda: ips.authorized(label="x" * 256)),
        ("username", lambda: ips.authorized(username="a b")),
        ("lookup", lambda: ips.authorized(lookup="nowhere")),
        ("lookup", lambda: ips.follow(lookup="https://me:secret@page.example")),
        ("label", lambda: ips.follow(label="\n")),
        *[
            ("interval", lambda bad=bad: ips.follow(interval=bad))
            for bad in (0, -1, 0.5, 86401, float("nan"), "x", True)
        ],
    ]
    for field, call in calls:
        with pytest.raises(proxymesh.ValidationError) as error:
            call()
        assert error.value.field == field
        assert "secret" not in str(error.value)
    assert sandbox.requests() == []


def test_an_ip_may_be_an_address_object(client: Client) -> None:
    with client.ips.authorized(ipaddress.ip_address(IP)) as ip:
        assert ip == IP


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
    assert "it stays until an IP is next authorised on this machine" in caplog.text
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
            with guarded(folder):
                task = asyncio.create_task(enter(awaited))
                began = time.monotonic()
                await asyncio.sleep(0.2)
                assert time.monotonic() - began < 5, "the event loop goes on"
                assert not task.done()
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
    monkeypatch.setenv("HOME", str(nowhere))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
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
    if kind == "no space":
        with client.ips.authorized(IP):
            pass
    else:
        monkeypatch.setenv("XDG_STATE_HOME", str(nowhere))
        monkeypatch.setenv("HOME", str(nowhere))
    monkeypatch.setenv("TMPDIR", str(tmp_path if kind != "file" else nowhere))
    folder = tmp_path / f"proxymesh-{os.getuid()}"
    if kind == "symlink":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    if kind == "writable for all":
        folder.mkdir()
        folder.chmod(0o777)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if kind == "no space":
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(proxymesh.ConfigError, match=r"^ips\.authorized needs a folder .* or use ips\.add"):
            client.ips.authorized(IP).__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert client.ips.list() == []


@pytest.mark.skipif(sys.platform == "darwin", reason="the state folder is a different one there")
def test_a_relative_state_folder_is_ignored(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Otherwise two processes in different folders would not find each other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with client.ips.authorized(IP):
        assert (tmp_path / "home/.local/state/proxymesh/ips/guard").exists()
    assert not (tmp_path / "relative").exists()


def test_the_block_ends_even_if_the_client_is_closed(client: Client, sandbox: Sandbox) -> None:
    other = sandbox.client()
    with other.ips.authorized(IP):
        other.close()
        assert client.ips.list() == [IP]
    assert client.ips.list() == []


@contextlib.contextmanager
def signalled(act: Callable[[], None], when: Callable[[], bool]) -> Iterator[None]:
    """Runs `act` in a signal handler of the main thread, once `when` holds."""

    def send() -> None:
        while not when():
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: act())
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("path", ["/api/ip_labels/", "/api/ip/add/"])
def test_ctrl_c_while_entering_gives_it_back(client: Client, sandbox: Sandbox, path: str) -> None:
    client.ips.list()
    sandbox.fault("delay", seconds=1, path=path)
    before = len(sandbox.requests())

    def when() -> bool:
        return any(request.path == path for request in sandbox.requests()[before:])

    with signalled(interrupt, when), pytest.raises(KeyboardInterrupt), client.ips.authorized(IP):
        pytest.fail("it was interrupted")
    with client.ips.authorized(IP):
        pass
    assert client.ips.list() == []


def test_ctrl_c_ends_the_wait_for_another_process(client: Client, folder: Path) -> None:
    with client.ips.authorized(IP):
        pass
    began = time.monotonic()
    with (
        guarded(folder),
        signalled(interrupt, lambda: time.monotonic() > began + 0.2),
        pytest.raises(KeyboardInterrupt),
    ):
        client.ips.authorized(IP).__enter__()
    assert time.monotonic() < began + 10
    assert client.ips.list() == []


def test_a_signal_handler_does_not_wait_for_the_block_that_it_interrupts(client: Client, sandbox: Sandbox) -> None:
    client.ips.list()
    sandbox.fault("delay", seconds=1, path="/api/ip/add/")
    raised: list[BaseException] = []

    def handler() -> None:
        try:
            client.ips.authorized("203.0.113.8").__enter__()
        except proxymesh.ProxyMeshError as error:
            raised.append(error)

    with signalled(handler, lambda: any(request.path == "/api/ip/add/" for request in sandbox.requests())):
        with client.ips.authorized(IP):
            assert client.ips.list() == [IP]
        time.sleep(0.1)
    assert [type(error) for error in raised] == [proxymesh.ConfigError]
    assert "signal handler" in str(raised[0])
    assert client.ips.list() == []


def test_cancelling_a_task_while_it_enters_gives_it_back(sandbox: Sandbox) -> None:
    async def enter(client: proxymesh.AsyncClient) -> None:
        async with client.ips.authorized(IP):
            pytest.fail("it was cancelled")

    async def main() -> None:
        async with sandbox.async_client() as client:
            await client.ips.list()
            for path in ("/api/ip_labels/", "/api/ip/add/"):
                sandbox.fault("delay_after_apply", seconds=5, path=path)
                before = len(sandbox.requests())
                task = asyncio.create_task(enter(client))
                while not any(request.path == path for request in sandbox.requests()[before:]):
                    await asyncio.sleep(0.005)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                while await client.ips.list() != []:  # it is given back in the background
                    await asyncio.sleep(0.005)
            # The outcome has arrived, but the task is cancelled before it sees it.
            coroutine = client.ips.authorized(IP).__aenter__()
            future = coroutine.send(None)
            while await client.ips.list() != [IP]:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.1)
            coroutine.close()
            del coroutine, future
            while await client.ips.list() != []:
                await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(main(), 30))


def test_an_async_context_is_entered_once_at_a_time(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.async_client() as client:
            for context in (client.ips.authorized(IP), client.ips.follow()):
                async with context:
                    with pytest.raises(RuntimeError, match="already been entered"):
                        await context.__aenter__()
                    assert len(await client.ips.list()) == 1
                assert await client.ips.list() == []
                async with context:
                    assert len(await client.ips.list()) == 1
                both = await asyncio.gather(context.__aenter__(), context.__aenter__(), return_exceptions=True)
                assert [type(result) for result in both].count(RuntimeError) == 1
                await context.__aexit__(None, None, None)
                while await client.ips.list() != []:  # the other one is given back in the background
                    await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), 30))


def test_follow(client: Client) -> None:
    context = client.ips.follow(label="home", interval=1)
    assert (context.ip, context.error, context.running) == (None, None, False)
    with context as followed:
        assert followed is context
        assert (followed.ip, followed.error, followed.running) == ("127.0.0.1", None, True)
        assert repr(followed) == "<proxymesh.FollowedIp 127.0.0.1>"
        assert [(known.ip, known.label) for known in client.ips.labels()] == [("127.0.0.1", "home")]
        with pytest.raises(RuntimeError, match="already been entered"):
            context.__enter__()
        with client.ips.authorized():
            pass
        assert client.ips.list() == ["127.0.0.1"], "the follower still needs it"
    assert (context.ip, context.running) == (None, False)
    assert client.ips.list() == []
    with pytest.raises(KeyError), context:
        raise KeyError
    assert client.ips.list() == []


def test_follow_for_asyncio(client: Client, sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.async_client() as awaited:
            context = awaited.ips.follow()
            async with context as followed:
                assert followed is context
                assert (followed.ip, followed.error, followed.running) == ("127.0.0.1", None, True)
                assert await awaited.ips.list() == ["127.0.0.1"]
            assert (context.ip, context.running) == (None, False)
            assert await awaited.ips.list() == []

    asyncio.run(main())
    assert client.ips.list() == []


def test_an_ip_that_a_follower_cannot_remove_is_an_error(client: Client, sandbox: Sandbox) -> None:
    with pytest.raises(proxymesh.ServerError), client.ips.follow():
        sandbox.fault("status", status=503, path="/api/ip/delete/")
    assert client.ips.list() == ["127.0.0.1"]
    with client.ips.follow():
        pass
    assert client.ips.list() == []


def wait_for(text: str, log: pytest.LogCaptureFixture) -> None:
    late = time.monotonic() + 20
    while text not in log.text:
        assert time.monotonic() < late, log.text
        time.sleep(0.01)


def test_a_follower_logs_its_warnings_while_it_works_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox() as sandbox, sandbox.client(max_retries=0) as client:

        def block() -> None:
            with client.ips.follow(interval=1) as followed:
                sandbox.stop()
                wait_for("ips.follow could not check", caplog)
                assert followed.error is not None
                raise KeyError

        with pytest.raises(KeyError):
            block()
    # The second one is logged before the block has ended, because the program may end next.
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [warning.partition(": ")[0] for warning in warnings] == [
        "ips.follow could not check or change the authorised IP 127.0.0.1, and will try again",
        "could not remove the authorised IP 127.0.0.1, so it stays until an IP is next authorised on this machine",
    ]


def test_a_follower_for_asyncio_logs_its_warnings(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        with Sandbox() as sandbox:
            async with sandbox.async_client(max_retries=0) as client:

                async def block() -> None:
                    async with client.ips.follow(interval=1):
                        sandbox.stop()
                        await asyncio.to_thread(wait_for, "ips.follow could not check", caplog)

                with pytest.raises(proxymesh.ConnectionError):
                    await block()

    asyncio.run(asyncio.wait_for(main(), 30))
    assert caplog.text.count("could not remove the authorised IP 127.0.0.1") == 1


def test_a_log_handler_that_waits_does_not_hold_up_calls() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Waits(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            entered.set()
            assert leave.wait(20)

    class WithoutDescriptors(asyncio.SelectorEventLoop):
        def add_reader(self, *_: object) -> NoReturn:
            raise NotImplementedError

    handler = Waits()
    logging.getLogger("proxymesh").addHandler(handler)
    try:
        with (
            Sandbox() as sandbox,
            Sandbox() as other,
            sandbox.client(max_retries=0) as client,
            contextlib.suppress(proxymesh.ConnectionError),
            client.ips.follow(interval=1),
        ):
            sandbox.stop()
            assert entered.wait(20)

            async def main() -> None:
                async with other.async_client() as awaited:
                    assert await asyncio.wait_for(awaited.proxies.list(), 10)

            loop = WithoutDescriptors()
            loop.run_until_complete(main())
            loop.close()
            leave.set()
    finally:
        leave.set()
        logging.getLogger("proxymesh").removeHandler(handler)


def test_a_block_that_is_cancelled_while_it_ends_logs_that_its_ip_stays(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with sandbox.async_client(max_retries=0) as client:

            async def block() -> None:
                async with client.ips.authorized(IP):
                    sandbox.fault("delay", seconds=0.5, path="/api/ip_labels/")
                    sandbox.fault("status", status=503, path="/api/ip/delete/")

            task = asyncio.create_task(block())
            while sum(request.path == "/api/ip_labels/" for request in sandbox.requests()) < 2:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(wait_for, f"could not remove the authorised IP {IP}", caplog)

    asyncio.run(asyncio.wait_for(main(), 30))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # about forking with threads
def test_a_forked_process_does_not_end_a_follower(client: Client) -> None:
    with client.ips.follow() as followed:
        child = os.fork()
        if child == 0:
            good = followed.ip == "127.0.0.1" and not followed.running
            followed.__exit__(None, None, None)
            os._exit(0 if good else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert followed.running
        assert client.ips.list() == ["127.0.0.1"]
    assert client.ips.list() == []
