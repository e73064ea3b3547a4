"""Threads that start at the same moment can share everything, with and without the GIL (`make test-freethreaded`)."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone
from typing import Any

import proxymesh
import pytest
from proxymesh import LabeledIp, Proxy, SubAccount, Token
from proxymesh.sandbox import RecordedRequest, Sandbox

THREADS = 16
ROUNDS = 50


def together(act: Callable[[int], object]) -> None:
    """Runs `act` in many threads at once, each with its number. Raises what any of them raised."""
    begin = threading.Barrier(THREADS)

    def run(number: int) -> None:
        begin.wait()
        act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this CPython always has its GIL")
def test_the_gil_stays_off() -> None:
    """This works even without PYTHON_GIL=0, because the modules declare that they do not need the GIL."""
    code = "import sys, proxymesh.sandbox; assert not sys._is_gil_enabled()"
    subprocess.run([sys.executable, "-I", "-W", "error", "-c", code], check=True, timeout=60)


def test_one_client_serves_all_threads(proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client) -> None:
    client = proxymesh_client

    def work(number: int) -> None:
        name, ip = f"crawler-{number}", f"203.0.113.{number}"
        assert client.sub_accounts.create(name).username == name
        for turn in range(1, ROUNDS + 1):
            assert client.sub_accounts.edit(name, monthly_limit=turn).monthly_bandwidth_limit == turn
            assert client.with_options(max_retries=1).ips.add(ip, label=str(turn)) == ip
            assert LabeledIp(ip, str(turn)) in client.ips.labels()
            with pytest.raises(proxymesh.BadRequestError, match=r"^ips.add: ") as caught:
                client.ips.add(ip)
            assert caught.value.attempts == 1
            client.ips.delete(ip)
        client.sub_accounts.delete(name)

    together(work)
    assert client.ips.list() == []
    assert len(proxymesh_sandbox.requests()) == THREADS * (2 + 5 * ROUNDS) + 1


def test_one_async_client_serves_the_event_loops_of_all_threads(proxymesh_sandbox: Sandbox) -> None:
    client = proxymesh_sandbox.async_client()

    async def work(number: int) -> None:
        ips = [f"203.0.{number}.{turn}" for turn in range(4)]
        assert await asyncio.gather(*map(client.ips.add, ips)) == ips
        assert set(ips) <= set(await client.ips.list())
        await asyncio.gather(*map(client.ips.delete, ips))

    together(lambda number: asyncio.run(work(number)))
    assert len(proxymesh_sandbox.requests()) == THREADS * 9


def test_a_client_may_be_closed_while_other_threads_make_calls(proxymesh_sandbox: Sandbox) -> None:
    client = proxymesh_sandbox.client()

    def until_it_fails() -> None:
        while True:
            assert client.geo.open()

    def work(number: int) -> None:
        if number == 0:
            client.geo.open()
            client.close()
            return
        with pytest.raises(proxymesh.ConfigError, match="closed"):
            until_it_fails()

    together(work)


def test_threads_can_share_values() -> None:
    noon = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
    values: list[Any] = [
        SubAccount("x", True, 1.25, 7.5, 5, 0, "Zoë", None, ""),
        LabeledIp("203.0.113.7", "x"),
        Token(17, "x", True, date(2027, 1, 31), noon),
        Proxy("us-ca.proxymesh.com"),
        RecordedRequest(1, "GET", "/", {"a": "b"}, {}, None, "basic", "x", 200, None),
    ]
    told = [(hash(value), repr(value), value.to_dict()) for value in values]

    def work(number: int) -> None:
        for _ in range(ROUNDS * 4):
            assert [(hash(value), repr(value), value.to_dict()) for value in values] == told
            assert pickle.loads(pickle.dumps(values)) == values

    together(work)


def test_threads_can_share_the_controls_of_a_sandbox(
    proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client
) -> None:
    def work(number: int) -> None:
        for _ in range(ROUNDS):
            proxymesh_sandbox.fault("status", status=503, path="/api/sub/create/")
            assert proxymesh_client.geo.world()
            proxymesh_sandbox.book_usage("parent", 0.5)
            proxymesh_sandbox.advance(1)
            assert proxymesh_sandbox.requests()
            proxymesh_sandbox.clear_faults()

    before = proxymesh_sandbox.now
    together(work)
    assert len(proxymesh_sandbox.requests()) == THREADS * ROUNDS
    assert (proxymesh_sandbox.now - before).total_seconds() >= THREADS * ROUNDS


FIRST_USE = """
import asyncio, sys, threading
import proxymesh, proxymesh.sandbox

failed = []
sandbox = proxymesh.sandbox.Sandbox()
begin = threading.Barrier(16)

def work(number):
    begin.wait()
    try:
        if number % 2:
            with sandbox.client() as client:
                try:
                    client.sub_accounts.get("nobody")
                except proxymesh.NotFoundError as error:
                    assert error.status == 404
                assert client.tokens.create().expires_at is None
        else:
            assert asyncio.run(sandbox.async_client().proxies.list())
    except BaseException as error:
        failed.append(repr(error))

threads = [threading.Thread(target=work, args=[number]) for number in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("\\n".join(failed) or 0)
"""


def test_many_threads_may_be_the_first_to_use_the_package() -> None:
    """This concerns the worker, the exceptions, and the modules that are imported on demand."""
    for _ in range(3):
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", FIRST_USE], capture_output=True, text=True, check=False, timeout=60
        )
        assert (run.returncode, run.stderr) == (0, "")
