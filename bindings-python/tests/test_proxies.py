"""`Proxy`: its credentials, the choice of the exit, and checks."""

from __future__ import annotations

import asyncio
import copy
import pickle
import signal
import threading
import time
from typing import Any

import proxymesh
import pytest
from proxymesh import Proxy
from proxymesh.sandbox import Sandbox

OPEN = Proxy("open.proxymesh.com")
US = Proxy("us-ca.proxymesh.com")
SECRET = "canary-password-7f3a91"


def test_the_name_tells_the_country() -> None:
    told = {name: Proxy(f"{name}.proxymesh.com").country for name in ("us-ca", "uk", "de", "open", "world", "usisp")}
    assert told == {"us-ca": "US", "uk": "GB", "de": "DE", "open": None, "world": None, "usisp": None}
    assert (OPEN.chooses_country, US.chooses_country) == (True, False)


def test_credentials_are_sent_but_not_shown() -> None:
    basic = US.using("me+1@ex.com", SECRET)
    bearer = US.using(token=SECRET)
    assert basic.url() == f"http://me%2B1%40ex.com:{SECRET}@us-ca.proxymesh.com:31280"
    assert basic.url("other", "b") == "http://other:b@us-ca.proxymesh.com:31280"
    assert bearer.headers() == {"Proxy-Authorization": f"Bearer {SECRET}"}
    with pytest.raises(proxymesh.ValidationError, match=r"^token: a token cannot be part of a URL; send it"):
        bearer.url()
    assert repr(basic) == "Proxy(host='us-ca.proxymesh.com', port=31280).using('me+1@ex.com', '[redacted]')"
    assert repr(bearer) == "Proxy(host='us-ca.proxymesh.com', port=31280).using(token='[redacted]')"
    for secret in (basic, bearer):
        assert SECRET not in f"{secret} {secret!r} {secret.to_dict()}"
        assert copy.copy(secret) is copy.deepcopy(secret) is secret
        with pytest.raises(TypeError, match=r"^a Proxy with credentials cannot be pickled"):
            pickle.dumps(secret)
        assert secret.using() == US != secret
        assert pickle.loads(pickle.dumps(secret.using())) == US
    assert basic == US.using("me+1@ex.com", SECRET) != bearer
    assert hash(basic) == hash(US.using("me+1@ex.com", SECRET))
    assert sorted([US.using("b", SECRET), OPEN]) == [OPEN, US.using("b", SECRET)]


def test_a_proxy_can_use_a_clients_credentials() -> None:
    for client in (proxymesh.Client("me", SECRET), proxymesh.AsyncClient("me", SECRET)):
        assert US.using(client=client) == US.using("me", SECRET)
    assert US.using(client=proxymesh.Client(token=SECRET)) == US.using(token=SECRET)
    client = proxymesh.Client("me", SECRET)
    client.close()
    with pytest.raises(proxymesh.ConfigError, match="closed"):
        US.using(client=client)


@pytest.mark.parametrize(
    "given",
    [
        {"username": "me"},
        {"password": SECRET},
        {"username": "me", "password": SECRET, "token": SECRET},
        {"username": "me", "password": ""},
        {"username": "a:b", "password": SECRET},
        {"token": "not a token"},
        {"token": SECRET, "client": proxymesh.Client("me", SECRET)},
    ],
)
def test_invalid_credentials_are_rejected(given: dict[str, Any]) -> None:
    with pytest.raises(proxymesh.ConfigError) as caught:
        US.using(**given)
    assert SECRET not in str(caught.value)


def test_an_exit_is_chosen_by_headers() -> None:
    steered = OPEN.steer(country="de", prefer_ip="1.2.3.4", not_ip=["5.6.7.8", "::1"])
    assert steered.headers() == {
        "X-ProxyMesh-Country": "DE",
        "X-ProxyMesh-Prefer-IP": "1.2.3.4",
        "X-ProxyMesh-Not-IP": "5.6.7.8,::1",
    }
    assert repr(steered) == (
        "Proxy(host='open.proxymesh.com', port=31280)"
        ".steer(country='DE', prefer_ip='1.2.3.4', not_ip=('5.6.7.8', '::1'))"
    )
    assert eval(repr(steered)) == steered == pickle.loads(pickle.dumps(steered)) != OPEN
    assert steered.steer() == OPEN
    assert OPEN.steer(not_ip="5.6.7.8").headers() == {"X-ProxyMesh-Not-IP": "5.6.7.8"}
    assert US.steer(country="us").headers() == {}, "the proxy is in that country anyway"


@pytest.mark.parametrize(
    ("proxy", "wishes", "field"),
    [
        (OPEN, {"country": "Germany"}, "country"),
        (OPEN, {"country": ""}, "country"),
        (US, {"country": "DE"}, "country"),
        (OPEN, {"prefer_ip": "x"}, "prefer_ip"),
        (OPEN, {"not_ip": ""}, "not_ip"),
        (OPEN, {"not_ip": ["1.2.3.4", "1.2.3"]}, "not_ip"),
    ],
)
def test_an_invalid_exit_choice_is_rejected(proxy: Proxy, wishes: dict[str, Any], field: str) -> None:
    with pytest.raises(proxymesh.ValidationError) as caught:
        proxy.steer(**wishes)
    assert caught.value.field == field


def test_a_check_returns_a_value() -> None:
    with Sandbox(proxies=True) as sandbox, sandbox.client() as client:
        proxy = client.proxies.list()[0]
        good = proxy.using(client=client).check()
        assert (good.ok, good.reachable, good.status) == (True, True, 200)
        assert good.exit_ip == sandbox.proxied()[-1].exit_ip
        assert 0 < good.latency < 10
        assert asyncio.run(proxy.using(client=client).acheck()).ok
        refused = proxy.check()
        assert (refused.ok, refused.reachable, refused.status, refused.exit_ip) == (False, True, 407, None)
        assert "authorised" in refused.meaning
        assert pickle.loads(pickle.dumps(refused)) == refused
        for status, word in ((402, "deactivated"), (509, "bandwidth")):
            sandbox.fault("status", status=status, proxy="us-ca")
            told = proxy.using(client=client).check()
            assert told.status == status
            assert word in told.meaning
        with pytest.raises(proxymesh.ValidationError, match=r"^target: "):
            proxy.check("nowhere")
    gone = proxy.check(timeout=5)
    assert (gone.ok, gone.reachable, gone.status) == (False, False, None)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals between threads")
def test_ctrl_c_ends_a_slow_check() -> None:
    with Sandbox(proxies=True) as sandbox, sandbox.client() as client:
        sandbox.fault("delay", seconds=30, proxy="us-ca")
        proxy = client.proxies.list()[0]
        threading.Timer(0.3, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            proxy.check(timeout=30)
        assert time.monotonic() - began < 5


def test_traffic_beyond_a_limit_is_refused() -> None:
    with Sandbox(proxies=True, monthly_limit=1) as sandbox, sandbox.client() as client:
        client.sub_accounts.create("crawler-1", password="password-1", monthly_limit=1)
        proxy = client.proxies.list()[0].using("crawler-1", "password-1")
        assert proxy.check().ok
        before = client.sub_accounts.get("crawler-1").monthly_bandwidth
        sandbox.book_usage("crawler-1", 1)
        assert before < 0.000_001
        assert proxy.check().status == 509
        client.sub_accounts.edit("crawler-1", monthly_limit=0)
        assert "account" in proxy.check().meaning, "the parent's own limit still applies"
        assert proxy.check().status == 509


def test_a_proxy_rotates_or_holds_an_exit_ip() -> None:
    plain = Proxy("us-ca.proxymesh.com")
    rotating, holding = plain.rotating(), plain.steer(hold_ip="192.0.2.7")
    assert (rotating.is_rotating, plain.is_rotating, holding.is_rotating) == (True, False, False)
    assert (holding.held_ip, rotating.held_ip, plain.steer(prefer_ip="192.0.2.7").held_ip) == ("192.0.2.7", None, None)
    assert len({plain, rotating, holding, plain.rotating(), plain.steer(prefer_ip="192.0.2.7")}) == 4
    assert repr(rotating.using("me", "pw")) == (
        "Proxy(host='us-ca.proxymesh.com', port=31280).using('me', '[redacted]').rotating()"
    )
    assert repr(holding).endswith(".steer(hold_ip='192.0.2.7')")
    assert repr(rotating.steer(prefer_ip="192.0.2.7")).endswith(".steer(prefer_ip='192.0.2.7').rotating()")
    assert rotating.to_dict() == {"host": "us-ca.proxymesh.com", "port": 31280, "rotating": True}
    assert holding.to_dict()["steer"] == {"hold_ip": "192.0.2.7"}
    assert (holding.rotating(), rotating.steer(hold_ip="192.0.2.7")) == (rotating, holding)
    for proxy in (rotating, holding, rotating.steer(prefer_ip="192.0.2.7")):
        assert pickle.loads(pickle.dumps(proxy)) == copy.deepcopy(proxy) == proxy
    with pytest.raises(proxymesh.ValidationError, match=r"^hold_ip: give either prefer_ip or hold_ip$"):
        plain.steer(prefer_ip="192.0.2.7", hold_ip="192.0.2.7")


def test_a_session_of_a_proxy_and_of_a_pool() -> None:
    sessions: list[Proxy] = []
    with Sandbox(proxies=True) as sandbox:
        found(sandbox, sessions)
        for session in sessions:
            assert not session.is_rotating
            assert session.held_ip is not None
            assert session.held_ip == session.check().exit_ip
            assert session._lost_exit(session.held_ip, None) is None
            assert "call session()" in (session._lost_exit("192.0.2.8", None) or "")
            assert "call session()" in (session._lost_exit(None, session.held_ip) or "")
    assert len(sessions) == 5


def found(sandbox: Sandbox, sessions: list[Proxy]) -> None:
    with sandbox.client() as client:
        proxy = client.proxies.pool(rotating=True).get()
        sessions += [proxy.session(), client.proxies.pool().session(), client.proxies.pool().session(country="US")]
        with pytest.raises(
            proxymesh.AuthenticationError, match=r"^proxies\.session: proxy authentication failed \(407\)"
        ):
            proxy.using().session()
        with pytest.raises(proxymesh.ValidationError, match=r"^target: "):
            client.proxies.pool().session(target="nowhere")
        with pytest.raises(proxymesh.ConfigError, match=r"^timeout must be"):
            client.proxies.pool().session(timeout=0)

    async def main() -> None:
        async with sandbox.async_client() as client:
            pool = client.proxies.pool(rotating=True)
            sessions.append(await (await pool.get()).asession())
            sessions.append(await pool.session(country="US"))
            with pytest.raises(proxymesh.ValidationError, match=r"^target: "):
                await pool.session(target="nowhere")
            with pytest.raises(proxymesh.ConfigError, match=r"^timeout must be"):
                await pool.session(timeout=0)

    asyncio.run(main())
