"""Event loops while calls are in progress: how attempts are logged, and what closing a loop does."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from proxymesh import AsyncClient

from .conftest import StartServer
from .support.credentials import PASSWORD, USERNAME
from .support.loops import WithoutReaders
from .support.program import succeeds
from .support.server import PATIENCE, Instead, Reply, Request, Server, answer

CALLER = contextvars.ContextVar("caller", default=-1)


class Handler(logging.Handler):
    def __init__(self, handle: Callable[[], None]) -> None:
        super().__init__()
        self._handle = handle

    def emit(self, record: logging.LogRecord) -> None:
        self._handle()


@pytest.fixture
def log() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Adds a handler that calls the given function for each record."""
    logger = logging.getLogger("proxymesh")
    added: list[logging.Handler] = []

    def add(handle: Callable[[], None]) -> None:
        added.append(Handler(handle))
        logger.addHandler(added[-1])
        logger.setLevel(logging.DEBUG)

    yield add
    for handler in added:
        logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def client_of(server: Server, **options: Any) -> AsyncClient:
    return AsyncClient(USERNAME, PASSWORD, base_url=server.base_url, **options)


def leave_under_way(
    client: AsyncClient, server: Server, loop: asyncio.AbstractEventLoop | None = None
) -> asyncio.Task[dict[str, int]]:
    """Closes a loop while a call on it has no response yet."""
    loop = loop or asyncio.new_event_loop()
    before = server.count

    async def begin() -> asyncio.Task[dict[str, int]]:
        task = asyncio.ensure_future(client.geo.open())
        while server.count == before:
            await asyncio.sleep(0.001)
        return task

    task = loop.run_until_complete(begin())
    loop.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    return task


def test_attempts_are_logged_in_the_context_of_the_task_that_makes_the_call(
    start_server: StartServer, log: Callable[[Callable[[], None]], None]
) -> None:
    client = client_of(start_server(answer({"US": 1})))
    seen: list[int] = []
    log(lambda: seen.append(CALLER.get()))

    async def call(caller: int) -> None:
        CALLER.set(caller)
        await client.geo.open()

    async def main() -> None:
        for caller in range(4):
            await asyncio.create_task(call(caller))

    asyncio.run(main())
    assert seen == [0, 1, 2, 3]


def test_closing_a_loop_abandons_calls_in_progress(start_server: StartServer) -> None:
    server = start_server(Instead.HANG)
    task = leave_under_way(client_of(server), server)
    server.wait_for_gone(1)
    assert not task.done()


def test_a_closed_loop_without_readers_is_not_kept_alive(start_server: StartServer) -> None:
    closed = threading.Event()

    def script(request: Request) -> Reply:
        assert closed.wait(PATIENCE)
        return answer({"US": 1})

    server = start_server(script)
    loop = WithoutReaders()
    leave_under_way(client_of(server), server, loop)
    kept = weakref.ref(loop)
    del loop
    closed.set()
    until = time.monotonic() + PATIENCE
    while kept() is not None and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
    assert kept() is None


def test_a_loop_does_not_keep_the_context_of_its_first_call(start_server: StartServer) -> None:
    class Whole:
        """A large value that a context variable may hold, such as a whole request."""

    client = client_of(start_server(answer({"US": 1})))
    held: contextvars.ContextVar[Whole] = contextvars.ContextVar("held")

    async def call() -> weakref.ref[Whole]:
        held.set(Whole())
        await client.geo.open()
        return weakref.ref(held.get())

    async def main() -> None:
        kept = await asyncio.create_task(call())
        await asyncio.sleep(0)  # asyncio itself still runs in that context
        gc.collect()
        assert kept() is None

    asyncio.run(main())


def test_closing_a_loop_may_drop_the_last_reference_to_a_call(start_server: StartServer) -> None:
    server = start_server(Instead.HANG)
    assert succeeds("closing", server.base_url, limit=PATIENCE) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="counts what Linux shows")
def test_loops_closed_while_calls_are_in_progress_leave_no_descriptor(
    start_server: StartServer, log: Callable[[Callable[[], None]], None]
) -> None:
    log(lambda: None)
    answers = iter([answer({"US": 1})])
    # The attempt is reported when the loop is no longer listening.
    server = start_server(lambda _: next(answers, answer({}, 503, retry_after="60")))
    client = client_of(server)
    # If these credentials had never received a response, the auth gate would soon delay calls.
    asyncio.run(client.geo.open())

    def counters() -> int:
        links = []
        for number in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink(f"/proc/self/fd/{number}"))
            except FileNotFoundError:
                continue
        return sum("eventfd" in link for link in links)

    leave_under_way(client, server)
    before = counters()
    for _ in range(40):
        leave_under_way(client, server)
        gc.collect()
    # A busy machine closes the last of them a little later.
    deadline = time.monotonic() + 10
    while counters() > before + 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert counters() <= before + 2
