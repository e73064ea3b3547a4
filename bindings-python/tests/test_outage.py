"""An outage is not a wrong password: an abandoned first call continues in the background until it has its response."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Any

import proxymesh
import pytest

from .conftest import Connect, ConnectAsync, StartServer
from .support.server import Answer, Instead, Request, answer

HEALTHY = 0.3


def slow(reply: Answer) -> Callable[[Request], Answer]:
    """A slow service."""

    def script(_: Request) -> Answer:
        time.sleep(HEALTHY)
        return reply

    return script


def test_cancelled_first_calls_do_not_block_correct_credentials(
    start_server: StartServer, connect_async: ConnectAsync
) -> None:
    server = start_server(slow(answer({"ips": []})))

    async def main() -> list[str]:
        async with connect_async(server) as client:
            for _ in range(4):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.ips.list(), timeout=0.05)
            return await client.ips.list()

    assert asyncio.run(main()) == []


def test_a_closed_loop_does_not_block_correct_credentials(
    start_server: StartServer, connect_async: ConnectAsync
) -> None:
    server = start_server(slow(answer({"ips": []})))
    client = connect_async(server)

    async def begin() -> None:
        task = asyncio.ensure_future(client.ips.list())
        await asyncio.sleep(0.05)
        assert not task.done()

    for _ in range(4):
        asyncio.run(begin())

    async def main() -> list[str]:
        return await client.ips.list()

    assert asyncio.run(main()) == []


def test_interrupted_first_calls_with_a_wrong_password_cost_one_401(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(slow(Answer(401)))
    client = connect(server)

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(2):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                client.ips.list()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(proxymesh.AuthenticationError):
        client.ips.list()
    assert server.count == 1


def test_a_signal_handler_can_make_a_call_during_the_first_call(start_server: StartServer, connect: Connect) -> None:
    client = connect(start_server(slow(answer({"ips": []}))))
    made: list[list[str]] = []
    before = signal.signal(signal.SIGALRM, lambda *_: made.append(client.ips.list()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert client.ips.list() == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert made == [[]]


def test_dropped_connections_do_not_count_as_a_wrong_password(start_server: StartServer, connect: Connect) -> None:
    drops = [Instead.CLOSE] * 3
    server = start_server(lambda _: drops.pop() if drops else answer({"ips": []}))
    client = connect(server)
    with pytest.raises(proxymesh.ConnectionError) as caught:
        client.ips.list()
    assert caught.value.attempts == 3
    began = time.monotonic()
    assert client.ips.list() == []
    assert time.monotonic() - began < 3.5, "the gate waits two seconds after the third failure"
    assert connect(server, password="right, too").ips.list() == []
