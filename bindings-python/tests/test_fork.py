"""A forked process can use the clients that it inherits, as the workers of multiprocessing and of prefork servers do.
It opens its own connections, so parent and child never see each other's responses.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from urllib.parse import parse_qs

import pytest

from .conftest import StartServer
from .support import forked
from .support.credentials import BASIC
from .support.program import succeeds
from .support.server import Reply, Request, Server, answer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def name_in(request: Request) -> str:
    """The sub-account that the request is about. Its name starts with the id of the process that sent the request."""
    (name,) = parse_qs(request.query or "")["username"]
    return name


def script(request: Request) -> Reply:
    if request.headers["authorization"] != BASIC:
        return answer({"error": "wrong"}, 401)
    if name_in(request).endswith("-slow"):
        time.sleep(0.5)
    return answer({"username": name_in(request), "active": True, "monthly_bandwidth": 0, "total_bandwidth": 0})


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server(script)


def processes(server: Server) -> dict[str, set[int]]:
    """The connections of each process. No connection may belong to two processes."""
    connections: defaultdict[str, set[int]] = defaultdict(set)
    of: dict[int, str] = {}
    for request in server.requests:
        process = name_in(request).split("-")[0]
        connections[process].add(request.connection)
        assert of.setdefault(request.connection, process) == process, "a connection was shared"
    return connections


@pytest.mark.parametrize("client", forked.CLIENTS)
@pytest.mark.parametrize("case", [case.__name__ for case in forked.ONE_BY_ONE])
def test_200_calls_in_each_process_succeed_and_each_process_has_its_own_connection(
    case: str, client: str, server: Server
) -> None:
    assert succeeds("forked", server.base_url, client, case) == ""
    connections = processes(server)
    assert len(connections) >= 2
    assert [len(own) for own in connections.values()] == [1] * len(connections)


@pytest.mark.parametrize("client", forked.CLIENTS)
@pytest.mark.parametrize("case", [case.__name__ for case in forked.AT_ONCE])
def test_a_fork_does_not_disturb_calls_in_progress(case: str, client: str, server: Server) -> None:
    assert succeeds("forked", server.base_url, client, case) == ""
    assert len(processes(server)) >= 2


@pytest.mark.parametrize("client", forked.CLIENTS)
def test_failed_authentications_before_the_fork_count_after_it(client: str, server: Server) -> None:
    assert succeeds("forked", server.base_url, client, "failures_are_inherited") == ""


def test_a_coroutine_created_before_the_fork_belongs_to_the_parent(server: Server) -> None:
    assert succeeds("forked", server.base_url, "awaited", "with_a_call_from_before") == ""
    assert len(processes(server)) == 2


def test_a_call_during_which_a_signal_handler_forks_belongs_to_the_parent(server: Server) -> None:
    assert succeeds("forked", server.base_url, "blocking", "in_a_signal_handler") == ""
    connections = processes(server)
    assert [len(own) for own in connections.values()] == [1, 1]
