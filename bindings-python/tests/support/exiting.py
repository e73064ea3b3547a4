"""A program that test_exit.py runs in a separate process. It exits while calls are in progress.

`python -m tests.support.exiting BASE_URL CASE`. The server responds to some calls after a random time, tells others to
retry much later, and never responds to the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from proxymesh import AsyncClient, Client

from .credentials import PASSWORD, USERNAME
from .loops import WithoutReaders

CALLS = 8


def moment() -> float:
    """A random time in which some of the calls get a response."""
    return random.uniform(0, 0.03)


def in_threads(base_url: str, daemon: bool) -> None:
    client = Client(USERNAME, PASSWORD, base_url=base_url)
    client.geo.open()
    calls: list[Callable[[], object]] = [client.geo.world] * CALLS
    if daemon:
        calls += [client.ips.list, client.proxies.list]
    for call in calls:
        threading.Thread(target=make, args=(call, daemon), daemon=daemon).start()


def make(call: Callable[[], object], over_and_over: bool) -> None:
    call()
    while over_and_over:
        call()


def threads(base_url: str) -> None:
    """Python waits for these threads, as it always does."""
    in_threads(base_url, daemon=False)


def daemon_threads(base_url: str) -> None:
    in_threads(base_url, daemon=True)
    time.sleep(moment())


def calls(client: AsyncClient) -> list[Coroutine[Any, Any, object]]:
    return [*(client.geo.world() for _ in range(CALLS)), client.ips.list(), client.proxies.list()]


async def begun(base_url: str) -> list[asyncio.Task[object]]:
    """Starts tasks that nobody awaits."""
    client = AsyncClient(USERNAME, PASSWORD, base_url=base_url)
    await client.geo.open()
    tasks = [asyncio.create_task(call) for call in calls(client)]
    await asyncio.sleep(moment())
    return tasks


def tasks(base_url: str) -> None:
    asyncio.run(begun(base_url))


def tasks_and_sys_exit(base_url: str) -> None:
    async def main() -> None:
        _held = await begun(base_url)
        sys.exit(0)

    asyncio.run(main())


def loop_never_closed(base_url: str) -> None:
    """Neither stops nor closes the loop, although calls are in progress on it."""
    loop = asyncio.new_event_loop()
    held.append(loop.run_until_complete(begun(base_url)))
    held.append(loop)


def loop_without_readers_never_closed(base_url: str) -> None:
    """A thread that waits for the GIL wakes such a loop."""
    loop = WithoutReaders()
    held.append(loop.run_until_complete(begun(base_url)))
    held.append(loop)


def loop_in_a_daemon_thread(base_url: str) -> None:
    started = threading.Event()

    async def main() -> None:
        _held = await begun(base_url)
        started.set()
        await asyncio.sleep(60)

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(main())

    threading.Thread(target=run, daemon=True).start()
    started.wait()
    time.sleep(moment())


held: list[object] = []
CASES = {
    case.__name__: case
    for case in (
        threads,
        daemon_threads,
        tasks,
        tasks_and_sys_exit,
        loop_never_closed,
        loop_without_readers_never_closed,
        loop_in_a_daemon_thread,
    )
}

if __name__ == "__main__":
    CASES[sys.argv[2]](sys.argv[1])
