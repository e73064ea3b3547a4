"""Nothing that a program may show, log or store contains a secret, even if the service echoes the request."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, quote_plus

import proxymesh
import pytest
from proxymesh import Client

from .conftest import Connect, StartServer
from .support.credentials import ODD_PASSWORD, PASSWORD, SUB_PASSWORD, TOKEN, USERNAME
from .support.server import Answer, Instead, Request, Server

ODD_SUB_PASSWORD = SUB_PASSWORD + " <&>\"'ü"


def forms(secret: str) -> Iterable[str]:
    """A secret in all encodings in which it could appear."""
    yield secret
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()


SECRETS = {
    form
    for secret in (ODD_PASSWORD, ODD_SUB_PASSWORD, TOKEN, f"{USERNAME}:{ODD_PASSWORD}", PASSWORD, SUB_PASSWORD)
    for form in forms(secret)
}


def holds_none_of(secrets: set[str], *shown: str | bytes) -> None:
    for text in shown:
        plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        # With `not in`, pytest would print the secret.
        assert any(secret in plain for secret in secrets) is False, "a secret is shown"


def holds_no_secret(*shown: str | bytes) -> None:
    holds_none_of(SECRETS, *shown)


def echo(status: int) -> Callable[[Request], Answer]:
    """Responds with everything that was sent, in all forms that a careless service might choose."""

    def script(request: Request) -> Answer:
        sent = request.head + "\n" + request.body.decode()
        said = {
            "error": f"refused: {sent} {ODD_PASSWORD} {ODD_SUB_PASSWORD} {TOKEN}",
            "password": [ODD_SUB_PASSWORD, quote(ODD_PASSWORD)],
            ODD_PASSWORD: ["as a name"],
        }
        body = json.dumps(said, ensure_ascii=status % 2 == 0)
        return Answer(status, body, {"content-type": "application/json", "x-echo": "1"})

    return script


def echo_text(status: int) -> Callable[[Request], Answer]:
    return lambda request: Answer(status, f"{request.head}\n{request.body.decode()}\n{ODD_PASSWORD} {TOKEN}")


CALLS: dict[str, Callable[[Client], object]] = {
    "a read": lambda client: client.ips.list(),
    "a create": lambda client: client.sub_accounts.create("x", password=ODD_SUB_PASSWORD, first_name="Zoë"),
    "an edit": lambda client: client.sub_accounts.edit("x", password=ODD_SUB_PASSWORD),
}
STATUSES = [200, 302, 400, 401, 402, 403, 404, 418, 429, 500, 503]


def shown(error: BaseException) -> list[str | bytes]:
    """Everything that a program may show or store of an exception."""
    return [
        str(error),
        repr(error),
        repr(vars(error)),
        repr(error.args),
        "".join(traceback.format_exception(error)),
        *(pickle.dumps(error, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),
    ]


@pytest.mark.parametrize("script", [echo, echo_text], ids=["json", "text"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", CALLS)
def test_an_error_contains_no_secret_even_if_the_service_echoes_the_request(
    name: str,
    status: int,
    script: Callable[[int], Callable[[Request], Answer]],
    start_server: StartServer,
    connect: Connect,
) -> None:
    server: Server = start_server(script(status))
    for credentials in ({}, {"token": TOKEN}):
        client = connect(server, max_retries=0, **credentials)
        with pytest.raises(proxymesh.ProxyMeshError) as caught:
            CALLS[name](client)
        # The echo contains all secrets. A client knows only its own and those of the call.
        known = [TOKEN] if credentials else [PASSWORD, ODD_PASSWORD, f"{USERNAME}:{ODD_PASSWORD}"]
        known += [] if name == "a read" else [SUB_PASSWORD, ODD_SUB_PASSWORD]
        holds_none_of({form for secret in known for form in forms(secret)}, *shown(caught.value))
        if hasattr(caught.value, "body"):
            assert "[redacted]" in repr(vars(caught.value)), "a secret was redacted"


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("instead", [Instead.RESET, Instead.HANG, Instead.CLOSE])
def test_an_error_without_a_response_contains_no_secret(
    name: str, instead: Instead, start_server: StartServer, connect: Connect
) -> None:
    client = connect(start_server(instead), max_retries=0, timeout=0.2)
    with pytest.raises(proxymesh.ProxyMeshError) as caught:
        CALLS[name](client)
    holds_no_secret(*shown(caught.value))


@pytest.mark.parametrize("password", [SUB_PASSWORD + "\r\n", SUB_PASSWORD + "\ud800", SUB_PASSWORD * 10])
def test_a_rejected_password_is_not_in_the_error(password: str, connect: Connect) -> None:
    client = connect("http://127.0.0.1:1")
    with pytest.raises(proxymesh.ValidationError) as caught:
        client.sub_accounts.create("x", password=password)
    holds_no_secret(*shown(caught.value))
    with pytest.raises(TypeError) as wrong:
        client.sub_accounts.create("x", password=password.encode("utf-8", "replace"))  # type: ignore[arg-type]
    holds_no_secret(str(wrong.value), repr(wrong.value))


@pytest.mark.parametrize(
    "settings",
    [
        {"username": USERNAME, "password": PASSWORD + "\n"},
        {"username": USERNAME, "password": PASSWORD + "\ud800"},
        {"token": TOKEN + " "},
        {"token": TOKEN + "\ud800"},
        {"token": TOKEN, "password": PASSWORD},
        {"password": PASSWORD},
        {"token": TOKEN, "base_url": f"https://me:{PASSWORD}@proxymesh.com"},
        {"token": TOKEN, "base_url": f"nonsense {PASSWORD}"},
        {"token": TOKEN, "base_url": f"https://proxymesh.com/?{PASSWORD}"},
        {"username": USERNAME, "password": PASSWORD.encode()},
    ],
    ids=lambda settings: "+".join(settings),
)
def test_the_error_for_an_invalid_client_shows_no_secret(settings: dict[str, Any]) -> None:
    with pytest.raises((proxymesh.ConfigError, TypeError)) as caught:
        Client(**settings)
    holds_no_secret(str(caught.value), repr(caught.value), "".join(traceback.format_exception_only(caught.value)))


def test_clients_handles_and_models_show_no_secret(start_server: StartServer, connect: Connect) -> None:
    token = {"id": 1, "is_active": True, "created_at": "2026-01-15T12:00:00", "token": TOKEN}
    client = connect(start_server(Answer(200, json.dumps(token))))
    made = client.tokens.create()
    for it in (client, client.tokens, client.ips, made, [made], {"made": made}):
        holds_no_secret(repr(it), str(it))
    for value in (client, client.ips, made):
        for name in dir(value):
            if name not in {"token", "to_dict"}:
                holds_no_secret(repr(getattr(value, name)))
    holds_no_secret(repr(Client.__dict__))


def test_nothing_is_printed_and_the_log_contains_no_secret(
    start_server: StartServer, connect: Connect, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(proxymesh.BadRequestError):
        connect(start_server(echo(400))).sub_accounts.create("x", password=ODD_SUB_PASSWORD)
    (record,) = caplog.records
    holds_no_secret(repr(vars(record)), record.getMessage())
    assert capfd.readouterr() == ("", "")


def test_an_uncaught_exception_shows_no_secret(start_server: StartServer) -> None:
    server = start_server(echo(400))
    program = f"""
import os, proxymesh
client = proxymesh.Client({USERNAME!r}, os.environ["CANARY_PASSWORD"], base_url={server.base_url!r})
client.sub_accounts.create("x", password=os.environ["CANARY_SUB_PASSWORD"])
"""
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        env={"CANARY_PASSWORD": ODD_PASSWORD, "CANARY_SUB_PASSWORD": ODD_SUB_PASSWORD, "RUST_LOG": "trace"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "proxymesh.BadRequestError: sub_accounts.create: bad request (400): " in run.stderr
    assert "[redacted]" in run.stderr
    known = {form for secret in (ODD_PASSWORD, ODD_SUB_PASSWORD) for form in forms(secret)}
    holds_none_of(known, run.stdout, run.stderr)
