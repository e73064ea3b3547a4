"""The types of what calls return. The conformance cases cover the values."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import proxymesh

from .conftest import Connect, StartServer
from .support.calls import call
from .support.server import answer


def read(start_server: StartServer, connect: Connect, name: str, body: Any, **arguments: Any) -> Any:
    """What a call returns for a successful response with this body."""
    return call(connect(start_server(answer(body))), name, arguments)


SUB = {"username": "x", "active": True, "monthly_bandwidth": 1.5, "total_bandwidth": 2}


def test_unknown_fields_are_ignored(start_server: StartServer, connect: Connect) -> None:
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


def test_labels_may_be_an_array_or_an_object_that_contains_one(start_server: StartServer, connect: Connect) -> None:
    entries = [{"ip": "203.0.113.7", "label": "x"}, {"ip": "::1", "label": None}, {"ip": "::2"}]
    for body in (entries, {"ip_labels": entries, "count": 3}):
        labels = read(start_server, connect, "ips.labels", body)
        assert [(entry.ip, entry.label) for entry in labels] == [("203.0.113.7", "x"), ("::1", ""), ("::2", "")]


def test_dates_and_times_are_read_in_every_form(start_server: StartServer, connect: Connect) -> None:
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
        assert type(value) is type(expiry), "a date, not a datetime"
    for sent in ("2026-01-15T12:00:00", "2026-01-15T12:00:00Z", "2026-01-15T13:00:00+01:00", "2026-01-15 12:00:00"):
        created_at = token(None, sent).created_at
        assert (created_at, created_at.tzinfo) == (noon, timezone.utc)
    assert token(None, "2026-01-15T12:00:00.123456Z").created_at == noon.replace(microsecond=123456)
