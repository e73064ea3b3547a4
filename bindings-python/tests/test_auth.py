"""The auth gate: a wrong password costs the account one failed authentication, however many threads try it. Four would
ban the caller.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import proxymesh
import pytest
from proxymesh import Client
from proxymesh.sandbox import Sandbox

from .support.credentials import PASSWORD, SUB_PASSWORD, USERNAME
from .support.program import succeeds
from .support.workers import PROCESSES

MANY = 256
WRONG = "wrong-password"
# Calls within a second of a rejection get the same rejection. This is longer.
A_ROUND_LATER = 1.1


def together(clients: list[Client]) -> list[BaseException | None]:
    """Makes a call with each client, each in its own thread, all at once. Returns what each call raised."""
    barrier = threading.Barrier(len(clients))

    def one(client: Client) -> BaseException | None:
        barrier.wait()
        try:
            client.ips.list()
        except proxymesh.ProxyMeshError as error:
            return error
        return None

    with ThreadPoolExecutor(len(clients)) as threads:
        return list(threads.map(one, clients))


def kinds(outcomes: list[BaseException | None]) -> dict[str, int]:
    return dict(Counter(type(outcome).__name__ for outcome in outcomes))


@pytest.mark.parametrize("shared", [True, False], ids=["one client", "a client each"])
def test_256_threads_with_a_wrong_password_cost_one_failed_authentication(sandbox: Sandbox, shared: bool) -> None:
    def make() -> Client:
        return sandbox.client(username=USERNAME, password=WRONG)

    clients = [make()] * MANY if shared else [make() for _ in range(MANY)]
    first = together(clients)
    assert kinds(first) == {"AuthenticationError": MANY}
    assert len(sandbox.requests()) == 1
    attempts = Counter(error.attempts for error in first if isinstance(error, proxymesh.AuthenticationError))
    assert attempts == {1: 1, 0: MANY - 1}, "one was sent, and all got its response"

    time.sleep(A_ROUND_LATER)
    assert kinds(together(clients)) == {"AuthenticationError": MANY}
    assert len(sandbox.requests()) == 2, "the second round costs one more"

    for _ in range(2):
        time.sleep(A_ROUND_LATER)
        blocked = together(clients)
        assert kinds(blocked) == {"AuthenticationBlockedError": MANY}
        for error in blocked:
            assert isinstance(error, proxymesh.AuthenticationBlockedError)
            assert 280 < error.retry_after < 300
            assert error.call == "ips.list"
        assert len(sandbox.requests()) == 2, "the third and the fourth cost none"

    with sandbox.client() as right:
        assert right.ips.list() == [], "right credentials in a new client work at once"


def test_after_one_call_has_proven_the_credentials_all_others_are_sent(sandbox: Sandbox) -> None:
    assert kinds(together([sandbox.client()] * 64)) == {"NoneType": 64}
    assert len(sandbox.requests()) == 64


def test_a_third_wrong_password_stops_the_process_before_the_fourth(sandbox: Sandbox) -> None:
    for wrong in ("wrong 1", "wrong 2", "wrong 3"):
        with pytest.raises(proxymesh.AuthenticationError):
            sandbox.client(username=USERNAME, password=wrong).ips.list()
    for password in ("wrong 4", PASSWORD):
        with pytest.raises(proxymesh.AuthenticationBlockedError):
            sandbox.client(username=USERNAME, password=password).ips.list()
    assert len(sandbox.requests()) == 3, "the caller is not banned"


def test_proven_credentials_still_work_when_others_have_used_up_the_failures(sandbox: Sandbox) -> None:
    right = sandbox.client()
    right.ips.list()
    for wrong in ("wrong 1", "wrong 2", "wrong 3"):
        with pytest.raises(proxymesh.AuthenticationError):
            sandbox.client(username=USERNAME, password=wrong).ips.list()
    assert right.ips.list() == []


def test_a_sub_account_and_a_token_are_credentials_too(sandbox: Sandbox) -> None:
    with sandbox.client() as parent:
        parent.sub_accounts.create("crawler-1", password=SUB_PASSWORD)
        token = parent.tokens.create()
    with sandbox.client(username="crawler-1", password=SUB_PASSWORD) as sub:
        assert sub.ips.list() == []
        with pytest.raises(proxymesh.PermissionDeniedError):
            sub.sub_accounts.create("crawler-2")
    with sandbox.client(token=token.token) as bearer:
        assert bearer.ips.list() == []
    assert [(request.auth, request.username) for request in sandbox.requests()] == [
        ("basic", USERNAME),
        ("basic", USERNAME),
        ("basic", "crawler-1"),
        ("basic", "crawler-1"),
        ("bearer", None),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork here")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_16_processes_with_a_wrong_password_cost_at_most_two_failed_authentications(
    sandbox: Sandbox, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    def processes(password: str) -> dict[str, int]:
        ended: dict[str, int] = json.loads(succeeds("workers", sandbox.base_url, password, method))
        assert sum(ended.values()) == PROCESSES
        return ended

    assert processes(WRONG).keys() <= {"AuthenticationError", "AuthenticationBlockedError"}
    assert 1 <= len(sandbox.requests()) <= 2
    assert processes(PASSWORD) == {"answer": PROCESSES}, "others' failures do not count"
