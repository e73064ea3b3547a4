"""Makes a million calls in one process, blocking and asyncio at once. Memory, descriptors and threads must not grow.

`make test-soak` runs it. `python tests/soak/soak.py 20000` makes fewer calls. The sandbox is a process of its own, so
only the client's memory counts. After each twentieth of the calls, it prints what the process holds. It fails if the
process holds more at the end than after the warm-up. Memory may differ by some noise.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import proxymesh

STEPS = 20
IN_FLIGHT = 32
# The allocator makes RSS vary by this much. A leak of 16 bytes a call would still show.
NOISE_KIB = 4 * 1024

calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
here = Path("/proc/self")


def held() -> tuple[int, int, int]:
    """KiB of memory, the number of descriptors, and the number of threads."""
    pages = int((here / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024, len(os.listdir(here / "fd")), len(os.listdir(here / "task"))


def blocking(client: proxymesh.Client, count: int) -> None:
    for number in range(count):
        if number % 100 == 0:  # an error
            with contextlib.suppress(proxymesh.NotFoundError):
                client.sub_accounts.get("nobody")
        elif number % 10 == 0:  # a write, with options of its own
            client.with_options(timeout=20.0).sub_accounts.edit("crawler-1", monthly_limit=5)
        else:
            client.sub_accounts.get("crawler-1")


async def awaited(client: proxymesh.AsyncClient, count: int) -> None:
    async def lane() -> None:
        for _ in range(count // IN_FLIGHT):
            await client.sub_accounts.get("crawler-1")

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))


def soak(base_url: str) -> int:
    """Makes all calls. Returns the exit status."""
    seen = []
    with ThreadPoolExecutor(1) as thread, proxymesh.Client("parent", "parent-password", base_url=base_url) as client:
        client.sub_accounts.create("crawler-1")
        async_client = proxymesh.AsyncClient("parent", "parent-password", base_url=base_url)
        start = time.monotonic()
        for step in range(1, STEPS + 1):
            half = calls // STEPS // 2
            blocked = thread.submit(blocking, client, half)
            asyncio.run(awaited(async_client, half))  # a new event loop each time
            blocked.result()
            seen.append(held())
            memory, descriptors, threads = seen[-1]
            made, seconds = calls * step // STEPS, time.monotonic() - start
            print(
                f"{made:>9,} calls, {seconds:4.0f} s: {memory:,} KiB, {descriptors} descriptors, {threads} threads",
                flush=True,
            )
    (warm, *warm_rest), (last, *last_rest) = seen[STEPS // 4], seen[-1]
    if last > warm + NOISE_KIB or last_rest > warm_rest:
        print("the process holds more than after the warm-up", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """Starts a sandbox and runs the test against it."""
    command = [sys.executable, "-m", "proxymesh.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        try:
            return soak(sandbox.stdout.readline().split()[-1])
        finally:
            sandbox.terminate()


if __name__ == "__main__":
    sys.exit(main())
