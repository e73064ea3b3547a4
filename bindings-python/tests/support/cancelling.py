"""A program that test_cancel.py runs in a separate process. It cancels calls at random points.

`python -m tests.support.cancelling BASE_URL CALLS` prints a JSON array: what the process holds after a tenth of the
calls, and after all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import sys
from typing import Any

from proxymesh import AsyncClient

from .credentials import PASSWORD, USERNAME
from .process import descriptors, resident, threads


async def cancelled(client: AsyncClient, number: int) -> None:
    """Makes and cancels one call: before it starts, while the response arrives, while it hangs, or while it waits for a
    retry."""
    kinds = [client.geo.open, client.geo.world, client.ips.list, client.proxies.list]
    call: Any = kinds[number % 4]
    task = asyncio.ensure_future(call())
    if kinds[number % 4] != client.geo.open:
        await asyncio.sleep(random.uniform(0, 0.004))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        # The response may have arrived already.
        assert await task == {"US": 1}


async def main(base_url: str, calls: int) -> list[dict[str, int]]:
    client = AsyncClient(USERNAME, PASSWORD, base_url=base_url)
    await client.geo.world()
    held = []
    number = 0
    for several in (calls // 10, calls - calls // 10):
        for _ in range(several // 10):
            number += 10
            await asyncio.gather(*(cancelled(client, number + one) for one in range(10)))
        # The worker handles all cancellations before it handles this call.
        assert await client.geo.world() == {"US": 1}
        gc.collect()
        held.append(
            {
                "tasks": len(asyncio.all_tasks()),
                "threads": threads(),
                "descriptors": descriptors(),
                "resident": resident(),
                "objects": len(gc.get_objects()),
            }
        )
    return held


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))
