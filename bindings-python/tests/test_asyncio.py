"""AsyncClient fits into asyncio: its calls are ordinary coroutines, on any event loop and in any thread."""

from __future__ import annotations

import asyncio
import collections.abc
import contextvars
import gc
import inspect
import logging
import os
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import proxymesh
import pytest
from proxymesh import AsyncClient, ConfigError, NotFoundError, ValidationError

from .conftest import ConnectAsync, StartServer
from .support.loops import WithoutReaders
from .support.server import PATIENCE, Answer, Instead, Reply, Request, Server, answer

FINE = answer({"US": 1})
US = {"US": 1}


def service(request: Request) -> Reply:
    """Has no sub-account, never responds to `ips.list`, and responds successfully to everything else."""
    if request.path == "/api/ips/":
        return Instead.HANG
    return Answer(404) if request.path == "/api/sub/get/" else FINE


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server(service)


@pytest.fixture
def client(server: Server, connect_async: ConnectAsync) -> AsyncClient:
    return connect_async(server)


async def until(wait: Callable[[int], None], count: int) -> None:
    """Waits for the server without blocking the loop."""
    await asyncio.to_thread(wait, count)


# A call is a coroutine.


def test_asyncio_runs_a_call_as_it_runs_any_coroutine(client: AsyncClient) -> None:
    assert asyncio.run(client.geo.open()) == US
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(client.geo.open()) == US

    async def elsewhere() -> dict[str, int]:
        submitted = asyncio.run_coroutine_threadsafe(client.geo.open(), asyncio.get_running_loop())
        return await asyncio.to_thread(submitted.result, PATIENCE)

    assert loop.run_until_complete(elsewhere()) == US
    loop.close()


def test_asyncio_recognises_a_call_as_a_coroutine(client: AsyncClient) -> None:
    call = client.sub_accounts.get("x")
    assert asyncio.iscoroutine(call)
    assert inspect.isawaitable(call)
    assert isinstance(call, collections.abc.Coroutine)
    assert isinstance(call, collections.abc.Awaitable)
    assert repr(call) == "<proxymesh call AsyncSubAccounts.get>"
    call.close()


def test_tasks_are_named_after_the_call(client: AsyncClient) -> None:
    async def main() -> None:
        task = asyncio.create_task(client.geo.open(), name="countries")
        assert "coro=<AsyncGeo.open" in repr(task)
        assert task.get_name() == "countries"
        assert task.get_stack() == []
        assert await task == US
        assert task.result() == US

    asyncio.run(main())


def test_gather_returns_the_results_in_order_and_raises_the_first_exception(
    client: AsyncClient, server: Server
) -> None:
    async def main() -> None:
        good = [client.geo.open() for _ in range(20)]
        assert await asyncio.gather(*good, client.proxies.delete("us-ca")) == [US] * 20 + [None]
        with pytest.raises(NotFoundError) as caught:
            await asyncio.gather(client.geo.open(), client.sub_accounts.get("nobody"))
        assert caught.value.call == "sub_accounts.get"
        results = await asyncio.gather(
            client.geo.open(), client.sub_accounts.get("nobody"), client.sub_accounts.get("!"), return_exceptions=True
        )
        assert [type(result) for result in results] == [dict, NotFoundError, ValidationError]

    asyncio.run(main())


if sys.version_info >= (3, 11):  # the first version with asyncio.TaskGroup

    def test_a_task_group_cancels_the_other_calls_when_one_fails(client: AsyncClient, server: Server) -> None:
        async def main() -> None:
            await client.geo.open()
            with pytest.raises(ExceptionGroup) as caught:  # noqa: F821, PT012
                async with asyncio.TaskGroup() as group:
                    group.create_task(client.ips.list())
                    group.create_task(client.ips.list())
                    await until(server.wait_for_requests, 3)
                    group.create_task(client.sub_accounts.get("nobody"))
            assert [type(error) for error in caught.value.exceptions] == [NotFoundError]
            await until(server.wait_for_gone, 2)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(client.geo.open()) for _ in range(10)]
            assert [task.result() for task in tasks] == [US] * 10

        asyncio.run(main())


if sys.version_info >= (3, 12):  # the first version with asyncio.eager_task_factory

    def test_an_eager_task_sends_its_call_at_once(client: AsyncClient, server: Server) -> None:
        async def main() -> None:
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            task = asyncio.create_task(client.geo.open())
            server.wait_for_requests(1)
            assert not task.done()
            assert await task == US
            with pytest.raises(ValidationError):
                await asyncio.create_task(client.sub_accounts.get("!"))
            assert await asyncio.gather(*(client.geo.open() for _ in range(20))) == [US] * 20

        asyncio.run(main())


def test_any_number_of_concurrent_calls_needs_only_max_connections(
    start_server: StartServer, connect_async: ConnectAsync
) -> None:
    server = start_server(answer({"US": 1}))
    client = connect_async(server, max_connections=50)

    async def main() -> None:
        await client.geo.open()
        assert await asyncio.gather(*(client.geo.open() for _ in range(2000))) == [US] * 2000

    asyncio.run(main())
    assert len({request.connection for request in server.requests}) == 50


def test_a_task_that_nothing_refers_to_is_not_lost(start_server: StartServer, connect_async: ConnectAsync) -> None:
    collected = threading.Event()

    def script(request: Request) -> Reply:
        assert collected.wait(PATIENCE)
        return FINE

    server = start_server(script)
    client = connect_async(server)

    async def main() -> None:
        done = asyncio.Event()
        asyncio.create_task(client.geo.open()).add_done_callback(lambda _: done.set())
        await until(server.wait_for_requests, 1)
        gc.collect()
        collected.set()
        await asyncio.wait_for(done.wait(), PATIENCE)

    asyncio.run(main())


# When a call is sent, and when it fails.


def test_nothing_is_sent_before_a_call_is_awaited_and_python_warns_if_it_never_is(
    client: AsyncClient, server: Server
) -> None:
    with pytest.warns(RuntimeWarning, match=r"^coroutine 'AsyncGeo\.open' was never awaited$"):
        client.geo.open()  # type: ignore[unused-coroutine]
    client.geo.open().close()
    assert server.connections == 0


def test_a_call_is_awaited_once(client: AsyncClient, server: Server) -> None:
    async def main() -> None:
        for call in (client.geo.open(), client.sub_accounts.get("!"), client.__aenter__()):
            await asyncio.wait([asyncio.ensure_future(call)])
            with pytest.raises(RuntimeError, match=r"^cannot reuse already awaited coroutine$"):
                await call
        closed = client.geo.open()
        closed.close()
        with pytest.raises(RuntimeError, match="already awaited"):
            await closed

    asyncio.run(main())
    assert server.count == 1


def test_invalid_input_is_reported_when_the_call_is_awaited(client: AsyncClient, server: Server) -> None:
    call = client.sub_accounts.create("no spaces")
    with pytest.raises(ValidationError) as caught:
        asyncio.run(call)
    assert caught.value.field == "username"
    assert server.connections == 0


def test_an_exception_names_the_line_that_awaited(client: AsyncClient) -> None:
    with pytest.raises(NotFoundError) as caught:
        asyncio.run(client.sub_accounts.get("nobody"))
    assert caught.traceback[0].path == Path(__file__)
    assert caught.value.__context__ is None


# The life of a client.


def test_async_with_closes_and_lets_exceptions_through(client: AsyncClient, server: Server) -> None:
    async def main() -> None:
        async with client as same:
            assert same is client
            assert await client.geo.open() == US
        await until(server.wait_for_closed, 1)
        with pytest.raises(ConfigError, match=r"^the client is closed; create a new one$"):
            await client.geo.open()
        await client.aclose()
        with pytest.raises(ConfigError):
            client.with_options(timeout=1.0)

    asyncio.run(main())
    assert repr(client) == "<proxymesh.AsyncClient closed>"


def test_an_exception_leaves_the_context_as_it_is(client: AsyncClient) -> None:
    async def main() -> None:
        async with client:
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(main())


def test_calls_in_progress_continue_when_the_client_is_closed(
    start_server: StartServer, connect_async: ConnectAsync
) -> None:
    closed = threading.Event()

    def script(request: Request) -> Reply:
        assert closed.wait(PATIENCE)
        return FINE

    server = start_server(script)
    client = connect_async(server)

    async def main() -> None:
        task = asyncio.create_task(client.geo.open())
        await until(server.wait_for_requests, 1)
        await client.aclose()
        closed.set()
        assert await task == US

    asyncio.run(main())


def test_with_options_applies_only_to_its_own_calls_and_shares_the_connections(
    client: AsyncClient, server: Server
) -> None:
    async def main() -> None:
        await client.geo.open()
        quick = client.with_options(timeout=0.2, max_retries=0)
        assert await quick.geo.open() == US
        with pytest.raises(proxymesh.TimeoutError, match=r"0\.2 s"):
            await quick.ips.list()
        assert await client.geo.open() == US

    asyncio.run(main())
    assert server.requests[0].connection == server.requests[1].connection


def test_garbage_collection_drops_the_connections(server: Server, connect_async: ConnectAsync) -> None:
    assert asyncio.run(connect_async(server).geo.open()) == US
    gc.collect()
    server.wait_for_closed(1)


# Loops and threads.


def test_one_loop_after_another_in_a_thread(client: AsyncClient, server: Server) -> None:
    for _ in range(50):
        assert asyncio.run(client.geo.open()) == US
    assert server.connections == 1, "the connections are the client's, not the loop's"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="there is no /proc here")
def test_a_loop_that_is_gone_leaves_no_descriptor(client: AsyncClient) -> None:
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    asyncio.run(client.geo.open())
    before = descriptors()
    for _ in range(50):
        asyncio.run(client.geo.open())
    assert descriptors() <= before


def test_a_loop_is_not_kept_alive(client: AsyncClient) -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client.geo.open())
    gone = weakref.ref(loop)
    loop.close()
    del loop
    gc.collect()
    assert gone() is None


def test_two_loops_take_turns_in_one_thread(client: AsyncClient) -> None:
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for _ in range(10):
        for loop in loops:
            assert loop.run_until_complete(client.geo.open()) == US
    for loop in loops:
        loop.close()


def test_a_loop_may_move_to_another_thread(client: AsyncClient) -> None:
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as elsewhere:
        for _ in range(5):
            assert loop.run_until_complete(client.geo.open()) == US
            assert elsewhere.submit(lambda: loop.run_until_complete(client.geo.open())).result(PATIENCE) == US
    loop.close()


def test_loops_in_many_threads_share_a_client(client: AsyncClient, server: Server) -> None:
    async def main() -> int:
        answers = [await asyncio.gather(*(client.geo.open() for _ in range(8))) for _ in range(10)]
        return sum(one == US for several in answers for one in several)

    with ThreadPoolExecutor(8) as threads:
        counts = [threads.submit(asyncio.run, main()) for _ in range(16)]
        assert [count.result(PATIENCE) for count in counts] == [80] * 16
    assert server.count == 16 * 80


def test_a_loop_that_stops_early_and_runs_again_continues_its_calls(
    start_server: StartServer, connect_async: ConnectAsync
) -> None:
    server = start_server(FINE)
    client = connect_async(server)
    loop = asyncio.new_event_loop()

    async def begin() -> asyncio.Task[dict[str, int]]:
        task = loop.create_task(client.geo.open())
        await asyncio.sleep(0)
        return task

    task = loop.run_until_complete(begin())
    server.wait_for_requests(1)
    assert not task.done()
    assert loop.run_until_complete(task) == US
    loop.close()


def test_closing_a_loop_abandons_its_calls(client: AsyncClient, server: Server) -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    loop.run_until_complete(client.geo.open())
    call = client.ips.list()
    task = loop.create_task(call)
    loop.run_until_complete(until(server.wait_for_requests, 2))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    server.wait_for_gone(1)
    with pytest.raises(RuntimeError, match=r"^the event loop is closed$"):
        call.send(None)
    del task


def test_without_asyncio_a_call_says_what_to_do(client: AsyncClient) -> None:
    call = client.geo.open()
    with pytest.raises(RuntimeError, match="needs a running asyncio event loop") as caught:
        call.send(None)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_loop_that_watches_no_descriptors_works_the_same(client: AsyncClient, server: Server) -> None:
    async def main() -> None:
        assert await client.geo.open() == US
        for _ in range(20):
            assert await asyncio.gather(*(client.geo.open() for _ in range(10))) == [US] * 10
        with pytest.raises(NotFoundError):
            await client.sub_accounts.get("nobody")
        count = server.count
        task = asyncio.create_task(client.ips.list())
        await until(server.wait_for_requests, count + 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(server.wait_for_gone, 1)

    for _ in range(3):
        loop = WithoutReaders()
        loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_default_executor())
        server.gone = 0
        loop.close()


# Asyncio's other tools.


def test_a_shielded_call_continues_when_its_waiter_is_cancelled(
    start_server: StartServer, connect_async: ConnectAsync
) -> None:
    cancelled = threading.Event()

    def script(request: Request) -> Reply:
        assert cancelled.wait(PATIENCE)
        return FINE

    server = start_server(script)
    client = connect_async(server)

    async def main() -> None:
        inner = asyncio.ensure_future(client.geo.open())
        outer = asyncio.create_task(shielded(inner))
        await until(server.wait_for_requests, 1)
        outer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await outer
        cancelled.set()
        assert await inner == US

    async def shielded(inner: Awaitable[object]) -> None:
        await asyncio.shield(inner)

    asyncio.run(main())


def test_as_completed_and_wait(client: AsyncClient) -> None:
    async def main() -> None:
        for next_one in asyncio.as_completed([client.geo.open() for _ in range(5)]):
            assert await next_one == US
        tasks = [asyncio.ensure_future(client.geo.open()) for _ in range(5)]
        done, pending = await asyncio.wait(tasks)
        assert (len(done), len(pending)) == (5, 0)

    asyncio.run(main())


def test_context_variables_are_the_tasks_own(client: AsyncClient) -> None:
    variable = contextvars.ContextVar[int]("variable")

    async def one(number: int) -> None:
        variable.set(number)
        await client.geo.open()
        assert variable.get() == number

    async def main() -> None:
        await asyncio.gather(*(one(number) for number in range(20)))

    asyncio.run(main())


def test_asyncios_debug_mode_reports_nothing(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        asyncio.get_running_loop().slow_callback_duration = PATIENCE
        await asyncio.gather(*(client.geo.open() for _ in range(20)))
        task = asyncio.create_task(client.ips.list())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        await client.aclose()

    with caplog.at_level(logging.INFO):
        asyncio.run(main(), debug=True)
    assert caplog.records == []


def test_a_call_can_be_passed_to_code_that_awaits_it(client: AsyncClient) -> None:
    """A decorator or a retry library awaits what it is given."""

    async def twice(make: Callable[[], Coroutine[Any, Any, dict[str, int]]]) -> list[dict[str, int]]:
        return [await make(), await make()]

    assert asyncio.run(twice(client.geo.open)) == [US, US]
