"""AsyncClient on other event loops: uvloop, and AnyIO with asyncio. On trio, the error says what to do instead."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Coroutine
from typing import Any

import anyio
import anyio.to_thread
import pytest
import trio
from proxymesh import AsyncClient, NotFoundError

from .conftest import ConnectAsync, StartServer
from .support.server import Answer, Instead, Reply, Request, Server, answer

US = {"US": 1}


def service(request: Request) -> Reply:
    if request.path == "/api/ips/":
        return Instead.HANG
    return Answer(404) if request.path == "/api/sub/get/" else answer(US)


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server(service)


@pytest.fixture
def client(server: Server, connect_async: ConnectAsync) -> AsyncClient:
    return connect_async(server)


# uvloop.


def run_in_uvloop(main: Coroutine[Any, Any, None]) -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop has no wheel for this Python or system", exc_type=ImportError)
    loop = uvloop.new_event_loop()
    try:
        loop.run_until_complete(main)
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def test_calls_succeed_fail_and_are_cancelled_on_uvloop(client: AsyncClient, server: Server) -> None:
    async def main() -> None:
        async with client:
            for _ in range(20):
                assert await asyncio.gather(*(client.geo.open() for _ in range(10))) == [US] * 10
            with pytest.raises(NotFoundError):
                await client.sub_accounts.get("nobody")
            task = asyncio.create_task(client.ips.list())
            await asyncio.to_thread(server.wait_for_requests, 202)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(server.wait_for_gone, 1)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.ips.list(), 0.05)
            await asyncio.to_thread(server.wait_for_gone, 2)

    run_in_uvloop(main())


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="there is no /proc here")
def test_uvloops_one_after_another_leave_no_descriptor(client: AsyncClient) -> None:
    async def main() -> None:
        assert await client.geo.open() == US

    counts = []
    for _ in range(20):
        run_in_uvloop(main())
        gc.collect()
        counts.append(len(os.listdir("/proc/self/fd")))
    assert counts[-1] <= counts[1]


# AnyIO.


def test_calls_succeed_in_an_anyio_task_group(client: AsyncClient, server: Server) -> None:
    answers: list[dict[str, int]] = []

    async def one() -> None:
        answers.append(await client.geo.open())

    async def main() -> None:
        async with client, anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(one)
        assert answers == [US] * 20

    anyio.run(main, backend="asyncio")


def test_a_cancel_scope_of_anyio_cancels_the_calls_in_it(client: AsyncClient, server: Server) -> None:
    async def main() -> None:
        await client.geo.open()
        async with anyio.create_task_group() as group:
            group.start_soon(client.ips.list)
            group.start_soon(client.ips.list)
            await anyio.to_thread.run_sync(server.wait_for_requests, 3)
            group.cancel_scope.cancel()
        await anyio.to_thread.run_sync(server.wait_for_gone, 2)
        with pytest.raises(TimeoutError), anyio.fail_after(0.05):
            await client.ips.list()
        with anyio.move_on_after(0.05) as scope:
            await client.ips.list()
        assert scope.cancelled_caught
        await anyio.to_thread.run_sync(server.wait_for_gone, 4)
        assert await client.geo.open() == US

    anyio.run(main, backend="asyncio")


# Trio.

FOR_ASYNCIO = (
    "proxymesh.AsyncClient needs a running asyncio event loop; under trio or curio, use proxymesh.Client in a thread"
)


def test_on_trio_a_call_says_what_to_do(client: AsyncClient, server: Server) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError) as caught:
            await client.geo.open()
        assert str(caught.value) == FOR_ASYNCIO

    trio.run(main)
    anyio.run(main, backend="trio")
    assert server.connections == 0


def test_on_trio_the_blocking_client_works_in_a_thread(sandbox: Any) -> None:
    with sandbox.client() as client:
        assert trio.run(trio.to_thread.run_sync, client.ips.list) == []
