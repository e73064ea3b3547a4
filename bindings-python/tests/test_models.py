"""The values that calls return: frozen, comparable, hashable and readable, like any value type in Python."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Hashable
from datetime import date, datetime, timezone
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

import proxymesh
import pytest
from proxymesh import LabeledIp, NewToken, Proxy, SubAccount, Token, ValidationError
from proxymesh.sandbox import RecordedRequest

from . import typing_usage
from .support.credentials import ODD_PASSWORD, PASSWORD, SUB_PASSWORD, TOKEN, USERNAME

NOON = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)


def values() -> dict[str, Any]:
    """A new value of each type."""
    return {
        "SubAccount": SubAccount("crawler-1", True, 1.25, 7.5, 5, 0, "Zoë", None, ""),
        "LabeledIp": LabeledIp("203.0.113.7", "büro"),
        "Token": Token(17, "ci", True, date(2027, 1, 31), NOON),
        "NewToken": NewToken(17, "ci", True, None, NOON, TOKEN),
        "Proxy": Proxy("us-ca.proxymesh.com"),
        "RecordedRequest": RecordedRequest(1, "GET", "/api/ips/", {"a": "b"}, {}, None, "basic", "x", 200, None),
    }


KINDS = list(values())
# Values that differ from those in one field.
OTHERS: dict[str, Any] = {
    "SubAccount": SubAccount("crawler-1", True, 1.25, 7.5, 5, 0, "Zoë", "", ""),
    "LabeledIp": LabeledIp("203.0.113.7", "buro"),
    "Token": Token(17, "ci", True, None, NOON),
    "NewToken": NewToken(17, "ci", True, None, NOON, TOKEN + "x"),
    "Proxy": Proxy("us-ca.proxymesh.com", 31281),
    "RecordedRequest": RecordedRequest(1, "GET", "/api/ips/", {"a": "c"}, {}, None, "basic", "x", 200, None),
}
REPRS = {
    "SubAccount": "SubAccount(username='crawler-1', active=True, monthly_bandwidth=1.25, total_bandwidth=7.5, "
    "monthly_bandwidth_limit=5, total_bandwidth_limit=0, first_name='Zoë', last_name=None, email='')",
    "LabeledIp": "LabeledIp(ip='203.0.113.7', label='büro')",
    "Token": "Token(id=17, label='ci', is_active=True, expires_at=datetime.date(2027, 1, 31), "
    "created_at=datetime.datetime(2026, 1, 15, 12, 0, tzinfo=datetime.timezone.utc))",
    "NewToken": "NewToken(id=17, label='ci', is_active=True, expires_at=None, "
    "created_at=datetime.datetime(2026, 1, 15, 12, 0, tzinfo=datetime.timezone.utc), token='[redacted]')",
    "Proxy": "Proxy(host='us-ca.proxymesh.com', port=31280)",
    "RecordedRequest": "RecordedRequest(number=1, method='GET', path='/api/ips/', query={'a': 'b'}, form={}, "
    "content_type=None, auth='basic', username='x', status=200, fault=None)",
}

each = pytest.mark.parametrize("kind", KINDS)


@each
def test_a_value_equals_only_values_with_the_same_fields(kind: str) -> None:
    value, twin, other = values()[kind], values()[kind], OTHERS[kind]
    assert value is not twin
    assert value == twin
    assert not (value != twin)  # noqa: SIM202
    assert value != other
    assert value not in (None, 5, "x", value.to_dict(), tuple(value.to_dict().values()))
    assert all(value != foreign for name, foreign in values().items() if name != kind)


@each
def test_a_value_lets_another_type_decide_the_comparison(kind: str) -> None:
    value = values()[kind]
    assert value.__eq__(5) is NotImplemented
    assert value == mock.ANY
    double = mock.Mock()
    double(value)
    double.assert_called_once_with(mock.ANY)


@each
def test_equal_values_have_equal_hashes(kind: str) -> None:
    value, twin, other = values()[kind], values()[kind], OTHERS[kind]
    assert isinstance(value, Hashable)
    assert hash(value) == hash(twin)
    assert len({value, twin, other}) == 2


@each
def test_a_value_is_frozen(kind: str) -> None:
    value = values()[kind]
    before = value.to_dict()
    for name in before:
        with pytest.raises(AttributeError):
            setattr(value, name, before[name])
        with pytest.raises(AttributeError):
            delattr(value, name)
    with pytest.raises(AttributeError):
        value.more = 1
    for inner in value.to_dict().values():
        if isinstance(inner, dict):
            inner["more"] = "x"
    assert value.to_dict() == before


@each
def test_repr_shows_all_fields_and_no_secret(kind: str) -> None:
    assert repr(values()[kind]) == REPRS[kind]


@each
def test_repr_is_an_expression_that_creates_an_equal_value(kind: str) -> None:
    import datetime as datetime_module

    value = values()[kind]
    names = {**{name: globals()[name] for name in KINDS}, "datetime": datetime_module}
    again = eval(repr(value), names)
    if kind == "NewToken":
        assert again.token == "[redacted]"
    else:
        assert again == value


@each
def test_to_dict_returns_a_new_dict_with_the_fields_in_order(kind: str) -> None:
    value = values()[kind]
    fields = value.to_dict()
    assert type(fields) is dict
    has = {name: getattr(value, name) for name in fields}
    assert fields == {name: v.isoformat() if isinstance(v, date) else v for name, v in has.items()}
    assert tuple(fields) == value.__match_args__
    assert json.loads(json.dumps(fields)) == fields, "it contains only what JSON has"
    fields.clear()
    assert value.to_dict() != {}


def test_the_dict_of_a_proxy_contains_its_exit_choice_and_no_secret() -> None:
    proxy = Proxy("open.proxymesh.com").using("me", "p@ssword").steer(country="DE", not_ip=["203.0.113.1", "::1"])
    told = json.loads(json.dumps(proxy.to_dict()))
    steer = {"country": "DE", "not_ip": ["203.0.113.1", "::1"]}
    assert told == {"host": "open.proxymesh.com", "port": 31280, "steer": steer}
    assert Proxy(told["host"], told["port"]).steer(**told["steer"]) == proxy.using()


def test_a_proxy_can_be_created_from_the_text_that_the_service_uses() -> None:
    proxy = Proxy("us-ca.proxymesh.com:31280")
    assert proxy == Proxy("us-ca.proxymesh.com") == Proxy("us-ca.proxymesh.com:31280", 31280) == Proxy(str(proxy))
    assert Proxy("us-ca.localhost:8080").port == 8080
    with pytest.raises(ValidationError, match="the host includes port 8080, but the port given is 31280"):
        Proxy("us-ca.proxymesh.com:8080", 31280)
    with pytest.raises(ValidationError, match=r"must be a domain .* not a URL") as caught:
        Proxy("http://me:secret@us-ca.proxymesh.com:31280")
    assert "secret" not in str(caught.value)


@each
def test_a_copy_is_the_value_itself(kind: str) -> None:
    value = values()[kind]
    assert copy.copy(value) is value
    assert copy.deepcopy(value) is value
    assert copy.deepcopy([value])[0] is value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "NewToken"])
def test_a_value_survives_pickling(kind: str, protocol: int) -> None:
    value = values()[kind]
    pickled = pickle.dumps(value, protocol)
    again = pickle.loads(pickled)
    assert again == value
    assert type(again) is type(value)
    assert repr(again) == repr(value)
    assert b"_proxymesh" not in pickled, "it is pickled as proxymesh.X"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_new_token_cannot_be_pickled(protocol: int) -> None:
    for it in (values()["NewToken"], [values()["NewToken"]]):
        with pytest.raises(TypeError, match="NewToken cannot be pickled, because its token is secret") as caught:
            pickle.dumps(it, protocol)
        assert TOKEN not in str(caught.value)


def test_a_new_token_shows_its_secret_only_on_request() -> None:
    token = values()["NewToken"]
    for shown in (repr(token), str(token), f"{token}", f"{token!r}", repr([token]), repr({"t": token})):
        assert TOKEN not in shown
    assert token.token == TOKEN
    assert token.to_dict()["token"] == TOKEN


def test_values_can_be_matched() -> None:
    match values()["SubAccount"]:
        case SubAccount("crawler-1", active=True, monthly_bandwidth_limit=limit):
            assert limit == 5
        case _:
            pytest.fail("not matched")
    match values()["LabeledIp"]:
        case LabeledIp(ip, "büro"):
            assert ip == "203.0.113.7"
        case _:
            pytest.fail("not matched")
    match values()["Proxy"]:
        case Proxy(host, port):
            assert (host, port) == ("us-ca.proxymesh.com", 31280)
        case _:
            pytest.fail("not matched")
    match values()["Token"]:
        case Token(id, label, True, date(), datetime()):
            assert (id, label) == (17, "ci")
        case _:
            pytest.fail("not matched")


@each
def test_every_value_can_be_matched_by_position(kind: str) -> None:
    said = typing_usage.described(values()[kind])
    assert said
    assert TOKEN not in said


@each
def test_values_belong_to_the_public_module(kind: str) -> None:
    where = "proxymesh.sandbox" if kind == "RecordedRequest" else "proxymesh"
    assert type(values()[kind]).__module__ == where
    assert type(values()[kind]).__qualname__ == kind


@each
def test_a_value_needs_all_its_fields(kind: str) -> None:
    with pytest.raises(TypeError, match="missing"):
        type(values()[kind])()


def test_a_proxy_has_a_host_and_a_port() -> None:
    proxy = Proxy("us-ca.proxymesh.com", 31280)
    assert proxy == Proxy("us-ca.proxymesh.com") == Proxy(host="us-ca.proxymesh.com", port=31280)
    assert (proxy.host, proxy.port, proxy.name, str(proxy)) == (
        "us-ca.proxymesh.com",
        31280,
        "us-ca",
        "us-ca.proxymesh.com:31280",
    )
    assert f"{proxy}" == "us-ca.proxymesh.com:31280"


def test_proxies_have_an_order() -> None:
    names = [("us-ca.proxymesh.com", 31280), ("de.proxymesh.com", 31281), ("de.proxymesh.com", 31280)]
    proxies = [Proxy(host, port) for host, port in names]
    assert [(proxy.host, proxy.port) for proxy in sorted(proxies)] == sorted(names)
    assert min(proxies) < max(proxies)
    assert proxies[0] >= proxies[1] > proxies[2]
    assert proxies[2] <= proxies[1]
    with pytest.raises(TypeError, match="not supported between"):
        _ = proxies[0] < "us-ca"


def test_other_values_have_no_order() -> None:
    one: Any = values()["LabeledIp"]
    with pytest.raises(TypeError, match="not supported between"):
        _ = one < one


@pytest.mark.parametrize("password", [PASSWORD, ODD_PASSWORD, "a b", "/:@?#[]%", "p%20q", "\"'`<>^|\\{}", "å林😀"])
def test_a_proxy_url_preserves_any_credentials(password: str) -> None:
    url = Proxy("us-ca.proxymesh.com").url(USERNAME, password)
    parts = urlsplit(url)
    assert (parts.scheme, parts.hostname, parts.port) == ("http", "us-ca.proxymesh.com", 31280)
    assert (parts.path, parts.query, parts.fragment) == ("", "", "")
    quoted_username, quoted_password = (parts.username or "", parts.password or "")
    assert (unquote(quoted_username), unquote(quoted_password)) == (USERNAME, password)
    assert url.isascii()
    assert quoted_username == "me%2B1%40ex.com"


def test_a_proxy_url_without_credentials_has_none() -> None:
    assert Proxy("us-ca.proxymesh.com").url() == "http://us-ca.proxymesh.com:31280"
    proxy: Any = Proxy("us-ca.proxymesh.com")
    for half in ({"username": USERNAME}, {"password": PASSWORD}):
        with pytest.raises(TypeError, match=r"^give both username and password, or neither$"):
            proxy.url(**half)
    for field in ("username", "password"):
        texts = {"username": "x", "password": "x", field: SUB_PASSWORD + "\ud800"}
        with pytest.raises(ValidationError, match=f"^{field}: contains a lone surrogate") as caught:
            proxy.url(**texts)
        assert SUB_PASSWORD not in repr(caught.value)


@pytest.mark.parametrize(
    ("host", "port", "field"),
    [
        ("", 31280, "proxy"),
        ("us ca", 31280, "proxy"),
        ("us-ca.proxymesh.com:80", 31280, "proxy"),
        ("me@us-ca.proxymesh.com", 31280, "proxy"),
        ("http://us-ca", 31280, "proxy"),
        ("a\r\nb", 31280, "proxy"),
        ("us-ca.proxymesh.com", 0, "proxy"),
        ("us-ca.proxymesh.com", -1, "proxy"),
        ("us-ca.proxymesh.com", 65536, "proxy"),
        ("us-ca.proxymesh.com", 2**70, "port"),
        ("us-ca.proxymesh.com", "80", "port"),
        ("us-ca.proxymesh.com", 80.0, "port"),
        ("\ud800", 31280, "proxy"),
    ],
)
def test_an_invalid_proxy_cannot_be_created(host: str, port: Any, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Proxy(host, port)
    assert caught.value.field == field


def test_calls_return_new_plain_lists_and_dicts(sandbox: proxymesh.sandbox.Sandbox) -> None:
    with sandbox.client() as client:
        proxies = client.proxies.list()
        assert type(proxies) is list
        assert all(type(proxy) is Proxy for proxy in proxies)
        proxies.clear()
        assert client.proxies.list()
        counts = client.geo.world()
        assert type(counts) is dict
        assert all(type(code) is str and type(count) is int for code, count in counts.items())
        assert list(counts) == sorted(counts)
