"""A cancelled call is abandoned: its connection is closed at once, and nothing is left of it."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable

import pytest
from proxymesh import AsyncClient

from .conftest import ConnectAsync, StartServer
from .support import process
from .support.program import succeeds
from .support.server import PATIENCE, Answer, Instead, Reply, Request, Server, answer

US = {"US": 1}
ROUNDS = 20
CALLS = 1000
# The milliseconds that we promise, and those that a busy machine may add.
PROMISE, NOISE = 100, 2000


def service(request: Request) -> Reply:
    """Never responds to `ips.list`, and asks `proxies.list` to retry much later."""
    if request.path == "/api/ips/":
        return Instead.HANG
    if request.path == "/api/proxies/":
        return Answer(429, headers={"retry-after": "60"})
    return answer(US)


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server(service)


@pytest.fixture
def client(server: Server, connect_async: ConnectAsync) -> AsyncClient:
    return connect_async(server)


async def until(wait: Callable[[int], None], count: int) -> None:
    await asyncio.to_thread(wait, count)


async def cancel(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_cancel(client: AsyncClient, sent: Callable[[], None]) -> float:
    task: asyncio.Task[object] = asyncio.create_task(client.ips.list())
    await asyncio.to_thread(sent)
    start = time.monotonic()
    await cancel(task)
    return start


async def by_wait_for(client: AsyncClient, sent: Callable[[], None]) -> float:
    task: asyncio.Task[object] = asyncio.create_task(client.ips.list())
    await asyncio.to_thread(sent)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(task, 0.01)
    return time.monotonic()


if sys.version_info >= (3, 11):  # the first version with asyncio.timeout

    async def by_timeout(client: AsyncClient, sent: Callable[[], None]) -> float:
        async def expire(limit: asyncio.Timeout) -> None:
            await asyncio.to_thread(sent)
            limit.reschedule(asyncio.get_running_loop().time())

        async def wait() -> None:
            async with asyncio.timeout(None) as limit:
                task = asyncio.create_task(expire(limit))
                await client.ips.list()
            await task

        with pytest.raises(TimeoutError):
            await wait()
        return time.monotonic()

    WAYS = [by_cancel, by_wait_for, by_timeout]
else:
    WAYS = [by_cancel, by_wait_for]


@pytest.mark.parametrize("way", WAYS)
def test_the_server_sees_the_connection_closed_at_once(
    way: Callable[[AsyncClient, Callable[[], None]], object], client: AsyncClient, server: Server
) -> None:
    async def main() -> list[float]:
        # If these credentials had never received a response, the auth gate would soon delay calls.
        await client.geo.open()
        times = []
        for number in range(1, ROUNDS + 1):
            cancelled = await way(client, lambda number=number: server.wait_for_requests(number + 1))  # type: ignore
            await until(server.wait_for_gone, number)
            times.append((time.monotonic() - cancelled) * 1000)
        assert await client.geo.open() == US
        return times

    times = asyncio.run(main())
    low, middle, high = min(times), statistics.median(times), max(times)
    print(f"\nfrom {way.__name__} to a closed connection: min {low:.1f}, median {middle:.1f}, max {high:.1f} ms")  # noqa: T201
    assert middle < PROMISE
    assert high < PROMISE + NOISE
    assert server.count == ROUNDS + 2, "none was retried"


def test_a_call_that_is_cancelled_before_it_starts_sends_nothing(client: AsyncClient, server: Server) -> None:
    async def main() -> None:
        for _ in range(10):
            await cancel(asyncio.create_task(client.geo.open()))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.geo.open(), 0)

    asyncio.run(main())
    assert server.connections == 0


def test_a_cancelled_call_is_not_retried(client: AsyncClient, server: Server) -> None:
    async def main() -> None:
        await client.geo.open()
        task: asyncio.Task[object] = asyncio.create_task(client.proxies.list())
        await until(server.wait_for_requests, 2)
        await cancel(task)
        assert await client.geo.open() == US

    asyncio.run(main())
    assert server.count == 3


def test_calls_that_wait_at_the_gate_can_be_cancelled_without_affecting_the_others(
    start_server: StartServer, connect_async: ConnectAsync
) -> None:
    cancelled = threading.Event()

    def script(request: Request) -> Reply:
        assert cancelled.wait(PATIENCE)
        return answer(US)

    server = start_server(script)
    client = connect_async(server)

    async def main() -> None:
        first = asyncio.create_task(client.geo.open())
        await until(server.wait_for_requests, 1)
        waiting = [asyncio.create_task(client.geo.open()) for _ in range(10)]
        await asyncio.sleep(0)
        for task in waiting[::2]:
            task.cancel()
        await asyncio.wait(waiting[::2])
        cancelled.set()
        answers = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert [type(given) for given in answers] == [dict, *[asyncio.CancelledError, dict] * 5]

    asyncio.run(main())
    assert server.count == 6, "the cancelled calls were not sent"


def test_if_the_call_that_tries_the_credentials_is_cancelled_another_tries_them(
    start_server: StartServer, connect_async: ConnectAsync
) -> None:
    def script(request: Request) -> Reply:
        return Instead.HANG if request.connection == 0 else answer(US)

    server = start_server(script)
    client = connect_async(server)

    async def main() -> None:
        first: asyncio.Task[object] = asyncio.create_task(client.geo.open())
        await until(server.wait_for_requests, 1)
        waiting = [asyncio.create_task(client.geo.open()) for _ in range(10)]
        await asyncio.sleep(0)
        assert server.count == 1
        await cancel(first)
        assert await asyncio.gather(*waiting) == [US] * 10

    asyncio.run(main())


def test_a_task_may_catch_its_cancellation_and_call_again(client: AsyncClient, server: Server) -> None:
    async def stubborn() -> dict[str, int]:
        try:
            await client.ips.list()
        except asyncio.CancelledError:
            return await client.geo.open()
        raise AssertionError

    async def main() -> None:
        await client.geo.open()
        task = asyncio.create_task(stubborn())
        await until(server.wait_for_requests, 2)
        task.cancel()
        assert await task == US

    asyncio.run(main())


@pytest.mark.skipif(not process.KNOWN, reason="there is no /proc here")
def test_1000_cancelled_calls_leave_nothing_behind(server: Server) -> None:
    early, late = json.loads(succeeds("cancelling", server.base_url, str(CALLS)))
    print(f"\nheld after {CALLS // 10} cancelled calls: {early}; after {CALLS}: {late}")  # noqa: T201
    assert late["tasks"] == early["tasks"] == 1
    assert late["threads"] <= early["threads"]
    # Ten calls at once need up to ten connections, which the pool keeps. A leak of one per call would be hundreds.
    assert late["descriptors"] <= early["descriptors"] + 10
    assert late["objects"] <= early["objects"] + 100
    assert late["resident"] <= early["resident"] + 1024, "KiB"
