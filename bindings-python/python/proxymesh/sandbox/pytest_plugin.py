"""A pytest plugin: a sandbox for each test that asks for one. It is there wherever this package is installed.

>>> def test_the_office_is_let_in(proxymesh_sandbox, proxymesh_client):
...     proxymesh_client.ips.add("203.0.113.7")
...     assert [call.path for call in proxymesh_sandbox.requests()] == ["/api/ip/add/"]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .. import AsyncClient, Client
from . import Sandbox

__all__ = ["proxymesh_async_client", "proxymesh_client", "proxymesh_sandbox"]

MARKER = "proxymesh_sandbox"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f'{MARKER}(**settings): what the sandbox of the fixture {MARKER} is made with, such as plan="10"; a '
        "test's own settings add to, and go before, those of its class and module.",
    )


@pytest.fixture
def proxymesh_sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The ProxyMesh service, emulated: a fresh one for each test, stopped afterwards.

    The environment (PROXYMESH_BASE_URL, PROXYMESH_USERNAME, PROXYMESH_PASSWORD) means it while the test runs, so that
    code that makes its own `proxymesh.Client()` talks to it, and never to your account. Its settings can be given by
    `@pytest.mark.proxymesh_sandbox(plan="10")`.
    """
    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        if marker.args:
            raise pytest.UsageError(f"{request.node.nodeid}: the marker {MARKER} accepts only keyword arguments")
        settings.update(marker.kwargs)
    with Sandbox(**settings) as sandbox:
        monkeypatch.delenv("PROXYMESH_TOKEN", raising=False)
        monkeypatch.setenv("PROXYMESH_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("PROXYMESH_USERNAME", sandbox.username)
        monkeypatch.setenv("PROXYMESH_PASSWORD", sandbox.password)
        yield sandbox


@pytest.fixture
def proxymesh_client(proxymesh_sandbox: Sandbox) -> Iterator[Client]:
    """A `proxymesh.Client` of the sandbox `proxymesh_sandbox`, as the parent account; closed afterwards."""
    with proxymesh_sandbox.client() as client:
        yield client


@pytest.fixture
def proxymesh_async_client(proxymesh_sandbox: Sandbox) -> AsyncClient:
    """A `proxymesh.AsyncClient` of the sandbox `proxymesh_sandbox`, as the parent account."""
    return proxymesh_sandbox.async_client()
