"""Which calls are retried: one call of each class, with each way in which a service can fail once.

core/tests/replay.rs runs the whole table. This checks what a Python caller sees, and the state afterwards.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import proxymesh
import pytest
from proxymesh import Client
from proxymesh.sandbox import Sandbox

from .conftest import Connect, StartServer
from .support.calls import call
from .support.credentials import SUB_PASSWORD
from .support.server import Answer, Instead, Reply, Request, Server, answer

IP = "203.0.113.7"


def read(client: Client) -> object:
    return client.ips.list()


def edit(client: Client) -> object:
    return client.sub_accounts.edit("crawler-1", monthly_limit=5).monthly_bandwidth_limit


def add(client: Client) -> object:
    return client.ips.add(IP)


def create(client: Client) -> object:
    return client.sub_accounts.create("crawler-2").username


def create_token(client: Client) -> object:
    return client.tokens.create(label="ci").label


# For each class: a call, its path, its result, and how often it has taken effect according to other calls.
CALLS: dict[str, tuple[Callable[[Client], object], str, object, Callable[[Client], int]]] = {
    "Read": (read, "/api/ips/", [], lambda client: 0),
    "Idempotent": (
        edit,
        "/api/sub/edit/",
        5,
        lambda client: int(client.sub_accounts.get("crawler-1").monthly_bandwidth_limit == 5),
    ),
    "Verifiable": (add, "/api/ip/add/", IP, lambda client: client.ips.list().count(IP)),
    "Once": (create, "/api/sub/create/", "crawler-2", lambda client: exists(client, "crawler-2")),
    "Once, a token": (create_token, "/api/token/create/", "ci", lambda client: len(client.tokens.list())),
}
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "reset before it was done": ("reset", {}),
    "closed before it was done": ("drop", {}),
    "closed after it was done": ("drop_after_apply", {}),
    "cut short after it was done": ("truncate", {}),
    "time-out, though it was done": ("delay_after_apply", {"seconds": 30}),
    "503": ("status", {"status": 503}),
    "429, Retry-After: 1": ("status", {"status": 429, "headers": {"Retry-After": "1"}}),
    "429, Retry-After: 61": ("status", {"status": 429, "headers": {"Retry-After": "61"}}),
}
# For each class and fault: how often the call is sent, how often it took effect, and what the caller gets.
TABLE = """
| Read          | reset before it was done     | 2 | 0 | the answer         |
| Read          | closed before it was done    | 2 | 0 | the answer         |
| Read          | closed after it was done     | 2 | 0 | the answer         |
| Read          | cut short after it was done  | 2 | 0 | the answer         |
| Read          | time-out, though it was done | 2 | 0 | the answer         |
| Read          | 503                          | 2 | 0 | the answer         |
| Read          | 429, Retry-After: 1          | 2 | 0 | the answer         |
| Read          | 429, Retry-After: 61         | 1 | 0 | RateLimitedError   |
| Idempotent    | reset before it was done     | 2 | 1 | the answer         |
| Idempotent    | closed before it was done    | 2 | 1 | the answer         |
| Idempotent    | closed after it was done     | 2 | 1 | the answer         |
| Idempotent    | cut short after it was done  | 2 | 1 | the answer         |
| Idempotent    | time-out, though it was done | 2 | 1 | the answer         |
| Idempotent    | 503                          | 2 | 1 | the answer         |
| Idempotent    | 429, Retry-After: 1          | 2 | 1 | the answer         |
| Idempotent    | 429, Retry-After: 61         | 1 | 0 | RateLimitedError   |
| Verifiable    | reset before it was done     | 2 | 1 | the answer         |
| Verifiable    | closed before it was done    | 2 | 1 | the answer         |
| Verifiable    | closed after it was done     | 2 | 1 | the answer         |
| Verifiable    | cut short after it was done  | 2 | 1 | the answer         |
| Verifiable    | time-out, though it was done | 2 | 1 | the answer         |
| Verifiable    | 503                          | 2 | 1 | the answer         |
| Verifiable    | 429, Retry-After: 1          | 2 | 1 | the answer         |
| Verifiable    | 429, Retry-After: 61         | 1 | 0 | RateLimitedError   |
| Once          | reset before it was done     | 1 | 0 | OutcomeUnknownError |
| Once          | closed before it was done    | 1 | 0 | OutcomeUnknownError |
| Once          | closed after it was done     | 1 | 1 | OutcomeUnknownError |
| Once          | cut short after it was done  | 1 | 1 | OutcomeUnknownError |
| Once          | time-out, though it was done | 1 | 1 | OutcomeUnknownError |
| Once          | 503                          | 1 | 0 | OutcomeUnknownError|
| Once          | 429, Retry-After: 1          | 2 | 1 | the answer         |
| Once          | 429, Retry-After: 61         | 1 | 0 | RateLimitedError   |
| Once, a token | reset before it was done     | 1 | 0 | OutcomeUnknownError |
| Once, a token | closed after it was done     | 1 | 1 | OutcomeUnknownError |
| Once, a token | cut short after it was done  | 1 | 1 | OutcomeUnknownError |
| Once, a token | time-out, though it was done | 1 | 1 | OutcomeUnknownError |
| Once, a token | 503                          | 1 | 0 | OutcomeUnknownError|
| Once, a token | 429, Retry-After: 1          | 2 | 1 | the answer         |
"""
LINES = [tuple(column.strip() for column in line.strip("| ").split("|")) for line in TABLE.strip().splitlines()]
Line = tuple[str, ...]


def exists(client: Client, username: str) -> int:
    try:
        client.sub_accounts.get(username)
    except proxymesh.NotFoundError:
        return 0
    return 1


def in_words(act: Callable[[], object], wanted: object) -> str:
    try:
        value = act()
    except proxymesh.ProxyMeshError as error:
        return type(error).__name__
    return "the answer" if value == wanted else f"another answer: {value}"


def run(kind: str, fault: str) -> Line:
    """Runs one line of the table. Returns the line with what really happened."""
    act, path, wanted, done = CALLS[kind]
    name, fields = FAULTS[fault]
    with Sandbox() as sandbox, sandbox.client() as client:
        client.sub_accounts.create("crawler-1")
        before = done(client)
        sandbox.clear_requests()
        sandbox.fault(name, path=path, **fields)
        # The short time limit applies only to this call, not to those that check the state.
        outcome = in_words(lambda: act(client.with_options(timeout=1.5)), wanted)
        sent = sum(request.path == path for request in sandbox.requests())
        return kind, fault, str(sent), str(done(client) - before), outcome


@pytest.fixture(scope="module")
def happened() -> dict[tuple[str, str], Line]:
    """Runs all lines at once, because most of the time is spent waiting between attempts."""
    with ThreadPoolExecutor(len(LINES)) as threads:
        futures: list[Future[Line]] = [threads.submit(run, line[0], line[1]) for line in LINES]
        return {(line[0], line[1]): line for line in (future.result() for future in futures)}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]}: {line[1]}")
def test_the_replay_table_holds(line: Line, happened: dict[tuple[str, str], Line]) -> None:
    assert happened[line[0], line[1]] == line


def test_every_class_is_tested_with_every_fault() -> None:
    lines = {(line[0], line[1]) for line in LINES}
    assert lines >= {(kind, fault) for kind in CALLS if kind != "Once, a token" for fault in FAULTS}


@pytest.mark.parametrize("kind", CALLS)
def test_a_refused_connection_is_retried_for_every_class(kind: str, connect: Connect) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        client = connect(f"http://127.0.0.1:{nobody.getsockname()[1]}", max_retries=1)
        with pytest.raises(proxymesh.ConnectionError, match="refused") as caught:
            CALLS[kind][0](client)
    assert caught.value.attempts == 2


def test_an_ip_is_added_once_although_the_response_was_lost(sandbox: Sandbox) -> None:
    sandbox.fault("drop_after_apply", path="/api/ip/add/")
    with sandbox.client() as client:
        assert client.ips.add(IP, label="office") == IP
        assert [(entry.ip, entry.label) for entry in client.ips.labels()] == [(IP, "office")]
    asked = [(request.method, request.path, request.status) for request in sandbox.requests()]
    assert asked[:3] == [
        ("POST", "/api/ip/add/", None),
        ("POST", "/api/ip/add/", 400),
        ("GET", "/api/ip_labels/", 200),
    ]


def test_an_ip_that_was_already_authorised_is_rejected_at_once(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.ips.add(IP)
        with pytest.raises(proxymesh.BadRequestError, match=f"ips.add: bad request \\(400\\): .*{IP}"):
            client.ips.add(IP)
    assert [request.path for request in sandbox.requests()] == ["/api/ip/add/"] * 2


def test_calls_whose_result_can_be_looked_up_survive_a_lost_response(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.sub_accounts.create("crawler-1", password=SUB_PASSWORD)
        token = client.tokens.create()
        client.ips.add(IP)
        client.ips.add(IP, username="crawler-1")
        client.hostnames.add("a.example")
        lost: list[tuple[str, str, dict[str, Any]]] = [
            ("/api/ip/delete/", "ips.delete", {"ip": IP}),
            ("/api/ip/delete/", "ips.delete", {"ip": IP, "username": "crawler-1"}),
            ("/api/hostname/delete/", "hostnames.delete", {"domain": "a.example"}),
            ("/api/hostname/add/", "hostnames.add", {"domain": "a.example"}),
            ("/api/token/delete/", "tokens.delete", {"id": token.id}),
            ("/api/sub/delete/", "sub_accounts.delete", {"username": "crawler-1"}),
        ]
        for path, name, arguments in lost:
            sandbox.clear_requests()
            sandbox.fault("drop_after_apply", path=path)
            call(client, name, arguments)
            first, second, look = sandbox.requests()
            assert (first.path, second.path, look.method) == (path, path, "GET")
        assert (client.ips.list(), client.hostnames.list(), client.tokens.list()) == ([], ["a.example"], [])
        assert exists(client, "crawler-1") == 0


def test_the_error_of_other_calls_says_how_to_find_out(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.sub_accounts.create("crawler-1")
        sandbox.fault("drop_after_apply", path="/api/hostname/add/")
        with pytest.raises(proxymesh.OutcomeUnknownError) as caught:
            client.hostnames.add("a.example", username="crawler-1")
        sandbox.fault("drop_after_apply", path="/api/sub/create/")
        with pytest.raises(proxymesh.OutcomeUnknownError) as created:
            client.sub_accounts.create("crawler-2")
    assert caught.value.call == "hostnames.add"
    assert "hostnames.list" in caught.value.recovery_hint
    error = created.value
    assert error.recovery_hint == "check with sub_accounts.get"
    assert (
        str(error)
        == f"{error.call}: {error.reason}, so the call may or may not have taken effect; {error.recovery_hint}"
    )


def test_a_longer_retry_after_than_a_minute_fails_at_once(sandbox: Sandbox) -> None:
    sandbox.fault("status", status=429, headers={"Retry-After": "61"})
    with sandbox.client() as client, pytest.raises(proxymesh.RateLimitedError) as caught:
        client.ips.list()
    assert (caught.value.retry_after, caught.value.attempts) == (61.0, 1)
    assert len(sandbox.requests()) == 1


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_max_retries_is_how_often_a_call_is_retried(retries: int, start_server: StartServer, connect: Connect) -> None:
    server = start_server(Answer(503, headers={"retry-after": "0"}))
    for client in (connect(server, max_retries=retries), connect(server).with_options(max_retries=retries)):
        before = server.count
        with pytest.raises(proxymesh.ServerError) as caught:
            client.geo.open()
        assert caught.value.attempts == server.count - before == retries + 1


def test_a_401_or_any_other_refusal_is_never_retried(start_server: StartServer, connect: Connect) -> None:
    for status in (302, 400, 401, 402, 403, 404, 405, 418, 501):
        server = start_server(Answer(status, headers={"retry-after": "0"}))
        with pytest.raises(proxymesh.StatusError) as caught:
            connect(server, max_retries=5).ips.list()
        assert (caught.value.status, server.count) == (status, 1)


def test_a_call_with_an_unreadable_success_is_not_retried(start_server: StartServer, connect: Connect) -> None:
    server = start_server(Answer(200, "<html>"))
    for act, kind in (
        (read, proxymesh.DecodeError),
        (edit, proxymesh.OutcomeUnknownError),
        (create, proxymesh.OutcomeUnknownError),
    ):
        before = server.count
        with pytest.raises(kind):
            act(connect(server))
        assert server.count == before + 1


def test_a_write_with_an_unreadable_success_is_looked_up(start_server: StartServer, connect: Connect) -> None:
    def there(ips: list[str]) -> Server:
        return start_server(lambda request: Answer(200, "<html>") if request.method == "POST" else answer({"ips": ips}))

    assert add(connect(there([IP]))) == IP
    with pytest.raises(proxymesh.DecodeError):
        add(connect(there([])))
    with pytest.raises(proxymesh.OutcomeUnknownError, match="could not read the response"):
        add(connect(start_server(Answer(200, "<html>"))))


def test_a_create_uses_its_own_connection(start_server: StartServer, connect: Connect) -> None:
    """The outcome would be unknown if the call used an idle connection that the server is just closing."""
    account = {"username": "x", "active": True, "monthly_bandwidth": 0, "total_bandwidth": 0}

    def script(request: Request) -> Reply:
        return answer(account) if request.method == "POST" else Instead.CLOSE if request.connection else answer({})

    server = start_server(script)
    client = connect(server)
    client.geo.open()
    client.sub_accounts.create("x")
    assert [request.connection for request in server.requests] == [0, 1]
