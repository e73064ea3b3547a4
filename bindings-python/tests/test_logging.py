"""The logger `proxymesh`: one DEBUG record per attempt, while the call is in progress. By default, it logs nothing."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import proxymesh
import pytest
from proxymesh import AsyncClient, Client

from .conftest import Connect, ConnectAsync, ConnectEither, StartServer
from .support.calls import call
from .support.credentials import ODD_BASIC, ODD_PASSWORD, PASSWORD, SUB_PASSWORD, USERNAME
from .support.server import PATIENCE, Answer, Reply, Request, answer

US = {"US": 1}
FINE = answer(US)
AGAIN = Answer(429, headers={"retry-after": "0"})
LOGGER = logging.getLogger("proxymesh")
FIELDS = ("call", "method", "path", "attempt", "status", "failure", "elapsed", "retry_in")


class Records(logging.Handler):
    """Keeps each record and calls `act` with it."""

    def __init__(self, act: Callable[[logging.LogRecord], object]) -> None:
        super().__init__()
        self.act = act
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.act(record)


@contextlib.contextmanager
def handled(act: Callable[[logging.LogRecord], object] = lambda record: None) -> Iterator[list[logging.LogRecord]]:
    """Yields a list of everything that is logged at DEBUG inside the block. Each record is also passed to `act`."""
    handler, level = Records(act), LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.DEBUG)
    try:
        yield handler.records
    finally:
        LOGGER.setLevel(level)
        LOGGER.removeHandler(handler)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: vars(record)[name] for name in FIELDS}


def open_geo(client: Client | AsyncClient) -> Any:
    return call(client, "geo.open", {})


def test_every_attempt_is_one_record_with_its_fields(start_server: StartServer, connect_either: ConnectEither) -> None:
    server = start_server(lambda request: AGAIN if server.count == 1 else FINE)
    client = connect_either(server)
    with handled() as records:
        assert open_geo(client) == US
    first, second = map(fields, records)
    assert 0 < first.pop("elapsed") < PATIENCE
    assert 0 < second.pop("elapsed") < PATIENCE
    same = {"call": "geo.open", "method": "GET", "path": "/api/geoips/open/", "failure": None}
    assert 0 <= first.pop("retry_in") < 1
    assert first == {**same, "attempt": 1, "status": 429}
    assert second == {**same, "attempt": 2, "status": 200, "retry_in": None}
    assert {(record.name, record.levelname) for record in records} == {("proxymesh", "DEBUG")}
    assert records[1].getMessage().startswith("geo.open: GET /api/geoips/open/: 200 after ")
    assert records[1].getMessage().endswith(" ms (attempt 2)")


def test_the_record_of_an_attempt_without_a_response_says_why(connect_either: ConnectEither) -> None:
    client = connect_either("http://127.0.0.1:1", max_retries=0)
    with handled() as records, pytest.raises(proxymesh.ConnectionError) as caught:
        open_geo(client)
    (record,) = map(fields, records)
    assert (record["status"], record["failure"], record["retry_in"]) == (None, caught.value.reason, None)


@pytest.mark.parametrize("level", [logging.DEBUG + 1, logging.INFO])
def test_nothing_is_logged_above_debug(level: int, start_server: StartServer, connect_either: ConnectEither) -> None:
    client = connect_either(start_server(FINE))
    with handled() as records:
        LOGGER.setLevel(level)
        open_geo(client)
        assert records == []
        LOGGER.setLevel(logging.DEBUG)
        open_geo(client)
        assert len(records) == 1, "the level at the time of the call applies"


def test_a_record_is_written_while_its_call_is_in_progress(
    start_server: StartServer, connect_either: ConnectEither
) -> None:
    logged = threading.Event()

    def script(request: Request) -> Reply:
        if server.count == 1:
            return AGAIN
        # Respond to the second attempt only after the first has been logged.
        assert logged.wait(PATIENCE)
        return FINE

    server = start_server(script)
    client = connect_either(server)
    with handled(lambda record: logged.set()) as records:
        assert open_geo(client) == US
    assert [vars(record)["attempt"] for record in records] == [1, 2]


def test_threads_and_tasks_each_log_their_own_calls(
    start_server: StartServer, connect: Connect, connect_async: ConnectAsync
) -> None:
    server = start_server(FINE)
    client, awaited = connect(server), connect_async(server)

    async def main() -> None:
        await asyncio.gather(*(awaited.geo.open() for _ in range(50)))

    with handled() as records:
        threads = [threading.Thread(target=lambda: [client.geo.open() for _ in range(25)]) for _ in range(4)]
        threads.append(threading.Thread(target=asyncio.run, args=(main(),)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert len(records) == server.count == 150


request_id = contextvars.ContextVar("request_id", default="none")


def test_a_record_is_written_in_the_context_of_its_call(
    start_server: StartServer, connect: Connect, connect_async: ConnectAsync
) -> None:
    """A filter may add the id of the request that is being served, as the filters of web frameworks do."""
    seen: list[tuple[str, str]] = []

    retried: set[str] = set()

    def script(request: Request) -> Reply:
        if request.path in retried:
            return FINE
        retried.add(request.path)
        return AGAIN

    server = start_server(script)

    async def one(client: AsyncClient, resource: str, verb: str) -> None:
        request_id.set(f"{resource}.{verb}")
        await getattr(getattr(client, resource), verb)()

    async def main() -> None:
        client = connect_async(server)
        await one(client, "geo", "open")
        await asyncio.gather(one(client, "geo", "world"), one(client, "geo", "open"))
        request_id.set("proxies.list")
        with pytest.raises(proxymesh.DecodeError):
            await client.proxies.list()

    with handled(lambda record: seen.append((request_id.get(), vars(record)["call"]))):
        asyncio.run(main())
    assert len(seen) == 7
    assert [mine for mine, its in seen] == [its for mine, its in seen]


class Raised(Exception):
    pass


def fail(record: logging.LogRecord) -> None:
    raise Raised


def test_an_exception_in_a_handler_does_not_affect_the_call(
    start_server: StartServer,
    connect: Connect,
    connect_async: ConnectAsync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The call was made. Reporting a failure would be wrong, and dangerous for a write."""
    server = start_server(FINE)
    blocking, awaited = connect(server), connect_async(server)
    told: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_value))

    async def main() -> None:
        calls = [asyncio.ensure_future(awaited.geo.open()) for _ in range(50)]
        assert await asyncio.wait_for(asyncio.gather(*calls), PATIENCE) == [US] * 50

    with handled(fail) as records:
        assert blocking.geo.open() == US
        asyncio.run(main())
    assert [type(error) for error in told] == [Raised] * len(records) == [Raised] * 51


def test_a_keyboard_interrupt_in_a_handler_is_raised(start_server: StartServer, connect_either: ConnectEither) -> None:
    client = connect_either(start_server(FINE))

    def interrupt(record: logging.LogRecord) -> None:
        raise KeyboardInterrupt

    with handled(interrupt), pytest.raises(KeyboardInterrupt):
        open_geo(client)
    assert open_geo(client) == US


def test_a_record_contains_neither_secrets_nor_arguments(
    start_server: StartServer, connect_either: ConnectEither
) -> None:
    client = connect_either(start_server(Answer(400, f"{ODD_PASSWORD} {SUB_PASSWORD}")))
    with handled() as records:
        for name, arguments in [
            ("sub_accounts.create", {"username": "whom", "password": SUB_PASSWORD, "email": "whom@ex.com"}),
            ("sub_accounts.get", {"username": "whom"}),
            ("tokens.list", {"username": "whom"}),
        ]:
            with pytest.raises(proxymesh.BadRequestError):
                call(client, name, arguments)
    assert len(records) == 3
    for record in records:
        text = repr(vars(record)) + record.getMessage()
        for hidden in (PASSWORD, SUB_PASSWORD, ODD_BASIC, USERNAME, "whom", "?"):
            assert (hidden in text) is False


def run(program: str) -> tuple[int, str, str]:
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    return ended.returncode, ended.stdout, ended.stderr


SANDBOX = """
import sys
from proxymesh.sandbox import Sandbox
sandbox = Sandbox()
client = sandbox.client()
sandbox.fault("status", status=429, headers={"Retry-After": "0"})
"""


def test_by_default_nothing_is_written_and_logging_is_not_imported() -> None:
    assert run(SANDBOX + "client.geo.open(); assert 'logging' not in sys.modules") == (0, "", "")


def test_by_default_asyncio_writes_nothing_either() -> None:
    assert run(SANDBOX + "import asyncio; asyncio.run(sandbox.async_client().geo.open())") == (0, "", "")


def test_logging_may_be_turned_on_at_any_time() -> None:
    turned_on = "client.geo.open(); import logging; logging.basicConfig(level=logging.DEBUG); client.geo.open()"
    code, out, err = run(SANDBOX + turned_on)
    assert (code, out) == (0, "")
    assert err.startswith("DEBUG:proxymesh:geo.open: GET /api/geoips/open/: 200 after ")
    assert err.count("\n") == 1
