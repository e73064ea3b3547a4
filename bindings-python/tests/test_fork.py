"""A forked process goes on with the clients that it inherits, as the workers of multiprocessing and of prefork servers
do, and has connections of its own: parent and child never see each other's answers.
"""

from __future__ import annotations

import os
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
    """Whose sub-account it asks for; it begins with the id of the process that asks."""
    (name,) = parse_qs(request.query or "")["username"]
    return name


def script(request: Request) -> Reply:
    if request.headers["authorization"] != BASIC:
        return answer({"error": "wrong"}, 401)
    return answer({"username": name_in(request), "active": True, "monthly_bandwidth": 0, "total_bandwidth": 0})


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server(script)


def processes(server: Server) -> dict[str, set[int]]:
    """The connections of each process. None may be of two."""
    connections = defaultdict(set)
    of = {}
    for request in server.requests:
        process = name_in(request).split("-")[0]
        connections[process].add(request.connection)
        assert of.setdefault(request.connection, process) == process, "a connection was shared"
    return connections


@pytest.mark.parametrize("client", forked.CLIENTS)
@pytest.mark.parametrize("case", forked.CASES)
def test_parent_and_children_call_without_a_failure_and_share_no_connection(
    case: str, client: str, server: Server
) -> None:
    assert succeeds("forked", server.base_url, client, case) == ""
    connections = processes(server)
    assert len(connections) >= 2 or case == "failures_are_inherited"
    # By the side of other calls, a process may need several.
    if case not in {"while_threads_call", "in_a_running_loop", "failures_are_inherited"} and "pool" not in case:
        assert [len(own) for own in connections.values()] == [1] * len(connections), "each keeps its connection"
