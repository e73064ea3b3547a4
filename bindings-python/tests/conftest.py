"""Fixtures: servers that stop with the test, and an environment without settings."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from proxymesh import AsyncClient, Client
from proxymesh.sandbox import Sandbox

from .support.credentials import ODD_PASSWORD, PASSWORD, USERNAME
from .support.server import Reply, Script, Server, close_retired, port_of, retire


class StartServer(Protocol):
    def __call__(self, script: Script | Reply, **options: Any) -> Server: ...


class StartSandbox(Protocol):
    def __call__(self, **options: Any) -> Sandbox: ...


class Connect(Protocol):
    def __call__(self, server: Server | Sandbox | str, **options: Any) -> Client: ...


class ConnectAsync(Protocol):
    def __call__(self, server: Server | Sandbox | str, **options: Any) -> AsyncClient: ...


class ConnectEither(Protocol):
    def __call__(self, server: Server | Sandbox | str, **options: Any) -> Client | AsyncClient: ...


def pytest_configure() -> None:
    # A shell that runs the suite in the background has it ignore Ctrl-C, and with it every program that it starts.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    close_retired()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in os.environ:
        if name.upper().startswith(("PROXYMESH_", "SSL_CERT_")) or name.upper().endswith(("_PROXY", "_CA_BUNDLE")):
            monkeypatch.delenv(name)
    # Servers come and go on the same ports: what is known of credentials at one is not for the next.
    monkeypatch.setenv("XDG_STATE_HOME", os.devnull)


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Starts recording servers."""
    with contextlib.ExitStack() as stack:

        def start(script: Script | Reply, **options: Any) -> Server:
            server = Server(script, **options)
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """Starts sandboxes whose parent has the credentials of all tests."""
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> Sandbox:
            sandbox = Sandbox(**{"username": USERNAME, "password": PASSWORD, **options})
            stack.callback(_stop, sandbox)
            return sandbox

        yield start


def _stop(sandbox: Sandbox) -> None:
    sandbox.stop()
    if any(request.status in (401, None) or request.fault for request in sandbox.requests()):
        retire(port_of(sandbox.base_url))


@pytest.fixture
def sandbox(start_sandbox: StartSandbox) -> Sandbox:
    """A sandbox of the test's own."""
    return start_sandbox()


def settings(server: Server | Sandbox | str, options: dict[str, Any]) -> dict[str, Any]:
    """By default with a username and a password in which much has to be encoded."""
    credentials = {} if "token" in options else {"username": USERNAME, "password": ODD_PASSWORD}
    return {"base_url": server if isinstance(server, str) else server.base_url, **credentials, **options}


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients of a server."""
    with contextlib.ExitStack() as stack:
        yield lambda server, **options: stack.enter_context(Client(**settings(server, options)))


@pytest.fixture
def connect_async() -> ConnectAsync:
    """Makes clients for asyncio. Who has forgotten one has closed it."""
    return lambda server, **options: AsyncClient(**settings(server, options))


@pytest.fixture(params=["blocking", "awaited"])
def connect_either(request: pytest.FixtureRequest, connect: Connect, connect_async: ConnectAsync) -> ConnectEither:
    """Makes clients of one kind; then the test is run with the other."""
    return connect if request.param == "blocking" else connect_async
