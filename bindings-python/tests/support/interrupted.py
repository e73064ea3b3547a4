"""A program that test_signals.py runs in a separate process. It makes slow calls and interrupts each with Ctrl-C.

`python -m tests.support.interrupted KIND ROUNDS` prints a JSON object: how many milliseconds each KeyboardInterrupt
took, and how many connections the client closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable

from proxymesh import AsyncClient, Client

from .credentials import PASSWORD, USERNAME
from .server import Answer, Instead, Reply, Request, Server, answer, close_retired

HANGING = {"/api/ips/", "/api/sub/create/", "/api/ip/add/"}


def press_ctrl_c(when: Callable[[], object], times: list[float], how: str) -> threading.Thread:
    """Presses Ctrl-C up to 50 ms after `when` returns, so at any point between two checks for signals."""

    def press() -> None:
        when()
        time.sleep(random.uniform(0, 0.05))
        times.append(time.monotonic())
        if how == "kill":
            os.kill(os.getpid(), signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def interrupted(call: Callable[[], object], when: Callable[[], object], how: str) -> float:
    """Milliseconds from Ctrl-C to the KeyboardInterrupt that `call` raises."""
    pressed: list[float] = []
    thread = press_ctrl_c(when, pressed, how)
    try:
        call()
    except KeyboardInterrupt:
        raised = time.monotonic()
    else:
        raise AssertionError("the call went on")
    thread.join()
    return (raised - pressed[0]) * 1000


def service(request: Request) -> Reply:
    """Hangs, asks for a long wait, or sends a response that shows that the client works."""
    if request.path in HANGING:
        return Instead.HANG
    if request.path == "/api/proxies/":
        return Answer(429, headers={"retry-after": "60"})
    return answer({"US": 1})


def main(kind: str, rounds: int) -> None:
    server = Server(service, asleep=kind == "connect")
    client = Client(USERNAME, PASSWORD, base_url=server.base_url, timeout=60, connect_timeout=60)
    if kind != "connect":
        # If these credentials had never received a response, the auth gate would soon delay calls.
        client.geo.open()
    times = [one(kind, number, client, server) for number in range(rounds)]
    if kind == "connect":
        server.wake()
    assert client.geo.open() == {"US": 1}, "the client works afterwards"
    client.close()
    server.stop()
    sys.stdout.write(json.dumps({"times": times, "gone": server.gone}))


def one(kind: str, number: int, client: Client, server: Server) -> float:
    """Makes and interrupts one call of the given kind."""
    how = "kill" if number % 2 else "raise"
    arrived = server.count + 1

    def there() -> None:
        server.wait_for_requests(arrived)

    def answered() -> None:
        there()
        time.sleep(0.05)

    if kind == "gate":
        return behind_the_gate(how)
    if kind == "connect":
        return interrupted(client.ips.list, lambda: time.sleep(0.1), how)
    if kind == "retry":
        return interrupted(client.proxies.list, answered, how)
    if kind == "asyncio":
        # Only a signal from outside wakes an event loop.
        how = "kill"
    awaited = AsyncClient(USERNAME, PASSWORD, base_url=server.base_url)
    calls: dict[str, list[Callable[[], object]]] = {
        "read": [client.ips.list],
        "write": [lambda: client.ips.add("203.0.113.7"), lambda: client.sub_accounts.create("x")],
        "asyncio": [lambda: asyncio.run(awaited.ips.list())],
    }
    took = interrupted(calls[kind][number // 2 % len(calls[kind])], there, how)
    server.wait_for_gone(number + 1)
    return took


def behind_the_gate(how: str) -> float:
    """A call of another thread is the first with these credentials, and it hangs. This thread's call waits for it."""
    first = Server(service)
    clients = [Client(USERNAME, PASSWORD, base_url=first.base_url, max_retries=0) for _ in range(2)]

    def hang() -> None:
        with contextlib.suppress(OSError):
            clients[0].ips.list()

    thread = threading.Thread(target=hang)
    thread.start()
    first.wait_for_requests(1)
    took = interrupted(lambda: clients[1].geo.open(), lambda: time.sleep(0.1), how)
    assert first.count == 1, "it waited at the gate"
    first.stop()
    thread.join()
    return took


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
    close_retired()
