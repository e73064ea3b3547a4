"""The exceptions: their classes, their attributes, pickling and copying."""

from __future__ import annotations

import asyncio
import builtins
import copy
import inspect
import json
import multiprocessing
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import proxymesh
import pytest
from proxymesh import Client, _errors

from . import typing_usage
from .conftest import Connect, StartServer
from .support.calls import ROOT
from .support.credentials import ODD_PASSWORD, TOKEN
from .support.server import Answer, Instead, Server

CLASSES = [getattr(proxymesh, name) for name in _errors.__all__]
STATUS_FIELDS = {"call", "status", "reason", "field_errors", "body", "retry_after", "attempts"}


def failing(script: Any, act: Callable[[Client], object], **options: Any) -> Callable[[StartServer, Connect], Any]:
    """Returns a function that makes a call fail against a real server and returns the exception."""

    def fail(start_server: StartServer, connect: Connect) -> Any:
        client = connect(start_server(script), **{"max_retries": 0, **options})
        with pytest.raises(proxymesh.ProxyMeshError) as caught:
            act(client)
        return caught.value

    return fail


def blocked(start_server: StartServer, connect: Connect) -> Any:
    server: Server = start_server(Answer(401))
    for password in ("wrong 1", "wrong 2", "wrong 3"):
        with pytest.raises(proxymesh.AuthenticationError):
            connect(server, password=password).ips.list()
    with pytest.raises(proxymesh.AuthenticationBlockedError) as caught:
        connect(server).ips.list()
    return caught.value


def misconfigured(start_server: StartServer, connect: Connect) -> Any:
    with pytest.raises(proxymesh.ConfigError) as caught:
        connect("http://proxymesh.com")
    return caught.value


def status(code: int, **headers: str) -> Callable[[StartServer, Connect], Any]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return failing(Answer(code, b'{"error": "no"}', names), lambda client: client.ips.list())


# One exception of each class, raised by a real call.
MADE: dict[str, Callable[[StartServer, Connect], Any]] = {
    "ConfigError": misconfigured,
    "ValidationError": failing(Answer(500), lambda client: client.ips.add("nowhere")),
    "BasicAuthRequiredError": failing(Answer(500), lambda client: client.tokens.list(), token=TOKEN),
    "AuthenticationBlockedError": blocked,
    "AuthenticationError": status(401),
    "BadRequestError": failing(
        Answer(400, b'{"email": ["Bad.", "Long."]}'), lambda client: client.sub_accounts.edit("x", email="y")
    ),
    "PlanLimitError": status(402),
    "PermissionDeniedError": status(403),
    "NotFoundError": status(404),
    "RateLimitedError": status(429, retry_after="90"),
    "ServerError": status(503),
    "UnexpectedStatusError": status(302, location="/elsewhere"),
    "TimeoutError": failing(Instead.HANG, lambda client: client.ips.list(), timeout=0.1),
    "ConnectionError": failing(Instead.RESET, lambda client: client.ips.list()),
    "DecodeError": failing(Answer(200, "<html>"), lambda client: client.ips.list()),
    "OutcomeUnknownError": failing(Instead.RESET, lambda client: client.sub_accounts.create("x")),
    "PoolExhaustedError": failing(Answer(200, b'{"proxies": []}'), lambda client: client.proxies.pool().get()),
}
FIELDS = {
    "ConfigError": {"call", "reason"},
    "ValidationError": {"call", "field", "reason"},
    "BasicAuthRequiredError": {"call"},
    "AuthenticationBlockedError": {"call", "retry_after"},
    "TimeoutError": {"call", "reason", "attempts"},
    "ConnectionError": {"call", "reason", "attempts"},
    "DecodeError": {"call", "status", "reason", "body"},
    "OutcomeUnknownError": {"call", "reason", "recovery_hint"},
    "PoolExhaustedError": {"call", "reason", "retry_after"},
}


@pytest.fixture(params=MADE)
def error(request: pytest.FixtureRequest, start_server: StartServer, connect: Connect) -> Any:
    """Each exception in turn."""
    made = MADE[request.param](start_server, connect)
    assert type(made).__name__ == request.param
    return made


def fields(error: Any) -> dict[str, object]:
    """The documented attributes: those that the class annotates."""
    return {name: getattr(error, name) for kind in type(error).__mro__ for name in inspect.get_annotations(kind)}


def test_every_class_is_covered_here() -> None:
    assert {*MADE, "ProxyMeshError", "StatusError"} == set(_errors.__all__)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: str(kind.__name__))
def test_every_class_is_a_proxymesh_error_of_the_package(kind: type[Exception]) -> None:
    assert issubclass(kind, proxymesh.ProxyMeshError)
    assert kind.__module__ == "proxymesh"
    assert getattr(proxymesh, kind.__name__) is kind
    assert kind.__name__ in proxymesh.__all__
    assert kind.__doc__


def test_all_status_errors_share_a_base_class() -> None:
    family = {name for name, make in MADE.items() if issubclass(getattr(proxymesh, name), proxymesh.StatusError)}
    assert family == {
        "AuthenticationError",
        "BadRequestError",
        "NotFoundError",
        "PermissionDeniedError",
        "PlanLimitError",
        "RateLimitedError",
        "ServerError",
        "UnexpectedStatusError",
    }


@pytest.mark.parametrize(
    ("name", "caught_as"),
    [
        ("ValidationError", ValueError),
        ("TimeoutError", builtins.TimeoutError),
        ("TimeoutError", OSError),
        ("ConnectionError", builtins.ConnectionError),
        ("ConnectionError", OSError),
        ("NotFoundError", proxymesh.StatusError),
        ("OutcomeUnknownError", proxymesh.ProxyMeshError),
    ],
)
def test_builtin_base_classes_catch_them(
    name: str, caught_as: type[Exception], start_server: StartServer, connect: Connect
) -> None:
    made = MADE[name](start_server, connect)
    with pytest.raises(caught_as) as caught:
        raise made
    assert caught.value is made


def test_the_other_classes_have_no_builtin_base_class() -> None:
    also = {"ValidationError": ValueError, "TimeoutError": OSError, "ConnectionError": OSError}
    for kind in CLASSES:
        for builtin in (ValueError, OSError, LookupError, RuntimeError, TypeError):
            assert issubclass(kind, builtin) == (also.get(kind.__name__) is builtin)


def test_an_exception_has_the_attributes_of_its_kind_and_no_others(error: Any) -> None:
    expected = FIELDS.get(type(error).__name__, STATUS_FIELDS)
    assert fields(error).keys() == expected
    assert vars(error).keys() <= expected
    assert error.args == (str(error),)
    needs_call = type(error).__name__ not in {"ConfigError", "PoolExhaustedError", "ValidationError"}
    assert (error.call is not None) == needs_call
    if needs_call:
        assert re.match(rf"{re.escape(error.call)}(:| requires| was not sent)", str(error))


def test_the_attributes_have_the_annotated_types(error: Any) -> None:
    types: dict[str, tuple[type, ...]] = {
        "call": (str, type(None)),
        "status": (int,),
        "attempts": (int,),
        "retry_after": (float,) if type(error) is proxymesh.AuthenticationBlockedError else (float, type(None)),
        "field_errors": (dict,),
    }
    for name, value in fields(error).items():
        assert type(value) in types.get(name, (str,)), name


def test_every_kind_is_in_the_conformance_cases() -> None:
    cases = json.loads((ROOT / "tests/conformance/errors.json").read_text(encoding="utf-8"))
    kinds = {f"{case['steps'][-1]['error']['kind']}Error" for case in cases}
    assert kinds == MADE.keys()


def same(one: Any, other: Any) -> bool:
    return (type(one), str(one), one.args, fields(one), vars(one)) == (
        type(other),
        str(other),
        other.args,
        fields(other),
        vars(other),
    )


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_exception_survives_pickling(error: Any, protocol: int) -> None:
    pickled = pickle.dumps(error, protocol)
    assert same(pickle.loads(pickled), error)
    assert b"canary" not in pickled
    assert b"proxymesh._errors" not in pickled, "it is pickled as proxymesh.X"


def test_an_exception_survives_copying(error: Any) -> None:
    assert same(copy.copy(error), error)
    deep = copy.deepcopy(error)
    assert same(deep, error)
    if isinstance(error, proxymesh.StatusError):
        deep.field_errors["more"] = ["x"]
        assert "more" not in error.field_errors


def test_repr_names_the_class_and_the_text(error: Any) -> None:
    assert repr(error) == f"{type(error).__name__}({str(error)!r})"
    assert ODD_PASSWORD not in repr(error)
    assert TOKEN not in repr(error)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: str(kind.__name__))
def test_a_test_can_create_an_exception_by_hand(kind: Any) -> None:
    bare, full = kind(), kind("a text", call="ips.add", attempts=7)
    assert (str(bare), bare.call) == ("", None)
    assert (str(full), full.call, full.attempts) == ("a text", "ips.add", 7)
    assert fields(bare).keys() == FIELDS.get(
        kind.__name__, STATUS_FIELDS if "Status" in str(kind.__mro__) else {"call"}
    )
    if issubclass(kind, proxymesh.StatusError):
        bare.field_errors["x"] = []
        assert kind().field_errors == {}


def test_no_exception_has_another_as_its_cause(error: Any) -> None:
    """A failure of the network or TLS is not a Python exception. `reason` describes it."""
    assert error.__cause__ is None
    assert error.__context__ is None


def raised_while_handling(act: Callable[[], object]) -> proxymesh.ProxyMeshError:
    """The exception that `act` raises while a KeyError is being handled."""
    try:
        raise KeyError("handled")
    except KeyError:
        with pytest.raises(proxymesh.ProxyMeshError) as caught:
            act()
        return caught.value


@pytest.mark.parametrize("call", ["found by the service", "found before sending", "awaited", "a setting", "a proxy"])
def test_the_context_is_the_exception_that_was_being_handled(
    call: str, proxymesh_client: Client, proxymesh_async_client: proxymesh.AsyncClient
) -> None:
    acts: dict[str, Callable[[], object]] = {
        "found by the service": lambda: proxymesh_client.sub_accounts.get("nobody"),
        "found before sending": lambda: proxymesh_client.ips.add("nowhere"),
        "a setting": lambda: proxymesh_client.with_options(timeout=0),
        "a proxy": lambda: proxymesh.Proxy("no proxy"),
    }

    async def awaited() -> proxymesh.ProxyMeshError:
        try:
            raise KeyError("handled")
        except KeyError:
            with pytest.raises(proxymesh.NotFoundError) as caught:
                await proxymesh_async_client.sub_accounts.get("nobody")
            return caught.value

    error = asyncio.run(awaited()) if call == "awaited" else raised_while_handling(acts[call])
    assert repr(error.__context__) == "KeyError('handled')"
    assert not error.__suppress_context__


def test_an_exception_may_have_a_cause_and_notes() -> None:
    cause = OSError("no route")
    with pytest.raises(proxymesh.ConnectionError) as caught:
        raise proxymesh.ConnectionError("ips.add: no connection", call="ips.add") from cause
    assert caught.value.__cause__ is cause
    vars(caught.value)["__notes__"] = ["of crawler-1"]  # as add_note does, from Python 3.11 on
    again = pickle.loads(pickle.dumps(caught.value))
    assert vars(again)["__notes__"] == ["of crawler-1"]
    assert again.__cause__ is None, "as with any exception that is pickled"


def test_an_exception_equals_itself_only(error: Any) -> None:
    assert error == error
    assert error != copy.copy(error)
    assert len({error, error, copy.copy(error)}) == 2


def test_every_exception_can_be_matched_by_its_attributes(error: Any) -> None:
    assert typing_usage.told(error), "it is one of the cases"


def test_exceptions_and_values_can_be_returned_from_another_process() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(proxymesh.Proxy, "us-ca.proxymesh.com").result() == proxymesh.Proxy("us-ca.proxymesh.com")
        with pytest.raises(proxymesh.ValidationError, match=r"^proxy: ") as caught:
            pool.submit(proxymesh.Proxy, "no proxy").result()
    assert (caught.value.field, type(caught.value.reason)) == ("proxy", str)
