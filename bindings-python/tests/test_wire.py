"""What goes over the wire: every call, byte for byte as tests/tables/wire.json says, and what they give."""

from __future__ import annotations

import proxymesh
import pytest
from proxymesh import Client

from .conftest import Connect, ConnectEither, StartServer
from .support.credentials import ODD_BASIC, TOKEN
from .support.server import Answer, Request, Server, answer
from .support.tables import CALLS, Row, call, plain, row_id, rows

WIRE = rows("wire")
NOT_TOKENS = [row for row in WIRE if not row["call"].startswith("tokens.")]


def served(row: Row) -> Answer:
    body = row["answer"]["body"]
    status = row["answer"]["status"]
    return Answer(status) if body is None else answer(body, status)


def check(row: Row, server: Server, authorization: str) -> None:
    """Compares the one request that came with the row."""
    sent: Request = server.only_request()
    expected = row["request"]
    form = expected.get("form", "")
    assert sent.head.startswith(f"{expected['method']} ")
    assert sent.path == expected["path"]
    assert sent.query == expected.get("query")
    assert sent.body.decode() == form
    assert sent.head.split("\r\n")[0].endswith(" HTTP/1.1")
    headers = {
        "accept": "application/json",
        "authorization": authorization,
        "host": f"127.0.0.1:{server.port}",
        "user-agent": f"proxymesh-python/{proxymesh.__version__}",
    }
    if sent.method == "POST":
        headers["content-type"] = "application/x-www-form-urlencoded"
        headers["content-length"] = str(len(form))
    # Not `==` alone: pytest would print the credentials where they differ.
    assert sent.headers.keys() == headers.keys(), "these headers and no others"
    differ = [name for name, value in headers.items() if sent.headers[name] != value]
    assert not differ, "these headers differ"


def test_the_table_has_every_call() -> None:
    assert {row["call"] for row in WIRE} == CALLS


@pytest.mark.parametrize("row", WIRE, ids=row_id)
def test_a_call_sends_and_gives_what_the_table_says(
    row: Row, start_server: StartServer, connect_either: ConnectEither
) -> None:
    server = start_server(served(row))
    value = call(connect_either(server), row["call"], row["args"])
    check(row, server, ODD_BASIC)
    assert plain(value) == row["value"]


@pytest.mark.parametrize("row", NOT_TOKENS, ids=row_id)
def test_with_a_token_only_the_credential_header_differs(
    row: Row, start_server: StartServer, connect_either: ConnectEither
) -> None:
    server = start_server(served(row))
    value = call(connect_either(server, token=TOKEN), row["call"], row["args"])
    check(row, server, f"Bearer {TOKEN}")
    assert plain(value) == row["value"]


def test_what_may_be_repeated_uses_one_connection(start_server: StartServer, connect: Connect) -> None:
    server = start_server(lambda request: answer({"ips": []}) if request.method == "GET" else Answer(204))
    client = connect(server)
    for _ in range(10):
        client.ips.list()
        client.proxies.delete("us-ca")
    assert (server.count, server.connections) == (20, 1)


def test_a_base_url_may_have_a_path(start_server: StartServer) -> None:
    for slash in ("", "/"):
        server = start_server(answer({"ips": []}))
        with Client(token=TOKEN, base_url=f"{server.base_url}/behind/a proxy{slash}") as client:
            client.ips.list()
        assert server.only_request().target == "/behind/a%20proxy/api/ips/"
