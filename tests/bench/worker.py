"""Runs one contestant in its own process: `worker.py NAME CA_FILE BUNDLE`.

Each line of its input is a burst, `MODE BASE_URL WIDTH CALLS`. For each burst it prints one line of JSON with `calls`,
`wall_us`, `cpu_us` (user and system time of all threads of the process) and `p50_us` (of one call, only for
`sequential`). If the burst fails, the line has only `error`. MODE is

* `sequential`: one call after another,
* `threads`: WIDTH threads that share one client make CALLS calls together,
* `flight`: WIDTH tasks of one event loop that share one client make CALLS calls together.

Before a burst, a few calls open missing connections, because libraries drop idle ones after 5 to 15 s.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from contestants import ASYNC, BLOCKING, PER_THREAD, Service

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from contestants import AsyncCall, Call

name, ca_file, bundle = sys.argv[1:]
clock, cpu_clock = time.perf_counter_ns, time.process_time_ns


def tell(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def cost(calls: int, wall: int, cpu: int, each: list[int]) -> dict[str, Any]:
    p50 = sorted(each)[len(each) // 2] / 1000 if each else None
    return {"calls": calls, "wall_us": wall / 1000, "cpu_us": cpu / 1000, "p50_us": p50}


def blocking() -> None:
    made: dict[str, list[Call]] = {}
    clients: list[Generator[Call, None, None]] = []

    def calls_to(base_url: str, width: int) -> list[Call]:
        calls = made.setdefault(base_url, [])
        while len(calls) < width:
            if calls and name not in PER_THREAD:
                calls.append(calls[0])
                continue
            client = BLOCKING[name](Service(base_url, ca_file, bundle))
            clients.append(client)
            calls.append(next(client))
        return calls[:width]

    def sequential(call: Call, calls: int) -> list[int]:
        each = []
        for _ in range(calls):
            start = clock()
            call()
            each.append(clock() - start)
        return each

    def threads(lanes: list[Call], calls: int) -> None:
        failures: list[BaseException] = []
        remaining = iter(range(calls))

        def lane(call: Call) -> None:
            try:
                for _ in remaining:
                    call()
            except BaseException as failure:
                failures.append(failure)

        running = [threading.Thread(target=lane, args=(call,)) for call in lanes]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        if failures:
            raise failures[0]

    def burst(mode: str, base_url: str, width: int, calls: int) -> dict[str, Any]:
        lanes = calls_to(base_url, width)

        def run(calls: int) -> list[int]:
            if mode == "sequential":
                return sequential(lanes[0], calls)
            threads(lanes, calls)
            return []

        run(2 * width)
        cpu, wall = cpu_clock(), clock()
        each = run(calls)
        return cost(calls, clock() - wall, cpu_clock() - cpu, each)

    def answer(line: str) -> dict[str, Any]:
        mode, base_url, width, calls = line.split()
        return burst(mode, base_url, int(width), int(calls))

    for line in sys.stdin:
        try:
            tell(answer(line))
        except Exception as failure:
            tell({"error": repr(failure)})
    for client in clients:
        client.close()


async def asynchronous() -> None:
    contestant = ASYNC[name.removesuffix(" uvloop")]
    made: dict[str, AsyncCall] = {}
    clients: list[AsyncGenerator[AsyncCall, None]] = []

    async def call_to(base_url: str) -> AsyncCall:
        if base_url not in made:
            client = contestant(Service(base_url, ca_file, bundle))
            clients.append(client)
            made[base_url] = await anext(client)
        return made[base_url]

    async def sequential(call: AsyncCall, calls: int) -> list[int]:
        each = []
        for _ in range(calls):
            start = clock()
            await call()
            each.append(clock() - start)
        return each

    async def flight(call: AsyncCall, width: int, calls: int) -> None:
        remaining = iter(range(calls))

        async def lane() -> None:
            for _ in remaining:
                await call()

        await asyncio.gather(*(lane() for _ in range(width)))

    async def burst(mode: str, base_url: str, width: int, calls: int) -> dict[str, Any]:
        call = await call_to(base_url)

        async def run(calls: int) -> list[int]:
            if mode == "sequential":
                return await sequential(call, calls)
            await flight(call, width, calls)
            return []

        await run(2 * width)
        cpu, wall = cpu_clock(), clock()
        each = await run(calls)
        return cost(calls, clock() - wall, cpu_clock() - cpu, each)

    # Reading a line blocks the event loop between bursts. This costs nothing, and delays nothing that is measured.
    for line in sys.stdin:
        mode, base_url, width, calls = line.split()
        try:
            tell(await burst(mode, base_url, int(width), int(calls)))
        except Exception as failure:
            tell({"error": repr(failure)})
    for client in clients:
        await client.aclose()


def main() -> None:
    if name in BLOCKING:
        blocking()
    elif name.endswith(" uvloop"):
        import uvloop

        uvloop.run(asynchronous())
    else:
        asyncio.run(asynchronous())


if __name__ == "__main__":
    main()
