"""The sandbox as a test double: its controls from Python, and the program that ships with the package."""

from __future__ import annotations

import base64
import contextlib
import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import proxymesh
import pytest
from proxymesh import Client
from proxymesh.sandbox import RecordedRequest, Sandbox

from .conftest import StartSandbox
from .support.credentials import PASSWORD, SUB_PASSWORD, TOKEN, USERNAME

HOUR = 3600.0


def test_it_runs_from_its_creation_until_it_is_stopped() -> None:
    with Sandbox() as sandbox:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", sandbox.base_url)
        assert repr(sandbox) == f"<proxymesh.sandbox.Sandbox {sandbox.base_url}>"
        assert (sandbox.username, sandbox.password) == ("parent", "parent-password")
        client = sandbox.client(max_retries=0)
        assert client.geo.open()
    with pytest.raises(proxymesh.ConnectionError):
        client.geo.open()
    assert len(sandbox.requests()) == 1, "recorded requests stay readable"
    sandbox.stop()
    sandbox.stop()


def test_garbage_collection_stops_it() -> None:
    sandbox = Sandbox()
    client = sandbox.client(max_retries=0)
    del sandbox
    gc.collect()
    with pytest.raises(proxymesh.ConnectionError):
        client.geo.open()


def test_its_client_uses_the_parents_credentials_by_default(sandbox: Sandbox) -> None:
    assert (sandbox.username, sandbox.password == PASSWORD) == (USERNAME, True)
    with sandbox.client() as parent:
        parent.sub_accounts.create("crawler-1", password=SUB_PASSWORD)
        token = parent.tokens.create().token
        assert repr(parent) == f"<proxymesh.Client {sandbox.base_url}>"
    sandbox.client(username="crawler-1", password=SUB_PASSWORD).ips.list()
    sandbox.client(token=token).ips.list()
    seen = [(request.auth, request.username) for request in sandbox.requests()[2:]]
    assert seen == [("basic", "crawler-1"), ("bearer", None)]


def test_its_client_accepts_the_options_of_a_client(sandbox: Sandbox) -> None:
    sandbox.fault("delay", seconds=30, times=0)
    with pytest.raises(proxymesh.TimeoutError, match=r"0\.1 s.* \(after 2 attempts\)"):
        sandbox.client(timeout=0.1, max_retries=1).ips.list()
    for wrong in ({"token": TOKEN, "username": "x"}, {"username": "x"}, {"timeout": 0.0}, {"max_retries": -1}):
        options: dict[str, Any] = wrong
        with pytest.raises(proxymesh.ConfigError):
            sandbox.client(**options)


def test_requests_are_recorded_without_secrets(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.sub_accounts.create("crawler-1", password=SUB_PASSWORD, first_name="Zoë & co")
        client.ips.list(username="crawler-1")
    assert sandbox.requests() == [
        RecordedRequest(
            number=1,
            method="POST",
            path="/api/sub/create/",
            query={},
            form={"username": "crawler-1", "password": "***", "first_name": "Zoë & co"},
            content_type="application/x-www-form-urlencoded",
            auth="basic",
            username=USERNAME,
            status=200,
            fault=None,
        ),
        RecordedRequest(2, "GET", "/api/ips/", {"username": "crawler-1"}, {}, None, "basic", USERNAME, 200, None),
    ]
    sandbox.clear_requests()
    assert sandbox.requests() == []
    with sandbox.client() as client:
        client.ips.list()
    assert [request.number for request in sandbox.requests()] == [3]


# Every kind of fault, and the error of the call that it applies to.
FAULTS: list[tuple[str, dict[str, Any], type[proxymesh.ProxyMeshError] | None]] = [
    ("status", {"status": 503}, proxymesh.ServerError),
    ("status", {"status": 400, "body": {"email": ["Bad."]}}, proxymesh.BadRequestError),
    ("status", {"status": 429, "headers": {"Retry-After": "7"}}, proxymesh.RateLimitedError),
    ("redirect", {"location": "http://127.0.0.1:1/"}, proxymesh.UnexpectedStatusError),
    ("redirect", {}, proxymesh.UnexpectedStatusError),
    ("drop", {}, proxymesh.ConnectionError),
    ("reset", {}, proxymesh.ConnectionError),
    ("delay", {"seconds": 30}, proxymesh.TimeoutError),
    ("delay", {"seconds": 0.01}, None),
    ("delay_after_apply", {"seconds": 30}, proxymesh.TimeoutError),
    ("drop_after_apply", {}, proxymesh.ConnectionError),
    ("truncate", {}, proxymesh.ConnectionError),
    ("garbage", {}, proxymesh.DecodeError),
    ("wrong_type", {}, proxymesh.DecodeError),
    ("wrong_type", {"inside": True}, proxymesh.DecodeError),
    ("html", {}, proxymesh.DecodeError),
    ("empty", {}, proxymesh.DecodeError),
    ("huge", {}, proxymesh.DecodeError),
    ("huge", {"bytes": 100_000}, None),
    ("drip", {"seconds": 0.0001}, None),
    ("drip", {"seconds": 1}, proxymesh.TimeoutError),
    ("close_idle", {}, None),
]


@pytest.mark.parametrize(("kind", "fields", "error"), FAULTS, ids=lambda value: str(value) if value else "fine")
def test_a_fault_applies_once_to_the_next_call(
    kind: str, fields: dict[str, Any], error: type[Exception] | None, sandbox: Sandbox
) -> None:
    sandbox.fault(kind, **fields)
    with sandbox.client(timeout=0.5 if error is proxymesh.TimeoutError else 20.0, max_retries=0) as client:
        if error is None:
            client.proxies.list()
        else:
            with pytest.raises(error):
                client.proxies.list()
        assert client.with_options(timeout=5.0, max_retries=2).proxies.list()
    assert [request.fault for request in sandbox.requests()][:2] == [kind, None]


def test_there_is_a_test_for_every_kind_of_fault() -> None:
    documented = (Sandbox.fault.__doc__ or "").split("kind: ")[1].split(";")[0]
    assert {kind for kind, _, _ in FAULTS} == set(re.findall(r"`(\w+)`", documented))


def test_a_fault_may_apply_to_certain_calls_and_several_times(sandbox: Sandbox) -> None:
    sandbox.fault("status", status=503, method="POST", path="/api/ip/add/", times=2, after=1)
    with sandbox.client(max_retries=0) as client:
        client.ips.list()
        client.ips.add("203.0.113.1")
        for _ in range(2):
            with pytest.raises(proxymesh.ServerError):
                client.proxies.list() and client.ips.add("203.0.113.2")
        client.ips.add("203.0.113.3")
        assert client.ips.list() == ["203.0.113.1", "203.0.113.3"]

    sandbox.fault("status", status=500, times=0)
    with sandbox.client(max_retries=0) as client:
        for _ in range(3):
            with pytest.raises(proxymesh.ServerError):
                client.ips.list()
        sandbox.clear_faults()
        client.ips.list()


def test_a_fault_may_set_the_body_and_the_headers(sandbox: Sandbox) -> None:
    sandbox.fault("status", status=429, body={"error": "slow down", "x": [1, None]}, headers={"Retry-After": "61"})
    with sandbox.client() as client, pytest.raises(proxymesh.RateLimitedError) as caught:
        client.ips.list()
    assert (caught.value.reason, caught.value.retry_after) == ("slow down", 61.0)
    sandbox.fault("status", status=418, body="short and stout")
    with sandbox.client() as client, pytest.raises(proxymesh.UnexpectedStatusError, match="short and stout"):
        client.ips.list()


@pytest.mark.parametrize(
    ("kind", "fields", "complaint"),
    [
        ("explode", {}, "unknown variant `explode`, expected one of `status`"),
        ("drop", {"colour": 1}, "kind `drop` has no field `colour`"),
        ("drop", {"seconds": 1}, "kind `drop` has no field `seconds`"),
        ("delay", {}, "missing field `seconds`"),
        ("delay", {"seconds": -1}, "`seconds` must be a number from 0 to 3600"),
        ("delay", {"seconds": "1"}, "`seconds` must be a number from 0 to 3600"),
        ("status", {}, "missing field `status`"),
        ("status", {"status": 99}, "not from 200 to 599"),
        ("status", {"status": 503, "path": "/api/ip/add"}, "the API has no path '/api/ip/add'"),
        ("status", {"status": 503, "method": "PUT"}, "neither GET nor POST"),
        ("status", {"status": 200, "headers": {"Content-Length": "5"}}, "cannot be set"),
        ("status", {"status": 503, "body": float("nan")}, "invalid fault"),
    ],
)
def test_an_invalid_fault_is_a_value_error(kind: str, fields: dict[str, Any], complaint: str, sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        sandbox.fault(kind, **fields)
    assert sandbox.client().proxies.list()


def test_a_fault_of_the_wrong_type_is_a_type_error(sandbox: Sandbox) -> None:
    loose: Any = sandbox
    wrong: list[tuple[tuple[object, ...], dict[str, object]]] = [
        ((5,), {}),
        (("drop",), {"times": "2"}),
        (("status",), {"status": 503, "body": object()}),
        (("drop", "POST"), {}),
    ]
    for positional, keywords in wrong:
        with pytest.raises(TypeError):
            loose.fault(*positional, **keywords)
    with pytest.raises(OverflowError):
        loose.fault("drop", times=-1)


def test_its_clock_follows_the_real_one_and_can_be_advanced(sandbox: Sandbox) -> None:
    now = sandbox.now
    assert abs(now - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert now.tzinfo is timezone.utc
    sandbox.advance(2 * 24 * HOUR)
    assert timedelta(days=2) <= sandbox.now - now < timedelta(days=2, seconds=5)
    sandbox.advance(0.5)
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="the number of seconds must be 0 or greater"):
            sandbox.advance(wrong)


def test_the_clock_affects_expiry_and_created_at(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        token = client.tokens.create(expires_at=(sandbox.now + timedelta(days=30)).date())
        bearer = sandbox.client(token=token.token)
        assert bearer.ips.list() == []
        sandbox.advance(32 * 24 * HOUR)
        with pytest.raises(proxymesh.AuthenticationError):
            bearer.ips.list()
        assert client.tokens.create().created_at - token.created_at >= timedelta(days=32)


def test_a_ban_ends_with_the_clock(sandbox: Sandbox) -> None:
    # Four processes, because within one the auth gate stops before the ban.
    for number in range(4):
        program = f"import proxymesh; proxymesh.Client('x', 'wrong {number}', base_url={sandbox.base_url!r}).ips.list()"
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert run.stderr.splitlines()[-1].startswith("proxymesh.AuthenticationError: ips.list: ")
    with sandbox.client() as client:
        with pytest.raises(proxymesh.AuthenticationError):
            client.ips.list()
        sandbox.advance(3 * HOUR)
        # Calls within a second of a rejection get the same rejection.
        time.sleep(1.1)
        assert client.ips.list() == []


def test_usage_is_booked_on_sub_accounts(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.sub_accounts.create("crawler-1", monthly_limit=5)
        sandbox.book_usage("crawler-1", 1.5)
        sandbox.book_usage("crawler-1", 1)
        sandbox.book_usage(USERNAME, 3.0)
        account = client.sub_accounts.get("crawler-1")
        assert (account.monthly_bandwidth, account.total_bandwidth, account.monthly_bandwidth_limit) == (2.5, 2.5, 5)
        sandbox.advance(40 * 24 * HOUR)
        account = client.sub_accounts.get("crawler-1")
        assert (account.monthly_bandwidth, account.total_bandwidth) == (0.0, 2.5)
    with pytest.raises(LookupError, match="there is no account 'nobody'"):
        sandbox.book_usage("nobody", 1.0)
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="gigabytes"):
            sandbox.book_usage("crawler-1", wrong)


def test_reset_restores_the_initial_state(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.sub_accounts.create("crawler-1")
        client.ips.add("203.0.113.7")
        sandbox.advance(HOUR)
        sandbox.fault("drop", times=0)
        sandbox.reset()
        assert client.ips.list() == []
        with pytest.raises(proxymesh.NotFoundError):
            client.sub_accounts.get("crawler-1")
    assert abs(sandbox.now - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert [request.number for request in sandbox.requests()] == [1, 2]


def test_it_enforces_the_limits_of_the_plan(start_sandbox: StartSandbox) -> None:
    limits = {}
    for plan in ("trial", "10", "20", "50", "100"):
        with start_sandbox(plan=plan).client() as client:
            made = 0
            with contextlib.suppress(proxymesh.PlanLimitError):
                while made < 120:
                    client.tokens.create()
                    made += 1
            limits[plan] = made
    assert limits == {"trial": 0, "10": 10, "20": 20, "50": 50, "100": 100}


@pytest.mark.parametrize(
    ("options", "kind", "complaint"),
    [
        ({"plan": "gold"}, ValueError, "unknown plan 'gold'; the plans are trial, 10, 20, 50 and 100"),
        ({"username": "a b"}, ValueError, "username: "),
        ({"username": ""}, ValueError, "username: "),
        ({"password": ""}, ValueError, "password: "),
        ({"keep_alive": -1}, ValueError, "the number of seconds must be 0 or greater"),
        ({"host": "192.0.2.1"}, OSError, "cannot listen on 192.0.2.1:0: this machine does not have that address"),
        ({"host": "0.0.0.0"}, ValueError, "password: others can reach 0.0.0.0, and the default password is published"),
        ({"host": "0.0.0.0", "proxies": True, "password": "parent-password"}, ValueError, "set one of your own"),
        ({"port": 70000}, OverflowError, "out of range"),
        ({"port": "80"}, TypeError, "integer"),
        ({"plan": 50}, TypeError, "'int' object"),
        ({"plans": "50"}, TypeError, "unexpected keyword argument 'plans'"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_an_invalid_sandbox_is_rejected(options: dict[str, Any], kind: type[Exception], complaint: str) -> None:
    with pytest.raises(kind, match=re.escape(complaint)):
        Sandbox(**options)


def test_a_taken_port_is_an_os_error(sandbox: Sandbox) -> None:
    port = int(sandbox.base_url.rpartition(":")[2])
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: address already in use"):
        Sandbox(port=port)


def test_a_port_can_be_chosen_and_used_again_at_once() -> None:
    with Sandbox() as first, first.client() as client:
        port = int(first.base_url.rpartition(":")[2])
        client.geo.open()
    with Sandbox(port=port) as second, second.client() as client:
        assert second.base_url == first.base_url
        assert client.geo.open()


def test_it_can_listen_on_ipv6() -> None:
    with Sandbox(host="::1") as sandbox, sandbox.client() as client:
        assert sandbox.base_url.startswith("http://[::1]:")
        assert client.geo.open()


def asked(method: str, url: str, **headers: str) -> tuple[int, bytes]:
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port)
    with contextlib.closing(connection):
        connection.request(
            method, where.path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_on_a_public_address_it_warns_and_its_controls_require_the_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("WARNING", "proxymesh"), Sandbox(host="0.0.0.0", password=PASSWORD, proxies=True) as sandbox:
        assert re.search(r"0\.0\.0\.0:\d+ is not a loopback address.*/_sandbox/.*loopback addresses", caplog.text)
        assert PASSWORD not in caplog.text
        requests = f"{sandbox.base_url}/_sandbox/requests"
        assert asked("GET", requests)[0] == 401
        published = base64.b64encode(b"parent:parent-password").decode()
        assert asked("GET", requests, Authorization=f"Basic {published}")[0] == 401
        own = base64.b64encode(f"parent:{PASSWORD}".encode()).decode()
        assert asked("GET", requests, Authorization=f"Basic {own}") == (200, b"[]")
        with sandbox.client() as client:
            assert client.geo.open()
    caplog.clear()
    with Sandbox(proxies=True):
        assert not caplog.records


def test_web_pages_cannot_control_it(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.sub_accounts.create("crawler-1")
        reset, account = f"{sandbox.base_url}/_sandbox/reset", f"{sandbox.base_url}/_sandbox/account"
        assert asked("POST", reset, Origin="https://evil.example")[0] == 403
        assert asked("POST", reset, Sec_Fetch_Site="cross-site")[0] == 403
        assert asked("GET", account, Host="rebound.evil.example")[0] == 421
        assert client.sub_accounts.get("crawler-1")
    assert asked("GET", account)[0] == 200


def test_connections_are_counted_and_idle_ones_are_closed(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(keep_alive=0.05)
    with sandbox.client() as client:
        client.geo.open()
        deadline = time.monotonic() + 10
        while sandbox.open_connections:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_two_sandboxes_in_two_threads_are_independent() -> None:
    together = threading.Barrier(2)
    listed: dict[str, list[str]] = {}

    def use(name: str, ip: str) -> None:
        with Sandbox() as sandbox, sandbox.client() as client:
            together.wait()
            for _ in range(50):
                client.ips.add(ip)
                client.ips.delete(ip)
            client.ips.add(ip)
            listed[name] = client.ips.list()
            assert len(sandbox.requests()) == 102

    threads = [threading.Thread(target=use, args=(str(n), f"203.0.113.{n}")) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert listed == {"1": ["203.0.113.1"], "2": ["203.0.113.2"]}


def test_many_threads_may_use_one_sandbox(sandbox: Sandbox) -> None:
    def use(number: int) -> None:
        with sandbox.client() as client:
            client.ips.add(f"203.0.113.{number}")
            sandbox.requests()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sandbox.client().ips.list()) == sorted(f"203.0.113.{number}" for number in range(32))


# The program.


@contextlib.contextmanager
def program(*flags: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Runs `python -m proxymesh.sandbox`. Kills it if the test does not end it."""
    command = [sys.executable, "-m", "proxymesh.sandbox", *flags]
    environment = {**os.environ, **variables}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as running:
        try:
            yield running
        finally:
            running.kill()


def listening(running: subprocess.Popen[str]) -> str:
    """The URL that the program prints."""
    assert running.stdout is not None
    line = running.stdout.readline()
    match = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
    assert match, line
    return match[1]


def ended(running: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = running.communicate(timeout=10)
    return running.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_prints_its_address_and_serves_until_it_is_stopped(number: signal.Signals) -> None:
    flags = ["--port", "0", "--username", USERNAME, "--plan", "10"]
    with program(*flags, PROXYMESH_SANDBOX_PASSWORD=PASSWORD) as running:
        client = Client(USERNAME, PASSWORD, base_url=listening(running))
        assert client.proxies.list()
        running.send_signal(number)
        assert ended(running) == (0, "", f"stopped by {number.name} after 1 API call\n")


def test_the_program_prints_help_and_version() -> None:
    with program("--help") as running:
        status, out, err = ended(running)
    assert (status, err) == (0, "")
    for word in ("Usage: proxymesh-sandbox", "--port", "--plan", "/_sandbox/faults", "drop_after_apply"):
        assert word in out
    with program("--version") as running:
        assert ended(running) == (0, f"proxymesh-sandbox {proxymesh.__version__}\n", "")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--colour"], "error: invalid option '--colour'"),
        (["--port"], "error: missing argument for option '--port'"),
        (["--port", "http"], 'error: cannot parse argument "http"'),
        (["--plan", "gold"], "unknown plan 'gold'"),
        (["extra"], 'error: unexpected argument "extra"'),
        (["--username", "a b"], "error: username: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_program_rejects_invalid_flags(flags: list[str], complaint: str) -> None:
    with program(*flags) as running:
        status, out, err = ended(running)
    assert (status, out) == (2, "")
    assert complaint in err
    assert err.endswith("Try 'proxymesh-sandbox --help'.\n")


def test_the_program_rejects_the_default_password_on_a_public_address() -> None:
    with program("--host", "0.0.0.0", "--proxies") as running:
        status, out, err = ended(running)
    assert status == 2
    assert re.fullmatch(r"not listening on http://0\.0\.0\.0:\d+: a password of your own is required\n", out)
    assert err.startswith(
        "error: password: others can reach 0.0.0.0, and the default password is published; set one of"
    )


def test_the_program_exits_with_1_if_it_cannot_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with program("--port", str(port)) as running:
            complaint = f"error: cannot listen on 127.0.0.1:{port}: address already in use\n"
            assert ended(running) == (1, "", complaint)
