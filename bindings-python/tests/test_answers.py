"""What an answer becomes: bad ones the right exception, with its text and its attributes; good ones a value, also
where the service says more, less, or it differently.
"""

from __future__ import annotations

import base64
import json
from datetime import date, datetime, timezone
from typing import Any

import proxymesh
import pytest

from .conftest import Connect, ConnectEither, StartServer
from .support.credentials import ODD_PASSWORD
from .support.server import Answer, Server, answer
from .support.tables import Row, call, row_id, rows, written_out

ROWS = rows("bad_answers")
KNOWN = {"kind", "status", "reason", "field_errors", "retry_after", "body", "text", "requests"}
ATTRIBUTES = ("status", "reason", "field_errors", "retry_after", "body")


def served(row: Row, elsewhere: Server) -> Answer:
    given: dict[str, Any] = row["answer"]

    def fill(text: str) -> str:
        # A password inside JSON is written as JSON has it.
        password = json.dumps(ODD_PASSWORD, ensure_ascii=False)[1:-1]
        return text.replace("{elsewhere}", elsewhere.base_url).replace("{password}", password)

    match given:
        case {"body": str(text)}:
            body = fill(text).encode()
        case {"body_base64": str(encoded)}:
            body = base64.b64decode(encoded)
        case {"body_repeat": list(repeat)}:
            body = written_out({"repeat": repeat}).encode()
        case _:
            raise AssertionError(f"one body: {row['call']}")
    headers = {name: fill(value) for name, value in given.get("headers", {}).items()}
    return Answer(given["status"], body, headers, chunked="chunked" in given, truncate="truncate" in given)


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_a_bad_answer_becomes_the_exception_that_the_table_says(
    row: Row, start_server: StartServer, connect_either: ConnectEither
) -> None:
    expected: dict[str, Any] = row["error"]
    assert set(expected) <= KNOWN
    elsewhere = start_server(answer({}))
    server = start_server(served(row, elsewhere))
    with pytest.raises(proxymesh.ProxyMeshError) as caught:
        call(connect_either(server, max_retries=0), row["call"], row["args"])
    error: Any = caught.value

    assert type(error) is getattr(proxymesh, f"{expected['kind']}Error")
    assert error.call == row["call"]
    for name in ATTRIBUTES:
        if name in expected:
            assert getattr(error, name) == written_out_unless_dict(expected[name]), name
    if "text" in expected:
        assert str(error) == expected["text"]
    if isinstance(error, proxymesh.StatusError):
        assert error.attempts == 1
        assert type(error.status) is int
    assert len(getattr(error, "body", "").encode()) <= 4096
    assert len(str(error)) < 1024
    assert str(error).isprintable()
    assert ODD_PASSWORD not in repr(error) + repr(vars(error))
    assert server.count == expected.get("requests", 1)
    assert elsewhere.connections == 0, "a redirect was followed"


def written_out_unless_dict(value: Any) -> Any:
    """`body` may be a value form; `field_errors` is an object as it stands."""
    return written_out(value) if isinstance(value, dict) and value.keys() <= {"repeat", "join"} and value else value


def read(start_server: StartServer, connect: Connect, name: str, body: Any, **arguments: Any) -> Any:
    """What a call gives for a good answer with this body."""
    return call(connect(start_server(answer(body))), name, arguments)


SUB = {"username": "x", "active": True, "monthly_bandwidth": 1.5, "total_bandwidth": 2}


def test_fields_that_are_new_to_this_version_are_passed_over(start_server: StartServer, connect: Connect) -> None:
    account = read(start_server, connect, "sub_accounts.get", {**SUB, "plan": {"a": [1]}}, username="x")
    assert account == proxymesh.SubAccount("x", True, 1.5, 2.0, 0, 0, None, None, None)
    labels = read(start_server, connect, "ips.labels", [{"ip": "203.0.113.7", "label": "x", "since": 3}])
    assert labels == [proxymesh.LabeledIp("203.0.113.7", "x")]


def test_optional_fields_of_a_sub_account_may_be_absent_or_null(start_server: StartServer, connect: Connect) -> None:
    body = {**SUB, "monthly_bandwidth_limit": None, "total_bandwidth_limit": 7.0, "first_name": None, "email": ""}
    account = read(start_server, connect, "sub_accounts.get", body, username="x")
    assert (account.monthly_bandwidth_limit, account.total_bandwidth_limit) == (0, 7)
    assert type(account.total_bandwidth_limit) is int
    assert type(account.total_bandwidth) is float
    assert (account.first_name, account.last_name, account.email) == (None, None, "")


def test_labels_come_as_an_array_or_as_an_object_with_one(start_server: StartServer, connect: Connect) -> None:
    entries = [{"ip": "203.0.113.7", "label": "x"}, {"ip": "::1", "label": None}, {"ip": "::2"}]
    for body in (entries, {"ip_labels": entries, "count": 3}):
        labels = read(start_server, connect, "ips.labels", body)
        assert [(entry.ip, entry.label) for entry in labels] == [("203.0.113.7", "x"), ("::1", ""), ("::2", "")]


def test_dates_and_moments_are_read_in_every_form(start_server: StartServer, connect: Connect) -> None:
    def token(expires_at: str | None, created_at: str) -> proxymesh.Token:
        body = {"id": 1, "is_active": True, "expires_at": expires_at, "created_at": created_at}
        value = read(start_server, connect, "tokens.activate", body, id=1)
        assert isinstance(value, proxymesh.Token)
        return value

    noon = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
    for sent, expiry in [
        (None, None),
        ("2027-01-31", date(2027, 1, 31)),
        ("2027-01-31T23:30:00", date(2027, 1, 31)),
        ("2027-01-31T23:30:00-01:00", date(2027, 2, 1)),
    ]:
        value = token(sent, "2026-01-15T12:00:00").expires_at
        assert value == expiry
        assert type(value) is type(expiry), "a date, and no datetime"
    for sent in ("2026-01-15T12:00:00", "2026-01-15T12:00:00Z", "2026-01-15T13:00:00+01:00", "2026-01-15 12:00:00"):
        created_at = token(None, sent).created_at
        assert (created_at, created_at.tzinfo) == (noon, timezone.utc)
    assert token(None, "2026-01-15T12:00:00.123456Z").created_at == noon.replace(microsecond=123456)


def test_a_call_that_promises_nothing_takes_any_success(start_server: StartServer, connect: Connect) -> None:
    for success in (Answer(200), Answer(204), answer({}), Answer(202, "<html>")):
        client = connect(start_server(success))
        assert call(client, "sub_accounts.delete", {"username": "x"}) is None
        assert call(client, "ips.delete", {"ip": "203.0.113.7"}) is None
        assert call(client, "tokens.delete", {"id": 1}) is None


def test_an_answer_of_just_under_8_mib_is_read(start_server: StartServer, connect: Connect) -> None:
    counts = b'{"US": 1%s}' % (b" " * (8 * 1024 * 1024 - 9))
    assert len(counts) == 8 * 1024 * 1024
    for chunked in (False, True):
        server = start_server(Answer(200, counts, chunked=chunked))
        assert connect(server).geo.open() == {"US": 1}
