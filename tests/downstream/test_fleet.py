"""Tests the fleet against the sandbox that comes with proxymesh."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import fleet
import proxymesh
import pytest
from proxymesh.sandbox import Sandbox

DAY = 24 * 60 * 60


def test_a_rotation_repeats(proxymesh_client: proxymesh.Client) -> None:
    urls = fleet.rotation(proxymesh_client, "me@ex.com", "p:w")
    first, second, third, again = (next(urls) for _ in range(4))
    assert len({first, second, third}) == 3
    assert again == first
    assert first.startswith("http://me%40ex.com:p%3Aw@")


def test_a_429_is_retried(proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client) -> None:
    proxymesh_sandbox.fault("status", status=429, headers={"Retry-After": "0"}, path="/api/proxies/")
    assert next(fleet.rotation(proxymesh_client, "me", "secret"))
    assert [(call.path, call.status) for call in proxymesh_sandbox.requests()] == [
        ("/api/proxies/", 429),
        ("/api/proxies/", 200),
    ]


def test_crawlers_are_hired_once(proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client) -> None:
    fleet.hire(proxymesh_client, ["ant", "bee"], gigabytes=1)
    assert [account.monthly_bandwidth_limit for account in fleet.hire(proxymesh_client, ["bee"], gigabytes=2)] == [2]
    calls = [(call.path.split("/")[3], call.form["username"], call.status) for call in proxymesh_sandbox.requests()]
    assert calls == [
        ("edit", "ant", 404),
        ("create", "ant", 200),
        ("edit", "bee", 404),
        ("create", "bee", 200),
        ("edit", "bee", 200),
    ]


def test_a_lost_response_hires_nobody_twice(proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client) -> None:
    proxymesh_sandbox.fault("drop_after_apply", path="/api/sub/create/")
    (ant,) = fleet.hire(proxymesh_client, ["ant"], gigabytes=1)
    assert ant.monthly_bandwidth_limit == 1
    assert [call.path for call in proxymesh_sandbox.requests()].count("/api/sub/create/") == 1


def test_usage_of_all_crawlers(
    proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client, proxymesh_async_client: proxymesh.AsyncClient
) -> None:
    crawlers = ["ant", "bee", "cat"]
    fleet.hire(proxymesh_client, crawlers, gigabytes=5)
    proxymesh_sandbox.book_usage("bee", 2.5)
    assert asyncio.run(fleet.usage(proxymesh_async_client, crawlers)) == {"ant": 0.0, "bee": 2.5, "cat": 0.0}


def test_a_crawler_that_has_used_its_month_rests(
    proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client
) -> None:
    fleet.hire(proxymesh_client, ["ant", "bee"], gigabytes=5)
    proxymesh_sandbox.book_usage("ant", 5.5)
    proxymesh_sandbox.book_usage("bee", 4.5)
    assert fleet.rest(proxymesh_client, ["ant", "bee"]) == ["ant"]
    assert not proxymesh_client.sub_accounts.get("ant").active

    proxymesh_sandbox.advance(31 * DAY)
    assert proxymesh_client.sub_accounts.get("ant").monthly_bandwidth == 0
    assert proxymesh_client.sub_accounts.activate("ant").active
    assert fleet.rest(proxymesh_client, ["ant", "bee"]) == []


def test_code_with_a_client_of_its_own_finds_the_sandbox(proxymesh_sandbox: Sandbox) -> None:
    assert fleet.let_in("203.0.113.7")
    assert not fleet.let_in("203.0.113.7")
    assert [call.form["ip"] for call in proxymesh_sandbox.requests()] == ["203.0.113.7"] * 2


def test_another_process_finds_the_sandbox(proxymesh_sandbox: Sandbox) -> None:
    subprocess.run([sys.executable, "-c", "import fleet; fleet.let_in('203.0.113.7')"], check=True, timeout=30)
    assert proxymesh_sandbox.client().ips.list() == ["203.0.113.7"]


def test_every_test_has_a_sandbox_of_its_own(proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client) -> None:
    assert proxymesh_client.ips.list() == []
    assert [call.number for call in proxymesh_sandbox.requests()] == [1]


@pytest.mark.usefixtures("proxymesh_sandbox")
def test_the_account_of_the_environment_is_out_of_reach() -> None:
    assert os.environ["PROXYMESH_BASE_URL"].startswith("http://127.0.0.1:")


@pytest.mark.proxymesh_sandbox(plan="10", username="boss")
class TestASmallPlan:
    """The marker has the sandbox's options. A marker on a test adds to the marker on its class."""

    def test_has_a_limit(self, proxymesh_client: proxymesh.Client) -> None:
        for _ in range(10):
            proxymesh_client.tokens.create()
        with pytest.raises(proxymesh.PlanLimitError):
            proxymesh_client.tokens.create()

    @pytest.mark.proxymesh_sandbox(plan="trial")
    def test_may_be_smaller_for_one_test(self, proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client) -> None:
        assert proxymesh_sandbox.username == "boss"
        with pytest.raises(proxymesh.PlanLimitError):
            proxymesh_client.tokens.create()


class TestAnOverriddenFixture:
    """A fixture of the same name overrides the plugin's, and the client uses it."""

    @pytest.fixture
    def proxymesh_sandbox(self, proxymesh_sandbox: Sandbox) -> Sandbox:
        with proxymesh_sandbox.client() as client:
            client.sub_accounts.create("ant", monthly_limit=1)
        proxymesh_sandbox.clear_requests()
        return proxymesh_sandbox

    def test_the_client_uses_it(self, proxymesh_sandbox: Sandbox, proxymesh_client: proxymesh.Client) -> None:
        fleet.hire(proxymesh_client, ["ant"], gigabytes=3)
        assert [call.path for call in proxymesh_sandbox.requests()] == ["/api/sub/edit/"]


def test_wrong_credentials_are_tried_once(proxymesh_sandbox: Sandbox) -> None:
    with proxymesh_sandbox.client(password="wrong") as client, pytest.raises(proxymesh.AuthenticationError):
        fleet.rotation(client, "me", "secret")
    assert [call.status for call in proxymesh_sandbox.requests()] == [401]
