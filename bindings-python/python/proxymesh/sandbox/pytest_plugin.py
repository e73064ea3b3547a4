"""A pytest plugin with a sandbox for each test that asks for one. pytest loads it if this package is installed.

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
        f'{MARKER}(**settings): settings for the sandbox of the fixture {MARKER}, such as plan="10". The settings of a '
        "test are added to those of its class and module, and override them.",
    )


@pytest.fixture
def proxymesh_sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An emulation of the ProxyMesh service. Each test gets a new one, which is stopped after the test.

    While the test runs, the environment variables PROXYMESH_BASE_URL, PROXYMESH_USERNAME and PROXYMESH_PASSWORD refer
    to it. So code that creates its own `proxymesh.Client()` uses the sandbox, and never your account. To change the
    settings of the sandbox, use the marker: `@pytest.mark.proxymesh_sandbox(plan="10")`.
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
    """A `proxymesh.Client` for the fixture `proxymesh_sandbox`, as the parent account. It is closed after the test."""
    with proxymesh_sandbox.client() as client:
        yield client


@pytest.fixture
def proxymesh_async_client(proxymesh_sandbox: Sandbox) -> AsyncClient:
    """A `proxymesh.AsyncClient` for the fixture `proxymesh_sandbox`, as the parent account. Garbage collection closes
    it.
    """
    return proxymesh_sandbox.async_client()
