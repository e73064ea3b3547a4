"""Fixtures: servers that stop with the test, and an environment without our settings."""

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
    # A shell that runs the suite in the background makes it and all programs that it starts ignore Ctrl-C.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    close_retired()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the settings of the person who runs the tests."""
    for name in os.environ:
        if name.upper().startswith(("PROXYMESH_", "SSL_CERT_")) or name.upper().endswith(("_PROXY", "_CA_BUNDLE")):
            monkeypatch.delenv(name)
    # Servers may use the same port one after another. What is recorded about credentials must not affect the next one.
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
    """Starts sandboxes whose parent account has the credentials that all tests use."""
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
    """A sandbox for this test alone."""
    return start_sandbox()


def settings(server: Server | Sandbox | str, options: dict[str, Any]) -> dict[str, Any]:
    """The settings of a client. By default, many characters of the password must be encoded."""
    credentials = {} if "token" in options else {"username": USERNAME, "password": ODD_PASSWORD}
    return {"base_url": server if isinstance(server, str) else server.base_url, **credentials, **options}


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Creates clients for a server."""
    with contextlib.ExitStack() as stack:
        yield lambda server, **options: stack.enter_context(Client(**settings(server, options)))


@pytest.fixture
def connect_async() -> ConnectAsync:
    """Creates clients for asyncio. Garbage collection closes them."""
    return lambda server, **options: AsyncClient(**settings(server, options))


@pytest.fixture(params=["blocking", "awaited"])
def connect_either(request: pytest.FixtureRequest, connect: Connect, connect_async: ConnectAsync) -> ConnectEither:
    """Creates clients. The test runs once with each kind of client."""
    return connect if request.param == "blocking" else connect_async
