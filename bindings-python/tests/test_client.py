"""The client: its settings, its time limits, the certificates that it trusts, and how it is closed."""

from __future__ import annotations

import contextlib
import copy
import gc
import pickle
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import proxymesh
import pytest
from proxymesh import AsyncClient, Client, ConfigError
from proxymesh.sandbox import Sandbox

from .conftest import Connect, StartSandbox, StartServer
from .support.credentials import ODD_BASIC, ODD_PASSWORD, PASSWORD, TOKEN, USERNAME
from .support.notes import naming
from .support.server import Answer, Instead, Reply, Request, Server, answer

FINE = answer({"US": 1})
SURROGATE = "\udce4"


# Settings.


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server(FINE)


def test_settings_that_are_not_passed_come_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXYMESH_USERNAME", USERNAME)
    monkeypatch.setenv("PROXYMESH_PASSWORD", ODD_PASSWORD)
    monkeypatch.setenv("PROXYMESH_BASE_URL", server.base_url)
    with Client() as client:
        client.geo.open()
    assert (server.only_request().headers["authorization"] == ODD_BASIC) is True


def test_a_token_may_come_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXYMESH_TOKEN", TOKEN)
    with Client(base_url=server.base_url) as client:
        client.geo.open()
    assert (server.only_request().headers["authorization"] == f"Bearer {TOKEN}") is True


def test_passed_settings_take_precedence_over_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXYMESH_USERNAME", "another")
    monkeypatch.setenv("PROXYMESH_PASSWORD", "another")
    monkeypatch.setenv("PROXYMESH_BASE_URL", "http://127.0.0.1:1")
    both: list[dict[str, Any]] = [{"username": USERNAME, "password": ODD_PASSWORD}, {"token": TOKEN}]
    for credentials in both:
        with Client(base_url=server.base_url, **credentials) as client:
            client.geo.open()
    sent = [request.headers["authorization"] for request in server.requests]
    assert (sent == [ODD_BASIC, f"Bearer {TOKEN}"]) is True


def test_half_of_the_credentials_may_come_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXYMESH_PASSWORD", ODD_PASSWORD)
    with Client(USERNAME, base_url=server.base_url) as client:
        client.geo.open()
    assert (server.only_request().headers["authorization"] == ODD_BASIC) is True


NOTHING = (
    "no credentials: give a username and password, or a token, or set PROXYMESH_USERNAME and PROXYMESH_PASSWORD, "
    "or PROXYMESH_TOKEN"
)
BOTH = "give either a token or a username and password, not both"
PLAIN = "base_url must use https: plain http would expose the credentials, and is allowed only for loopback hosts"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, NOTHING),
        ({"username": USERNAME}, "a username is given, but no password"),
        ({"password": PASSWORD}, "a password is given, but no username"),
        ({"username": USERNAME, "password": PASSWORD, "token": TOKEN}, BOTH),
        ({"username": USERNAME, "token": TOKEN}, BOTH),
        ({"username": "", "password": PASSWORD}, "the username is empty"),
        ({"username": USERNAME, "password": ""}, "the password is empty"),
        ({"token": ""}, "the token is empty"),
        ({"username": "a:b", "password": PASSWORD}, "the username must not contain a colon or control characters"),
        ({"username": "a\n", "password": PASSWORD}, "the username must not contain a colon or control characters"),
        ({"username": "a", "password": PASSWORD + "\r\nx: y"}, "the password must not contain control characters"),
        ({"token": TOKEN + "\n"}, "the token contains a character that is not allowed in a token (RFC 6750)"),
        (
            {"username": "a" + SURROGATE, "password": PASSWORD},
            "username contains a lone surrogate, which is not a valid character",
        ),
        (
            {"username": "a", "password": PASSWORD + SURROGATE},
            "password contains a lone surrogate, which is not a valid character",
        ),
        ({"token": TOKEN + SURROGATE}, "token contains a lone surrogate, which is not a valid character"),
    ],
    ids=lambda value: "+".join(value) or "nothing" if isinstance(value, dict) else "",
)
def test_missing_or_contradictory_credentials_are_rejected(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Client(**settings)
    assert (caught.value.reason, str(caught.value), caught.value.call) == (reason, reason, None)
    assert PASSWORD not in repr(caught.value)
    assert TOKEN not in repr(caught.value)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"USERNAME": USERNAME}, "PROXYMESH_USERNAME is set, but no password"),
        ({"PASSWORD": PASSWORD}, "PROXYMESH_PASSWORD is set, but no username"),
        (
            {"USERNAME": USERNAME, "PASSWORD": PASSWORD, "TOKEN": TOKEN},
            "set either PROXYMESH_TOKEN or PROXYMESH_USERNAME and PROXYMESH_PASSWORD, not both, or give the "
            "credentials explicitly",
        ),
        ({"USERNAME": "", "PASSWORD": "", "TOKEN": ""}, NOTHING),
        (
            {"USERNAME": USERNAME, "PASSWORD": PASSWORD + SURROGATE},
            "the environment variable PROXYMESH_PASSWORD is not valid UTF-8",
        ),
        ({"TOKEN": TOKEN, "BASE_URL": "http://proxymesh.com"}, PLAIN),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_a_contradictory_environment_is_rejected(
    variables: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"PROXYMESH_{name}", value)
    with pytest.raises(ConfigError) as caught:
        Client()
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"base_url": "http://proxymesh.com"}, PLAIN),
        ({"base_url": "http://10.0.0.1:8080"}, PLAIN),
        ({"base_url": "http://0.0.0.0"}, PLAIN),
        ({"base_url": "http://127.0.0.1.example.com"}, PLAIN),
        ({"base_url": "http://localhost.example.com"}, PLAIN),
        ({"base_url": "proxymesh.com"}, "base_url must be a URL, such as https://proxymesh.com"),
        ({"base_url": ""}, "base_url must be a URL, such as https://proxymesh.com"),
        ({"base_url": "ftp://proxymesh.com"}, "base_url must begin with https://"),
        (
            {"base_url": f"https://me:{PASSWORD}@proxymesh.com"},
            "base_url must not contain credentials; give the username and password separately",
        ),
        ({"base_url": "https://proxymesh.com/?x=1"}, "base_url must not have a query or a fragment"),
        ({"base_url": "https://x" + SURROGATE}, "base_url contains a lone surrogate, which is not a valid character"),
        ({"timeout": 0}, "timeout must be a number of seconds greater than 0, not 0"),
        ({"timeout": -1}, "timeout must be a number of seconds greater than 0, not -1"),
        ({"timeout": float("nan")}, "timeout must be a number of seconds greater than 0, not NaN"),
        ({"timeout": float("inf")}, "timeout must be a number of seconds greater than 0, not inf"),
        ({"connect_timeout": 0.0}, "connect_timeout must be a number of seconds greater than 0, not 0"),
        ({"timeout": 10**400}, "timeout must be a number of seconds greater than 0, not a number that large"),
        ({"timeout": (3, 27)}, "timeout must be a number of seconds greater than 0, not tuple"),
        ({"timeout": "5"}, "timeout must be a number of seconds greater than 0, not str"),
        ({"timeout": None}, "timeout must be a number of seconds greater than 0, not NoneType"),
        ({"timeout": True}, "timeout must be a number of seconds greater than 0, not bool"),
        ({"connect_timeout": (3, 27)}, "connect_timeout must be a number of seconds greater than 0, not tuple"),
        ({"connect_timeout": float("-inf")}, "connect_timeout must be a number of seconds greater than 0, not -inf"),
        ({"max_retries": -1}, "max_retries must be a whole number from 0 to 4294967295, not -1"),
        ({"max_retries": 2**32}, "max_retries must be a whole number from 0 to 4294967295, not 4294967296"),
        ({"max_retries": 2**64}, "max_retries must be a whole number from 0 to 4294967295, not a number that large"),
        (
            {"max_retries": -(10**400)},
            "max_retries must be a whole number from 0 to 4294967295, not a number that large",
        ),
        ({"max_retries": 1.5}, "max_retries must be a whole number from 0 to 4294967295, not float"),
        ({"max_retries": "1"}, "max_retries must be a whole number from 0 to 4294967295, not str"),
        ({"max_retries": True}, "max_retries must be a whole number from 0 to 4294967295, not bool"),
        ({"max_connections": 0}, "max_connections must be a whole number from 1 to 4294967295, not 0"),
        ({"max_connections": 2**32}, "max_connections must be a whole number from 1 to 4294967295, not 4294967296"),
        (
            {"max_connections": 10**400},
            "max_connections must be a whole number from 1 to 4294967295, not a number that large",
        ),
        ({"max_connections": 1.5}, "max_connections must be a whole number from 1 to 4294967295, not float"),
        ({"max_connections": True}, "max_connections must be a whole number from 1 to 4294967295, not bool"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_an_invalid_setting_is_rejected(settings: dict[str, Any], reason: str) -> None:
    makers: list[Callable[..., object]] = [
        lambda **settings: Client(token=TOKEN, **settings),
        lambda **settings: AsyncClient(token=TOKEN, **settings),
    ]
    if settings.keys() <= {"timeout", "max_retries"} and None not in settings.values():
        makers += [Client(token=TOKEN).with_options, AsyncClient(token=TOKEN).with_options]
    if settings.keys() == {"timeout"}:
        makers.append(proxymesh.Proxy("us-ca.localhost").check)
    for make in makers:
        with pytest.raises(ConfigError) as caught:
            make(**settings)
        assert str(caught.value) == reason


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("name", ["username", "password", "token", "base_url", "ca_file"])
def test_a_setting_of_a_hundred_megabytes_is_rejected_at_once(name: str, kind: type[Client | AsyncClient]) -> None:
    settings: dict[str, Any] = {"username": USERNAME, "password": PASSWORD, name: "x" * 100_000_000}
    if name == "token":
        del settings["username"], settings["password"]
    start = time.monotonic()
    with pytest.raises(ConfigError, match=rf"^(the )?{name} is longer than [0-9]+ bytes$"):
        kind(**settings)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "settings",
    [
        {"username": 5},
        {"password": b"x"},
        {"base_url": 5},
        {"ca_file": 5},
        {"trust_env": "yes"},
    ],
    ids=str,
)
def test_a_setting_of_the_wrong_type_is_a_type_error(settings: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=naming(next(iter(settings)))):
        Client(**{"username": USERNAME, "password": PASSWORD, **settings})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "[::1]", "LOCALHOST", "[::ffff:127.0.0.1]"])
def test_plain_http_is_allowed_to_a_loopback_host(host: str) -> None:
    Client(token=TOKEN, base_url=f"http://{host}:8080").close()


def test_a_client_for_the_real_service_can_be_created_and_sends_nothing() -> None:
    with Client(USERNAME, PASSWORD) as client:
        assert repr(client) == "<proxymesh.Client https://proxymesh.com>"


# The life of a client.


def test_repr_names_the_service_and_no_secret(server: Server) -> None:
    both: list[dict[str, Any]] = [{"username": USERNAME, "password": PASSWORD}, {"token": TOKEN}]
    for settings in both:
        with Client(base_url=server.base_url, **settings) as client:
            assert repr(client) == str(client) == f"<proxymesh.Client {server.base_url}>"
            for handle in (client.ips, client.tokens, client.sub_accounts):
                assert "canary" not in repr(handle)
        assert repr(client) == "<proxymesh.Client closed>"


def test_a_client_can_be_neither_pickled_nor_copied(server: Server, connect: Connect) -> None:
    client = connect(server)
    for it in (client, client.ips):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError):
                pickle.loads(pickle.dumps(it, protocol))
        with pytest.raises(TypeError, match="cannot pickle"):
            copy.deepcopy(it)


def test_a_client_has_no_attributes_but_its_own(server: Server, connect: Connect) -> None:
    client: Any = connect(server)
    with pytest.raises(AttributeError):
        client.timeout = 5
    with pytest.raises(AttributeError):
        client.ips = None
    assert not hasattr(client, "__dict__")


def test_after_it_is_closed_every_call_is_a_config_error(server: Server, connect: Connect) -> None:
    client = connect(server)
    held, geo = client.ips, client.geo
    client.geo.open()
    client.close()
    client.close()
    for act in (client.geo.open, client.ips.list, held.list, geo.open, client.with_options, client.tokens.list):
        with pytest.raises(ConfigError) as caught:
            act()
        assert str(caught.value) == "the client is closed; create a new one"
    assert server.count == 1


def test_closing_drops_the_connections(sandbox: Sandbox) -> None:
    client = sandbox.client()
    client.geo.open()
    assert sandbox.open_connections == 1
    client.close()
    wait_until(lambda: sandbox.open_connections == 0)


def test_garbage_collection_drops_the_connections(sandbox: Sandbox) -> None:
    client = sandbox.client()
    client.geo.open()
    handle = client.ips
    del client
    gc.collect()
    assert handle.list() == [], "a handle keeps its client"
    assert sandbox.open_connections == 1
    del handle
    gc.collect()
    wait_until(lambda: sandbox.open_connections == 0)


def wait_until(done: Any) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_context_manager_closes_and_lets_exceptions_through(server: Server, connect: Connect) -> None:
    client = connect(server)
    with pytest.raises(KeyError), client as same:  # noqa: PT012
        assert same is client
        raise KeyError
    with pytest.raises(ConfigError):
        client.geo.open()


def test_calls_in_progress_continue_when_the_client_is_closed(start_server: StartServer, connect: Connect) -> None:
    closed = threading.Event()

    def script(request: Request) -> Reply:
        assert closed.wait(10)
        return FINE

    server = start_server(script)
    client = connect(server)
    results: list[dict[str, int]] = []
    thread = threading.Thread(target=lambda: results.append(client.geo.open()))
    thread.start()
    server.wait_for_requests(1)
    client.close()
    closed.set()
    thread.join(10)
    assert results == [{"US": 1}]


def test_with_options_applies_only_to_its_own_calls_and_shares_the_connections(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(lambda request: Instead.HANG if request.path == "/api/ips/" else FINE)
    client = connect(server, timeout=20.0, max_retries=0)
    client.geo.open()
    quick = client.with_options(timeout=0.2)
    quick.geo.open()
    assert server.connections == 1
    assert repr(quick) == repr(client)
    with pytest.raises(proxymesh.TimeoutError, match=r"0\.2 s") as caught:
        quick.ips.list()
    assert caught.value.attempts == 1, "the client's own value applies"
    with pytest.raises(proxymesh.TimeoutError) as caught:
        quick.with_options(max_retries=1).ips.list()
    assert caught.value.attempts == 2
    assert "0.2 s" in str(caught.value)

    quick.close()
    with pytest.raises(ConfigError):
        quick.geo.open()
    assert client.geo.open() == {"US": 1}, "closing the one from with_options does not close this one"
    client.close()


def test_invalid_options_are_rejected(server: Server, connect: Connect) -> None:
    client = connect(server)
    bad: list[tuple[dict[str, Any], str]] = [
        ({"timeout": 0}, "timeout must be a number of seconds greater than 0, not 0"),
        ({"timeout": float("nan")}, "timeout must be a number of seconds greater than 0, not NaN"),
        ({"timeout": 10**400}, "timeout must be a number of seconds greater than 0, not a number that large"),
        ({"timeout": (3, 27)}, "timeout must be a number of seconds greater than 0, not tuple"),
        ({"timeout": "5"}, "timeout must be a number of seconds greater than 0, not str"),
        ({"timeout": True}, "timeout must be a number of seconds greater than 0, not bool"),
        ({"max_retries": -1}, "max_retries must be a whole number from 0 to 4294967295, not -1"),
        ({"max_retries": 2**32}, "max_retries must be a whole number from 0 to 4294967295, not 4294967296"),
        ({"max_retries": 2**64}, "max_retries must be a whole number from 0 to 4294967295, not a number that large"),
        (
            {"max_retries": -(10**400)},
            "max_retries must be a whole number from 0 to 4294967295, not a number that large",
        ),
        ({"max_retries": 1.5}, "max_retries must be a whole number from 0 to 4294967295, not float"),
        ({"max_retries": "1"}, "max_retries must be a whole number from 0 to 4294967295, not str"),
        ({"max_retries": True}, "max_retries must be a whole number from 0 to 4294967295, not bool"),
    ]
    for options, reason in bad:
        with pytest.raises(ConfigError) as caught:
            client.with_options(**options)
        assert str(caught.value) == reason


# Time limits.


@contextlib.contextmanager
def takes(least: float, most: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert least <= took <= most, f"took {took:.2f} s"


def test_an_attempt_ends_at_its_time_limit_and_its_connection_is_closed(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(Instead.HANG)
    client = connect(server, timeout=0.5, max_retries=0)
    with takes(0.5, 1.0), pytest.raises(proxymesh.TimeoutError) as caught:
        client.ips.list()
    assert str(caught.value) == "ips.list: timed out: gave up after 0.5 s"
    assert (caught.value.reason, caught.value.attempts) == ("gave up after 0.5 s", 1)
    server.wait_for_gone(1)


def test_a_slow_response_does_not_extend_the_time_limit(sandbox: Sandbox) -> None:
    sandbox.fault("drip", seconds=0.05)
    client = sandbox.client(timeout=0.5, max_retries=0)
    with takes(0.5, 1.0), pytest.raises(proxymesh.TimeoutError):
        client.proxies.list()


def test_connecting_has_its_own_time_limit(start_server: StartServer, connect: Connect) -> None:
    server = start_server(FINE, asleep=True)
    client = connect(server, connect_timeout=0.3, max_retries=0)
    with takes(0.3, 0.8), pytest.raises(proxymesh.TimeoutError) as caught:
        client.ips.list()
    assert caught.value.attempts == 1
    # The request was never sent, so even a create may be retried.
    with takes(0.6, 3.0), pytest.raises(proxymesh.TimeoutError) as caught:
        client.with_options(max_retries=1).sub_accounts.create("x")
    assert caught.value.attempts == 2
    server.wake()
    assert client.with_options(max_retries=5).geo.open() == {"US": 1}


def test_a_time_limit_of_many_years_works(server: Server, connect: Connect) -> None:
    assert connect(server, timeout=1e12, connect_timeout=1e12).geo.open() == {"US": 1}


# TLS.


class Authority:
    """A CA for this test, which is not trusted by default."""

    def __init__(self, folder: Path) -> None:
        trustme = pytest.importorskip("trustme")  # its dependencies lack wheels for some free-threaded CPythons
        authority = trustme.CA()
        self.file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.file))
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self.server)
        self.other_name = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("example.com").configure_cert(self.other_name)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_an_unknown_ca_is_rejected(authority: Authority, start_server: StartServer, connect: Connect) -> None:
    server = start_server(FINE, tls=authority.server)
    with pytest.raises(proxymesh.ConnectionError, match=r"UnknownIssuer.*ca_file .* or SSL_CERT_FILE") as caught:
        connect(server).geo.open()
    assert caught.value.attempts == 1
    assert server.count == 0


@pytest.mark.parametrize("as_text", [True, False], ids=["text", "path"])
def test_a_ca_file_adds_trusted_authorities(
    authority: Authority, as_text: bool, start_server: StartServer, connect: Connect
) -> None:
    server = start_server(FINE, tls=authority.server)
    client = connect(server, ca_file=str(authority.file) if as_text else authority.file)
    assert client.geo.open() == {"US": 1}
    assert server.base_url.startswith("https://localhost:")


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "folder"])
def test_the_environment_adds_trusted_authorities(
    name: str, authority: Authority, start_server: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(FINE, tls=authority.server)
    folder = name in {"SSL_CERT_DIR", "folder"}
    name = "REQUESTS_CA_BUNDLE" if name == "folder" else name
    monkeypatch.setenv(name, str(authority.file.parent if folder else authority.file))
    assert connect(server).geo.open() == {"US": 1}


def test_a_certificate_for_another_host_is_rejected(
    authority: Authority, start_server: StartServer, connect: Connect
) -> None:
    server = start_server(FINE, tls=authority.other_name)
    with pytest.raises(proxymesh.ConnectionError, match=r"certificate is for example\.com, not for localhost"):
        connect(server, ca_file=authority.file, max_retries=0).geo.open()
    assert server.count == 0


def test_an_unusable_ca_file_is_rejected(tmp_path: Path, connect: Connect) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for path, reason in [
        (empty, "contains no usable certificate"),
        (tmp_path / "nowhere.pem", "could not be read as PEM"),
        (tmp_path, "could not be read as PEM"),
    ]:
        with pytest.raises(ConfigError) as caught:
            connect("https://localhost", ca_file=path)
        assert str(caught.value).startswith(f"ca_file {path}: {reason}")


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_variable_that_names_an_unreadable_file_is_rejected(
    name: str, tmp_path: Path, server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "nowhere.pem"))
    with pytest.raises(ConfigError) as caught:
        connect("https://localhost")
    assert str(caught.value).startswith(f"{name} {tmp_path}/nowhere.pem: could not be read")
    # Plain http to a loopback host needs no certificates.
    assert connect(server).geo.open() == {"US": 1}


def test_a_plain_http_server_at_an_https_url_is_a_connection_error(sandbox: Sandbox, connect: Connect) -> None:
    client = connect(sandbox.base_url.replace("http:", "https:"), max_retries=0)
    with pytest.raises(proxymesh.ConnectionError, match="does not speak TLS"):
        client.geo.open()
    assert sandbox.requests() == []


# Redirects, proxies, connections.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, start_server: StartServer, connect: Connect) -> None:
    elsewhere = start_server(FINE)
    server = start_server(Answer(status, headers={"location": f"{elsewhere.base_url}/api/geoips/open/"}))
    with pytest.raises(proxymesh.UnexpectedStatusError, match="redirect not followed") as caught:
        connect(server).geo.open()
    assert caught.value.status == status
    assert (server.count, elsewhere.connections) == (1, 0)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_from_the_environment_is_used_only_with_trust_env(
    variable: str,
    authority: Authority,
    start_server: StartServer,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = start_server(FINE, tls=authority.server)
    proxy = start_server(Answer(403))
    monkeypatch.setenv(variable, proxy.base_url)
    options: dict[str, Any] = {"ca_file": authority.file, "max_retries": 0}
    assert connect(server, **options).geo.open() == {"US": 1}
    assert proxy.connections == 0

    with pytest.raises(proxymesh.ConnectionError):
        connect(server, **options, trust_env=True).geo.open()
    asked = proxy.only_request()
    assert (asked.method, asked.target) == ("CONNECT", f"localhost:{server.port}")
    assert "authorization" not in asked.headers
    assert server.count == 1

    monkeypatch.setenv("NO_PROXY", "localhost")
    assert connect(server, **options, trust_env=True).geo.open() == {"US": 1}


def test_plain_http_never_goes_through_a_proxy(
    server: Server, start_server: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = start_server(answer({"PROXY": 1}))
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, proxy.base_url)
    assert connect(server, trust_env=True).geo.open() == {"US": 1}
    assert proxy.connections == 0


def test_200_calls_succeed_although_the_server_closes_each_idle_connection(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(Answer(200, b'{"US": 1}', close=True))
    client = connect(server, max_retries=0)
    for number in range(200):
        assert client.geo.open() == {"US": 1}
        server.wait_for_closed(number + 1)
    assert (server.count, server.connections) == (200, 200)


def test_200_calls_succeed_although_the_server_closes_connections_after_20_ms(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(keep_alive=0.02)
    with sandbox.client() as client:
        for number in range(200):
            client.ips.list()
            if number % 4 == 0:
                # The server closes the connection after about this time, so some calls are sent while it closes.
                time.sleep(0.02)
    assert {request.status for request in sandbox.requests()} <= {200, None}


def test_names_are_resolved_and_both_address_families_are_tried(start_server: StartServer, connect: Connect) -> None:
    server = start_server(FINE)
    assert connect(f"http://localhost:{server.port}").geo.open() == {"US": 1}


def test_an_unknown_host_is_a_connection_error(connect: Connect) -> None:
    client = connect("https://nowhere.invalid", max_retries=0, timeout=10.0)
    with pytest.raises(proxymesh.ConnectionError) as caught:
        client.geo.open()
    assert isinstance(caught.value, OSError)
    assert caught.value.attempts == 1


def test_a_client_works_again_when_the_service_is_back(connect: Connect) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        client = connect(f"http://127.0.0.1:{port}", max_retries=0)
        with pytest.raises(proxymesh.ConnectionError, match="refused"):
            client.geo.open()
    with Sandbox(port=port, username=USERNAME, password=ODD_PASSWORD) as sandbox:
        assert client.geo.open()
        assert len(sandbox.requests()) == 1
