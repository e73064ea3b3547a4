"""Input of Python's own types. The conformance cases cover the rules for text and numbers."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timezone
from time import process_time
from typing import Any

import pytest
from proxymesh import AsyncClient, Client, ConfigError, NotFoundError, Proxy, ValidationError

from .conftest import Connect, ConnectEither, StartServer
from .support.calls import CALLS, ROOT, call
from .support.credentials import PASSWORD, SUB_PASSWORD
from .support.notes import naming
from .support.server import Answer, Server, answer

GIGABYTES = "must be a whole number of gigabytes from 0 (no limit) to 4294967295"
NO_INTEGER = "must be a whole number within range"
SURROGATE = "\ud800"


@pytest.fixture
def deaf(start_server: StartServer) -> Server:
    """A server that must not receive anything."""
    return start_server(Answer(500))


@pytest.fixture
def client(deaf: Server, connect: Connect) -> Client:
    return connect(deaf)


@pytest.fixture
def either(deaf: Server, connect_either: ConnectEither) -> Client | AsyncClient:
    return connect_either(deaf)


def refuses(server: Server, act: Callable[[], object], field: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        act()
    error = caught.value
    assert (error.field, error.reason, str(error)) == (field, reason, f"{field}: {reason}")
    assert error.call is None
    assert len(str(error)) < 200, "a huge input is not quoted"
    assert server.connections == 0


@pytest.mark.parametrize("field", ["monthly_limit", "total_limit"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.5, NO_INTEGER),
        (5.0, NO_INTEGER),
        ("5", NO_INTEGER),
        (b"5", NO_INTEGER),
        ([5], NO_INTEGER),
        (float("nan"), NO_INTEGER),
        (2**70, NO_INTEGER),
        (-(2**70), NO_INTEGER),
        (2**32, GIGABYTES),
        (-1, GIGABYTES),
    ],
)
def test_a_limit_is_a_whole_number(
    field: str, value: object, reason: str, deaf: Server, either: Client | AsyncClient
) -> None:
    refuses(deaf, lambda: call(either, "sub_accounts.create", {"username": "x", field: value}), field, reason)
    refuses(deaf, lambda: call(either, "sub_accounts.edit", {"username": "x", field: value}), field, reason)


@pytest.mark.parametrize("verb", ["activate", "deactivate", "delete"])
@pytest.mark.parametrize("value", ["17", 17.0, None, 2**63, -(2**70), b"17"])
def test_a_token_id_is_a_whole_number(verb: str, value: object, deaf: Server, either: Client | AsyncClient) -> None:
    refuses(deaf, lambda: call(either, f"tokens.{verb}", {"id": value}), "id", NO_INTEGER)


class Gigabytes:
    """An integer of another library, such as numpy's."""

    def __index__(self) -> int:
        return 7


def test_integers_of_other_libraries_are_integers(start_server: StartServer, connect: Connect) -> None:
    server = start_server(Answer(404))
    client: Any = connect(server)
    for value in (Gigabytes(), True):
        with pytest.raises(NotFoundError):
            client.sub_accounts.edit("x", monthly_limit=value)
    assert [request.body for request in server.requests] == [
        b"username=x&monthly_limit=7",
        b"username=x&monthly_limit=1",
    ]


def test_an_ip_may_be_an_ipaddress_object(start_server: StartServer, connect: Connect) -> None:
    server = start_server(lambda request: answer({"ip": "203.0.113.7"}))
    client = connect(server)
    client.ips.add(ipaddress.IPv4Address("203.0.113.7"))
    client.ips.delete(ipaddress.ip_address("2001:db8::7"))
    client.ips.add(ipaddress.ip_address("::ffff:203.0.113.7"))
    assert [request.body.decode() for request in server.requests] == [
        "ip=203.0.113.7",
        "ip=2001%3Adb8%3A%3A7",
        "ip=%3A%3Affff%3A203.0.113.7",
    ]


@pytest.mark.parametrize(
    "value",
    [
        ipaddress.ip_address("fe80::1%eth0"),
        ipaddress.ip_interface("203.0.113.7/24"),
        ipaddress.ip_interface("2001:db8::7/64"),
    ],
    ids=str,
)
def test_no_part_of_an_address_is_lost_silently(value: Any, deaf: Server, client: Client) -> None:
    reason = "must be an IP address, such as 203.0.113.7 or 2001:db8::7"
    refuses(deaf, lambda: client.ips.add(value), "ip", reason)
    refuses(deaf, lambda: client.ips.delete(value), "ip", reason)


@pytest.mark.parametrize("value", [None, 5, b"203.0.113.7", ["203.0.113.7"], ipaddress.ip_network("203.0.113.0/24")])
def test_a_value_that_is_not_an_address_is_a_type_error(value: Any, deaf: Server, client: Client) -> None:
    for act in (client.ips.add, client.ips.delete):
        with pytest.raises(TypeError, match=r"^ip must be str, IPv4Address or IPv6Address, not \w+$"):
            act(value)
    assert deaf.connections == 0


def test_an_expiry_may_be_a_date(start_server: StartServer, connect: Connect) -> None:
    token = {"id": 1, "label": "", "is_active": True, "expires_at": None, "created_at": "2026-01-15T12:00:00"}
    server = start_server(answer({**token, "token": "pm_x"}))
    client = connect(server)
    client.tokens.create(expires_at=date(2027, 1, 31))
    client.tokens.create(expires_at="2027-01-31")
    client.tokens.create(expires_at=date(1, 2, 3))
    assert [request.body for request in server.requests] == [
        b"expires_at=2027-01-31",
        b"expires_at=2027-01-31",
        b"expires_at=0001-02-03",
    ]


@pytest.mark.parametrize(
    "moment", [datetime(2027, 1, 31), datetime(2027, 1, 31, 23, 59, tzinfo=timezone.utc)], ids=["naive", "aware"]
)
def test_a_datetime_is_rejected_because_its_date_depends_on_the_time_zone(
    moment: datetime, deaf: Server, client: Client
) -> None:
    reason = "must be a calendar date in the form YYYY-MM-DD"
    refuses(deaf, lambda: client.tokens.create(expires_at=moment), "expires_at", reason)


@pytest.mark.parametrize("value", [5, 5.0, b"2027-01-31", time(12), ["2027-01-31"]])
def test_a_value_that_is_not_a_date_is_a_type_error(value: Any, deaf: Server, client: Client) -> None:
    with pytest.raises(TypeError, match=r"^expires_at must be date or str, not \w+$"):
        client.tokens.create(expires_at=value)
    assert deaf.connections == 0


def parameters() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each text parameter of each call, with the other arguments that the call requires."""
    cases = json.loads((ROOT / "tests/conformance/wire.json").read_text(encoding="utf-8"))
    steps = [step for case in cases for step in case["steps"]]
    for name in CALLS:
        given = [step.get("args", {}) for step in steps if step["call"] == name]
        least = min(given, key=len)
        for field, value in {field: value for args in given for field, value in args.items()}.items():
            if isinstance(value, str) and f"{name} {field}" not in MIXED:
                yield name, field, {other: least[other] for other in least if other != field}


# These accept other types, too.
MIXED = {"ips.add ip": "ip", "ips.delete ip": "ip", "tokens.create expires_at": "expires_at"}
TEXTS = {f"{name} {field}": (name, field, others) for name, field, others in sorted(parameters(), key=str)}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [5, 1.5, b"x", ["x"], object()], ids=lambda value: type(value).__name__)
def test_a_value_that_is_not_text_is_a_type_error_that_names_the_parameter(
    name: str, value: object, deaf: Server, either: Client | AsyncClient
) -> None:
    method, field, others = TEXTS[name]
    with pytest.raises(TypeError, match=naming(field)):
        call(either, method, {**others, field: value})
    assert deaf.connections == 0


@pytest.mark.parametrize("name", [name for name in TEXTS if name.split()[1] in {"domain", "proxy"}])
def test_a_required_argument_must_not_be_none(name: str, deaf: Server, client: Client) -> None:
    method, field, others = TEXTS[name]
    with pytest.raises(TypeError, match=naming(field)):
        call(client, method, {**others, field: None})
    assert deaf.connections == 0


@pytest.mark.parametrize("name", [*TEXTS, *MIXED])
def test_a_lone_surrogate_is_rejected(name: str, deaf: Server, either: Client | AsyncClient) -> None:
    """`os.environ` and `os.fsdecode` return lone surrogates for bytes that are not UTF-8."""
    method, field, others = TEXTS.get(name) or (name.split()[0], MIXED[name], {})
    with pytest.raises(ValidationError) as caught:
        call(either, method, {**others, field: SUB_PASSWORD + SURROGATE})
    error = caught.value
    assert (error.field, error.reason) == (field, "contains a lone surrogate, which is not a valid character")
    assert SUB_PASSWORD not in repr(error)
    assert error.__cause__ is error.__context__ is None
    assert deaf.connections == 0


HUGE = "x" * 100_000_000


@pytest.mark.parametrize("name", [*TEXTS, *MIXED])
def test_text_of_a_hundred_megabytes_is_rejected_at_once(name: str, deaf: Server, either: Client | AsyncClient) -> None:
    method, field, others = TEXTS.get(name) or (name.split()[0], MIXED[name], {})
    start = process_time()
    with pytest.raises(ValidationError) as caught:
        call(either, method, {**others, field: HUGE})
    assert process_time() - start < 5
    assert caught.value.field == field
    assert len(str(caught.value)) < 200
    assert deaf.connections == 0


def test_text_of_a_hundred_megabytes_for_a_proxy_is_rejected_at_once() -> None:
    proxy = Proxy("open.localhost")
    start = process_time()
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: Proxy(HUGE), "proxy"),
        (lambda: proxy.steer(country=HUGE), "country"),
        (lambda: proxy.steer(prefer_ip=HUGE), "prefer_ip"),
        (lambda: proxy.steer(not_ip=[HUGE]), "not_ip"),
        (lambda: proxy.check(HUGE), "target"),
        (lambda: proxy.check(f"{HUGE}:443"), "target"),
    ]
    for act, field in refused:
        with pytest.raises(ValidationError) as caught:
            act()
        assert (caught.value.field, len(str(caught.value)) < 200) == (field, True)
    for act in (lambda: proxy.using(HUGE, "pw"), lambda: proxy.using("me", HUGE), lambda: proxy.using(token=HUGE)):
        with pytest.raises(ConfigError, match=r"is longer than 1024 bytes$"):
            act()
    assert process_time() - start < 20


@pytest.mark.parametrize("value", [10**400, (3, 27), "5", None, True, float("nan"), float("inf"), -1])
@pytest.mark.parametrize("field", ["ttl", "cooldown"])
def test_a_pool_rejects_an_invalid_number_of_seconds(field: str, value: object, deaf: Server, client: Client) -> None:
    loose: Any = client
    refuses(deaf, lambda: loose.proxies.pool(**{field: value}), field, "must be a number of seconds greater than 0")


@pytest.mark.parametrize(
    ("name", "positional", "keywords", "complaint"),
    [
        ("sub_accounts.create", ("x", SUB_PASSWORD), {}, "positional"),
        ("sub_accounts.edit", ("x", SUB_PASSWORD), {}, "positional"),
        ("ips.add", ("203.0.113.7", "label"), {}, "positional"),
        ("ips.list", ("x",), {}, "positional"),
        ("hostnames.add", ("a.example", "x"), {}, "positional"),
        ("tokens.create", ("label",), {}, "positional"),
        ("tokens.delete", (1, "x"), {}, "positional"),
        ("proxies.list", ("x",), {}, "takes no arguments"),
        ("sub_accounts.create", (), {}, "missing 1 required positional argument: 'username'"),
        ("ips.add", (), {"label": "x"}, "missing 1 required positional argument: 'ip'"),
        ("proxies.add", (), {}, "missing 1 required positional argument: 'proxy'"),
        ("tokens.activate", (), {}, "missing 1 required positional argument: 'id'"),
        ("sub_accounts.create", ("x",), {"limit": 5}, "unexpected keyword argument 'limit'"),
        ("ips.add", ("203.0.113.7",), {"lable": "x"}, "unexpected keyword argument 'lable'"),
        ("proxies.list", (), {"username": "x"}, "takes no keyword arguments"),
        ("hostnames.list", (), {"username": "x"}, "takes no keyword arguments"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_call_with_the_wrong_arguments_is_a_type_error(
    name: str, positional: tuple[Any, ...], keywords: dict[str, Any], complaint: str, deaf: Server, client: Client
) -> None:
    resource, verb = name.split(".")
    with pytest.raises(TypeError, match=re.escape(complaint)):
        getattr(getattr(client, resource), verb)(*positional, **keywords)
    assert deaf.connections == 0


def test_only_the_username_and_password_of_a_client_are_positional() -> None:
    loose: Any = Client
    with pytest.raises(TypeError, match="positional"):
        loose("me", PASSWORD, "pm_x")
