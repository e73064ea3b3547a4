"""A program that closes an event loop. The only references to the loop's last call are those that closing drops."""

from __future__ import annotations

import asyncio
import sys

import proxymesh

from .credentials import PASSWORD, USERNAME


async def begin(client: proxymesh.AsyncClient) -> None:
    call = client.geo.open()
    # Only the future refers to the call, and only the call's queue refers to the future.
    call.send(None).add_done_callback(lambda _, call=call: None)


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin(proxymesh.AsyncClient(USERNAME, PASSWORD, base_url=sys.argv[1])))
    loop.close()
