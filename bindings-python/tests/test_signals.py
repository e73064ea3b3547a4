"""A call releases the GIL and handles signals: Ctrl-C ends it within 100 ms at any point."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import Connect, StartServer
from .support.server import PATIENCE, Instead, Reply, Request, answer

HERE = Path(__file__).resolve().parent
ROUNDS = 20
# The milliseconds that we promise, and those that a busy machine may add.
PROMISE, NOISE = 100, 2000


@pytest.mark.parametrize("kind", ["read", "write", "connect", "retry", "gate", "asyncio"])
def test_ctrl_c_ends_a_call_at_once_closes_its_connection_and_leaves_the_client_usable(kind: str) -> None:
    program = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.interrupted", kind, str(ROUNDS)],
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (program.returncode, program.stderr) == (0, "")
    result = json.loads(program.stdout)
    times = result["times"]
    assert len(times) == ROUNDS
    low, middle, high = min(times), statistics.median(times), max(times)
    print(f"\nCtrl-C ({kind}, {ROUNDS} times): min {low:.0f}, median {middle:.0f}, max {high:.0f} ms")  # noqa: T201
    assert middle < PROMISE
    assert high < PROMISE + NOISE
    if kind in {"read", "write", "asyncio"}:
        assert result["gone"] == ROUNDS, "the server sees the connection closed"


OnSignal = Callable[[Callable[[], None]], None]


class Stop(Exception):
    """The exception that a user's own handler raises."""


@pytest.fixture
def on_signal() -> Iterator[OnSignal]:
    """Sets the handler of SIGUSR1 for the test."""
    before = signal.getsignal(signal.SIGUSR1)

    def handle(act: Callable[[], None]) -> None:
        signal.signal(signal.SIGUSR1, lambda number, frame: act())

    yield handle
    signal.signal(signal.SIGUSR1, before)


def signal_after(wait: Callable[[], object]) -> threading.Thread:
    def send() -> None:
        wait()
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_an_exception_of_a_signal_handler_is_raised_unchanged(
    on_signal: OnSignal, start_server: StartServer, connect: Connect
) -> None:
    server = start_server(lambda request: Instead.HANG if request.path == "/api/ips/" else answer({"US": 1}))
    client = connect(server)
    raised = Stop("enough")

    def handler() -> None:
        raise raised

    on_signal(handler)
    thread = signal_after(lambda: server.wait_for_requests(1))
    with pytest.raises(Stop) as caught:
        client.ips.list()
    thread.join()
    assert caught.value is raised
    server.wait_for_gone(1)
    assert client.geo.open() == {"US": 1}
    assert server.count == 2, "it was not retried"


def test_a_handler_that_does_not_raise_does_not_end_the_call(
    on_signal: OnSignal, start_server: StartServer, connect: Connect
) -> None:
    handled = threading.Event()

    def script(request: Request) -> Reply:
        assert handled.wait(PATIENCE)
        return answer({"US": 1})

    server = start_server(script)
    on_signal(handled.set)
    thread = signal_after(lambda: server.wait_for_requests(1))
    assert connect(server).geo.open() == {"US": 1}
    thread.join()
    assert server.count == 1


def test_a_handler_may_make_a_call_itself(on_signal: OnSignal, start_server: StartServer, connect: Connect) -> None:
    answered = threading.Event()

    def script(request: Request) -> Reply:
        if request.path == "/api/geoips/open/":
            assert answered.wait(PATIENCE)
        return answer({"US": 1})

    server = start_server(script)
    client = connect(server)
    client.geo.world()
    seen: list[dict[str, int]] = []

    def handler() -> None:
        seen.append(client.geo.world())
        answered.set()

    on_signal(handler)
    thread = signal_after(lambda: server.wait_for_requests(2))
    assert client.geo.open() == {"US": 1}
    thread.join()
    assert seen == [{"US": 1}]


def test_other_threads_run_while_a_call_waits(start_server: StartServer, connect: Connect) -> None:
    counted, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1

    def script(request: Request) -> Reply:
        # This runs in a thread of this process. It responds only after another thread has counted further.
        until, deadline = counted[0] + 100_000, time.monotonic() + PATIENCE
        while counted[0] < until:
            assert time.monotonic() < deadline
        return answer({"US": 1})

    server = start_server(script)
    client = connect(server)
    thread = threading.Thread(target=count)
    thread.start()
    try:
        assert client.geo.open() == {"US": 1}
    finally:
        stop.set()
        thread.join()
    assert counted[0] > 100_000


def test_many_threads_share_a_client_and_wait_at_the_same_time(start_server: StartServer, connect: Connect) -> None:
    together = threading.Barrier(16)

    def script(request: Request) -> Reply:
        if request.path == "/api/geoips/open/":
            # Respond to none of the requests before all have arrived.
            together.wait(PATIENCE)
        return answer({"US": 1})

    server = start_server(script)
    client = connect(server)
    client.geo.world()
    results: list[dict[str, int]] = []
    threads = [threading.Thread(target=lambda: results.append(client.geo.open())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert results == [{"US": 1}] * 16


def test_a_call_from_another_thread_is_not_disturbed_by_ctrl_c_in_the_main_thread(
    start_server: StartServer, connect: Connect
) -> None:
    interrupted = threading.Event()

    def script(request: Request) -> Reply:
        if request.path == "/api/geoips/open/":
            assert interrupted.wait(PATIENCE)
            return answer({"US": 1})
        return Instead.HANG

    server = start_server(script)
    client = connect(server)
    with client.with_options(timeout=0.1, max_retries=0) as prover, pytest.raises(TimeoutError):
        prover.ips.list()
    results: list[dict[str, int]] = []
    thread = threading.Thread(target=lambda: results.append(client.geo.open()))
    thread.start()
    server.wait_for_requests(2)
    pressed = threading.Timer(0.1, lambda: signal.raise_signal(signal.SIGINT))
    pressed.start()
    with pytest.raises(KeyboardInterrupt):
        connect(server).ips.list()
    interrupted.set()
    thread.join(PATIENCE)
    assert results == [{"US": 1}]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_handler_makes_calls_at_any_moment(start_server: StartServer, connect: Connect) -> None:
    server = start_server(lambda request: answer({"US": 1}))
    client = connect(server)
    client.geo.open()
    handled, busy = [0], [False]

    def handler(*_: object) -> None:
        if busy[0]:
            return  # Signals arrive faster than calls end, so handle one at a time.
        busy[0] = True
        try:
            assert client.geo.world() == {"US": 1}
            handled[0] += 1
        finally:
            busy[0] = False

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert client.geo.open() == {"US": 1}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled[0] > 100
