"""`client.proxies.pool()`: the order of the proxies, cooldowns, and when the list is fetched."""

from __future__ import annotations

import asyncio
import collections
import gc
import os
import signal
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import proxymesh
import pytest
from proxymesh import AsyncProxyPool, Client, Proxy, ProxyPool
from proxymesh.sandbox import Sandbox

LIMIT = 30.0


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with sandbox.client(max_retries=0) as client:
        yield client


def lists(sandbox: Sandbox) -> int:
    return [call.path for call in sandbox.requests()].count("/api/proxies/")


def names(pool: ProxyPool, count: int) -> list[str]:
    return [pool.get().name for _ in range(count)]


def test_each_proxy_has_its_turn(sandbox: Sandbox, client: Client) -> None:
    pool = client.proxies.pool()
    assert (lists(sandbox), pool.proxies) == (0, [])
    assert names(pool, 5) == ["us-ca", "us-ny", "us-il", "us-ca", "us-ny"]
    assert lists(sandbox) == 1
    assert pool.get() == Proxy("us-il.proxymesh.com").using(client=client)
    assert client.proxies.pool(credentials=False).get() == Proxy("us-ca.proxymesh.com")
    assert repr(pool) == "<proxymesh.ProxyPool proxies=3 cooling=0>"


def test_in_random_order_each_proxy_has_one_turn_per_round(client: Client) -> None:
    pool = client.proxies.pool(order="random")
    rounds = [tuple(names(pool, 3)) for _ in range(100)]
    assert all(len(set(one)) == 3 for one in rounds)
    assert len(set(rounds)) == 6


@pytest.mark.parametrize("outcome", [False, None, 0, OSError(), 402, 403, 407, 429, 500, 502, 509])
def test_a_proxy_that_fails_cools_down(client: Client, outcome: Any) -> None:
    pool = client.proxies.pool(cooldown=10)
    bad = pool.get()
    assert pool.report(bad, outcome) == 10.0
    assert pool.report(bad, outcome) is None, "a request that was in progress at the same time"
    assert list(pool.cooling()) == [bad]
    assert 5 < pool.cooling()[bad] <= 10
    assert set(names(pool, 20)) == {"us-ny", "us-il"}


def test_a_cooldown_ends_and_doubles_each_time(client: Client) -> None:
    pool = client.proxies.pool(cooldown=0.01)
    bad = pool.get()

    def fail() -> float | None:
        cooldown = pool.report(bad, False)
        assert "us-ca" not in names(pool, 2)
        while pool.cooling():
            time.sleep(0.005)
        return cooldown

    assert [fail() for _ in range(6)] == [0.01, 0.02, 0.04, 0.08, 0.16, 0.16]
    assert set(names(pool, 3)) == {"us-ca", "us-ny", "us-il"}
    pool.report(bad)
    assert fail() == 0.01, "a success ends the count"


@pytest.mark.parametrize("outcome", [True, 200, 204, 301, 404])
def test_an_outcome_that_is_not_the_proxys_fault_starts_no_cooldown(client: Client, outcome: Any) -> None:
    pool = client.proxies.pool()
    pool.report(pool.get(), outcome)
    assert pool.cooling() == {}


def test_a_report_ignores_the_credentials_of_the_proxy(client: Client) -> None:
    pool = client.proxies.pool()
    pool.report(pool.get().using("crawler-1", "other"), False)
    pool.report(Proxy("unknown.proxymesh.com"), False)
    assert [proxy.name for proxy in pool.cooling()] == ["us-ca"]


def test_when_all_proxies_cool_down_the_error_says_for_how_long(client: Client) -> None:
    pool = client.proxies.pool(cooldown=0.2)
    for _ in range(3):
        pool.report(pool.get(), False)
    with pytest.raises(
        proxymesh.PoolExhaustedError, match=r"^all 3 proxies are cooling down .* again in 1 s$"
    ) as caught:
        pool.get()
    assert 0 < caught.value.retry_after <= 0.2
    time.sleep(caught.value.retry_after)
    assert pool.get().name == "us-ca"


def test_the_error_says_that_an_account_has_no_proxies(client: Client) -> None:
    for proxy in client.proxies.list():
        client.proxies.delete(proxy)
    with pytest.raises(proxymesh.PoolExhaustedError, match="has no authorised proxy"):
        client.proxies.pool().get()


def test_the_list_is_fetched_again_when_it_is_due(sandbox: Sandbox, client: Client) -> None:
    pool = client.proxies.pool(ttl=0.1)
    bad = pool.get()
    pool.report(bad, False)
    client.proxies.delete("us-ny")
    client.proxies.add("uk")
    time.sleep(0.15)
    assert set(names(pool, 6)) == {"us-il", "uk"}
    assert list(pool.cooling()) == [bad], "a known proxy keeps its health"
    sandbox.fault("status", status=503, times=0)
    time.sleep(0.15)
    assert pool.get().name in ("us-il", "uk"), "the old list is better than none"
    with pytest.raises(proxymesh.ServerError):
        client.proxies.pool().get()


def test_a_country_selects_the_proxies_with_exits_there(client: Client) -> None:
    for name in ("open", "world", "de"):
        client.proxies.add(name)
    pool = client.proxies.pool(country="de")
    headers = {proxy.name: proxy.headers() for proxy in (pool.get() for _ in range(6))}
    assert {name: value.get("X-ProxyMesh-Country") for name, value in headers.items()} == {
        "open": "DE",
        "world": "DE",
        "de": None,
    }
    assert {proxy.name for proxy in (client.proxies.pool(country="ZA").get() for _ in range(2))} == {"world"}
    us = client.proxies.pool(country="US")
    assert set(names(us, 5)) == {"us-ca", "us-ny", "us-il", "open", "world"}


def test_the_error_for_a_country_without_exits_says_what_to_do(client: Client) -> None:
    with pytest.raises(proxymesh.ValidationError, match=r"^country: no .* \(us-ca, us-ny, us-il\) has exits in "):
        client.proxies.pool(country="XX").get()
    with pytest.raises(proxymesh.ValidationError, match=r"exits in ZA; authorise world, which has some$"):
        client.proxies.pool(country="ZA").get()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"country": "Germany"}, "country"),
        ({"order": "best"}, "order"),
        ({"ttl": 0}, "ttl"),
        ({"ttl": float("nan")}, "ttl"),
        ({"cooldown": -1}, "cooldown"),
        ({"cooldown": float("inf")}, "cooldown"),
    ],
)
def test_invalid_pool_options_are_rejected_at_once(sandbox: Sandbox, client: Client, options: Any, field: str) -> None:
    with pytest.raises(proxymesh.ValidationError) as caught:
        client.proxies.pool(**options)
    assert caught.value.field == field
    assert sandbox.requests() == []


def test_times_may_be_very_long(client: Client) -> None:
    pool = client.proxies.pool(ttl=1e300, cooldown=1e300)
    for proxy in [pool.get(), pool.get(), pool.get()]:
        cooldown = pool.report(proxy, False)
        assert cooldown is not None
        assert cooldown > 1e8
    with pytest.raises(proxymesh.PoolExhaustedError):
        pool.get()


def test_64_threads_share_a_pool_evenly(sandbox: Sandbox, client: Client) -> None:
    """Each proxy is handed out equally often, and the list is fetched once."""
    pool = client.proxies.pool()
    start = threading.Barrier(64)

    def worker(_: int) -> list[str]:
        start.wait()
        return names(pool, 100)

    with ThreadPoolExecutor(64) as threads:
        turns = collections.Counter(name for got in threads.map(worker, range(64)) for name in got)
    assert sum(turns.values()) == 6400
    assert max(turns.values()) - min(turns.values()) <= 1, turns
    assert lists(sandbox) == 1


def test_no_proxy_is_handed_out_while_it_cools_down(client: Client) -> None:
    """Each thread notes when it asked. No proxy that was already cooling down at that time may be handed out."""
    pool = client.proxies.pool(cooldown=3600)
    cooled: dict[str, float] = {}
    seen: list[tuple[float, str]] = []

    def worker(index: int) -> None:
        for turn in range(100):
            asked = time.monotonic()
            proxy = pool.get()
            seen.append((asked, proxy.name))
            if (index, turn) in ((7, 50), (9, 60)):
                pool.report(proxy, False)
                cooled[proxy.name] = time.monotonic()

    with ThreadPoolExecutor(64) as threads:
        list(threads.map(worker, range(64)))
    assert 1 <= len(cooled) <= 2
    assert [(asked, name) for asked, name in seen if asked > cooled.get(name, float("inf"))] == []


def test_no_lock_is_held_while_the_list_is_fetched(sandbox: Sandbox, client: Client) -> None:
    pool = client.proxies.pool(ttl=0.05)
    pool.get()
    time.sleep(0.1)
    sandbox.fault("delay", seconds=1, path="/api/proxies/")
    fetcher = threading.Thread(target=pool.get)
    fetcher.start()
    while lists(sandbox) < 2:
        time.sleep(0.001)
    for _ in range(1000):
        pool.report(pool.get(), 200)
        pool.cooling()
    assert fetcher.is_alive(), "the fetch is still running"
    fetcher.join()


def test_1000_tasks_share_a_pool_evenly(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.async_client() as client:
            pool = client.proxies.pool(country="US", order="random")
            proxies = await asyncio.gather(*(pool.get() for _ in range(1000)))
            turns = collections.Counter(proxy.name for proxy in proxies)
            assert max(turns.values()) - min(turns.values()) <= 1, turns
            assert repr(pool) == "<proxymesh.AsyncProxyPool country=US proxies=3 cooling=0>"

    asyncio.run(main())
    assert lists(sandbox) == 1


def test_if_the_task_that_fetches_is_cancelled_another_fetches(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.async_client() as client:
            pool = client.proxies.pool()
            sandbox.fault("delay", seconds=0.3, path="/api/proxies/")
            first, second = asyncio.create_task(pool.get()), asyncio.create_task(pool.get())
            await asyncio.sleep(0.1)
            first.cancel()
            assert (await second).name == "us-ca"
            with pytest.raises(asyncio.CancelledError):
                await first
            sandbox.fault("status", status=503, times=0)
            other = client.with_options(max_retries=0).proxies.pool()
            outcomes = await asyncio.gather(*(other.get() for _ in range(10)), return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {proxymesh.ServerError}

    asyncio.run(main())


def test_one_pool_serves_several_countries(sandbox: Sandbox, client: Client) -> None:
    client.proxies.add("open")
    client.proxies.add("de")
    pool = client.proxies.pool()
    assert len(names(pool, 5)) == 5
    assert [call.path for call in sandbox.requests()][2:] == ["/api/proxies/"], "no geo counts before they are wanted"
    german = [pool.get(country="de") for _ in range(4)]
    assert [proxy.name for proxy in german] == ["open", "de", "open", "de"]
    assert german[0].headers()["X-ProxyMesh-Country"] == "DE"
    assert (lists(sandbox), pool.get(country="FR").name) == (2, "open")
    pool.report(german[0], 509)
    assert [pool.get(country="DE").name for _ in range(3)] == ["de", "de", "de"], "it cools down for all countries"
    with pytest.raises(proxymesh.PoolExhaustedError, match=r"^the one proxy is cooling down"):
        pool.get(country="FR")
    with pytest.raises(proxymesh.ValidationError, match=r"exits in ZA; authorise world, which has some$"):
        pool.get(country="ZA")
    with pytest.raises(proxymesh.ValidationError, match=r"^country: must be a two-letter code"):
        pool.get(country="Germany")
    assert lists(sandbox) == 2


def test_only_requests_for_a_country_wait_for_the_geo_counts(sandbox: Sandbox, client: Client) -> None:
    client.proxies.add("open")
    pool = client.proxies.pool()
    pool.get()
    sandbox.fault("delay", seconds=1, path="/api/geoips/open/")
    with ThreadPoolExecutor(8) as threads:
        german = [threads.submit(pool.get, country="DE") for _ in range(8)]
        time.sleep(0.1)
        names(pool, 100)
        assert not any(future.done() for future in german), "nothing waited for the counts"
        assert {future.result().name for future in german} == {"open"}
    assert [call.path for call in sandbox.requests()].count("/api/geoips/open/") == 1
    sandbox.fault("status", status=503, path="/api/geoips/world/")
    other = client.proxies.pool()
    assert other.get().name == "us-ca"
    with pytest.raises(proxymesh.ServerError):
        other.get(country="DE")
    assert other.get(country="DE").name == "open"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # about forking with threads, which this tests
def test_a_forked_process_does_not_wait_for_the_parents_fetch(sandbox: Sandbox, client: Client) -> None:
    pool = client.proxies.pool(ttl=0.05)
    pool.get()
    time.sleep(0.1)
    client.proxies.add("uk")
    sandbox.fault("delay", seconds=1, path="/api/proxies/")
    fetcher = threading.Thread(target=pool.get)
    fetcher.start()
    while lists(sandbox) < 2:
        time.sleep(0.001)
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # ends the process if it hangs
        os._exit(0 if len(set(names(pool, 8))) == 4 else 1)
    fetcher.join()
    assert os.waitpid(child, 0)[1] == 0


def test_callers_that_wait_for_a_failed_fetch_get_its_error(sandbox: Sandbox) -> None:
    """There is one failed fetch, not one per waiting caller. A caller that needs no geo counts gets a proxy."""

    async def main() -> None:
        async with sandbox.async_client(max_retries=0) as client:
            pool = client.proxies.pool()
            # Long enough for all callers to begin.
            sandbox.fault("delay", seconds=1, path="/api/proxies/")
            sandbox.fault("status", status=503, path="/api/geoips/open/", times=0)
            german = [asyncio.create_task(pool.get(country="DE")) for _ in range(10)]
            assert (await pool.get()).name == "us-ca"
            outcomes = await asyncio.gather(*german, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {proxymesh.ServerError}
            assert [call.path for call in sandbox.requests()].count("/api/geoips/open/") == 1
            sandbox.clear_faults()
            await client.proxies.add("de")
            assert pool.listed
            assert (await client.proxies.pool().get(country="DE")).name == "de"

    asyncio.run(main())


def test_the_result_of_a_check_can_be_reported(sandbox: Sandbox, client: Client) -> None:
    """The status of an unreachable proxy, None, counts as a failure, too."""
    pool = client.proxies.pool()
    with Sandbox(proxies=True) as other, other.client() as alive:
        assert alive.proxies.pool().report(alive.proxies.list()[0], alive.proxies.pool().get().check()) is None
    dead = Proxy("127.0.0.1", 1).check()
    assert (dead.ok, dead.status) == (False, None)
    assert [pool.report(pool.get(), outcome) for outcome in (dead, dead.status)] == [60.0, 60.0]
    with pytest.raises(TypeError, match=r"^outcome must be bool, a status, .* not str$"):
        pool.report(pool.get(), "200")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^proxy must be a Proxy, not str$"):
        pool.report("us-ca.proxymesh.com")  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_ctrl_c_at_any_moment_leaves_the_pool_usable(sandbox: Sandbox, client: Client) -> None:
    """Wherever an exception interrupts the pool, another thread can use it at once."""
    client.proxies.list()
    slowest, interrupted = 0.0, 0

    def handler(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for step in range(200):
            pool = client.proxies.pool(cooldown=0.001, ttl=0.0001)
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.0002 + step * 0.00002)
                    while True:
                        pool.report(pool.get(), 200)
                        pool.cooling()
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:  # anywhere in the loop
                interrupted += 1
            began = time.monotonic()
            with ThreadPoolExecutor(1) as threads:
                assert threads.submit(pool.get).result(LIMIT).name.startswith("us-")
            slowest = max(slowest, time.monotonic() - began)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert interrupted == 200
    assert slowest < 5, "nobody had to wait for the list for long"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_signal_handler_uses_the_pool_at_any_moment(sandbox: Sandbox, client: Client) -> None:
    pool = client.proxies.pool(ttl=0.01)
    handled = [0]

    def handler(*_: object) -> None:
        handled[0] += 1
        pool.report(pool.get(), 200)
        pool.cooling()

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.005)
    try:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            pool.report(pool.get(), 200)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled[0] > 50


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_signal_handler_gets_a_proxy_while_the_first_list_is_fetched(sandbox: Sandbox, client: Client) -> None:
    client.geo.open()
    sandbox.fault("delay", seconds=0.5, path="/api/proxies/")
    pool, got = client.proxies.pool(), []
    before = signal.signal(signal.SIGALRM, lambda *_: got.append(pool.get().name))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    began = time.monotonic()
    try:
        assert pool.get().name in ("us-ca", "us-ny")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert got == ["us-ca"]
    assert time.monotonic() - began < 5


class Discarded:
    """When such an object is collected, its finalizer and the callback of a weak reference use a pool."""

    def __init__(self, use: Callable[[], None]) -> None:
        self.cycle, self.use = self, use
        weakref.finalize(self, use).atexit = False

    def __del__(self) -> None:
        self.use()


@pytest.mark.parametrize("ttl", [0.01, 300.0])
def test_finalizers_use_the_pool_at_any_allocation(client: Client, ttl: float) -> None:
    """Python may collect garbage at any allocation: also inside the pool, and while it fetches the list."""
    pool = client.proxies.pool(ttl=ttl)
    used, inside = [0], [False]

    def use() -> None:
        if inside[0]:
            return
        inside[0] = True
        try:
            pool.report(pool.get(), 200)
            pool.cooling()
            used[0] += 1
        finally:
            inside[0] = False

    before = gc.get_threshold()
    gc.set_threshold(2)
    try:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            Discarded(use)
            pool.report(pool.get(), 200)
            Discarded(use)
            repr(pool)
    finally:
        gc.set_threshold(*before)
        gc.collect()
    assert used[0] > 100


@pytest.mark.skipif(not hasattr(os, "fork") or not hasattr(signal, "setitimer"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # about forking with threads
@pytest.mark.parametrize("first", [True, False])
def test_a_signal_handler_forks_and_both_use_the_pool(sandbox: Sandbox, client: Client, first: bool) -> None:
    """The child is still inside the call that the signal interrupted, but nothing continues that call in the child."""
    client.geo.open()
    if first:
        sandbox.fault("delay", seconds=0.3, path="/api/proxies/")
    pool = client.proxies.pool(ttl=300 if first else 0.001)
    children: list[int] = []
    wanted, inside = (1 if first else 20), [False]

    def handler(*_: object) -> None:
        if inside[0] or len(children) >= wanted:
            return  # Python's own locks around a fork do not support nested signal handlers
        inside[0] = True
        child = os.fork()
        if child == 0:
            right = False
            try:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.alarm(10)  # ends the process if it hangs
                right = set(names(pool, 6)) == {"us-ca", "us-ny", "us-il"} and pool.report(pool.get(), 200) is None
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(0 if right else 1)
        children.append(child)
        pool.report(pool.get(), 200)
        inside[0] = False

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.02)
    try:
        end = time.monotonic() + LIMIT
        while len(children) < wanted and time.monotonic() < end:
            pool.report(pool.get(), 200)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * wanted


def test_a_pool_for_several_countries_without_some_proxies(client: Client) -> None:
    for name in ("open", "de"):
        client.proxies.add(name)
    pool = client.proxies.pool(country=("de", "US"), exclude=["us-ny", Proxy("us-il.proxymesh.com")])
    turns = [(proxy.name, proxy.headers().get("X-ProxyMesh-Country")) for proxy in (pool.get() for _ in range(6))]
    assert turns == [("us-ca", None), ("open", "DE"), ("de", None), ("us-ca", None), ("open", "US"), ("de", None)]
    assert [pool.get(country=["DE"]).name for _ in range(2)] == ["open", "de"]
    assert repr(pool) == "<proxymesh.ProxyPool country=DE,US proxies=3 cooling=0>"
    with pytest.raises(proxymesh.ValidationError, match=r"^exclude: leaves out every authorised proxy$"):
        client.proxies.pool(exclude=client.proxies.list()).get()
    invalid: list[Any] = [{"country": []}, {"country": ["DE", "Germany"]}, {"exclude": ["http://us-ca"]}]
    for options in invalid:
        with pytest.raises(proxymesh.ValidationError):
            client.proxies.pool(**options)
    with pytest.raises(proxymesh.ValidationError, match=r"^country: name at least one country$"):
        pool.get(country=[])
    with pytest.raises(TypeError):
        pool.get(country=[1])  # type: ignore[list-item]


def test_the_fastest_proxies_have_more_turns(client: Client) -> None:
    pool = client.proxies.pool(order="fastest")
    for name, latency in (("us-ca", 0.1), ("us-ny", 0.2), ("us-il", 0.4)):
        pool.report(Proxy(f"{name}.proxymesh.com"), latency=latency)
    assert pool.stats() == {}, "the pool does not know them yet"
    pool.get()
    for name, latency in (("us-ca", 0.1), ("us-ny", 0.2), ("us-il", 0.4)):
        pool.report(Proxy(f"{name}.proxymesh.com"), latency=latency)
    turns = collections.Counter(names(pool, 700))
    assert all(abs(turns[name] - share) <= 2 for name, share in (("us-ca", 400), ("us-ny", 200), ("us-il", 100))), turns
    with pytest.raises(proxymesh.ValidationError) as caught:
        pool.report(pool.get(), latency=-1)
    assert caught.value.field == "latency"


def test_the_stats_add_up(client: Client) -> None:
    pool = client.proxies.pool(cooldown=10)
    proxy = pool.get()
    pool.report(proxy, 200, latency=0.25, bytes=1000)
    pool.report(proxy, 404, bytes=24)
    pool.report(proxy, 509)
    stats = pool.stats()
    assert list(stats) == pool.proxies
    first = stats[proxy]
    assert (first.handed_out, first.successes, first.failures, first.bytes, first.latency) == (1, 2, 1, 1024, 0.25)
    assert first.cooling is not None
    assert 5 < first.cooling <= 10
    assert stats[Proxy("us-ny.proxymesh.com").using(client=client)].handed_out == 0


def test_a_pool_of_an_async_client_needs_no_request_while_its_list_is_fresh(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with sandbox.async_client() as client:
            pool = client.proxies.pool()
            assert isinstance(pool, AsyncProxyPool)
            assert [(await pool.get()).name for _ in range(3)] == ["us-ca", "us-ny", "us-il"]
            with pytest.raises(proxymesh.ValidationError):
                await pool.get(country="Germany")
            assert pool.report(await pool.get(), ConnectionResetError()) == 60.0
            await client.geo.open()
        with pytest.raises(proxymesh.ConfigError):
            await client.proxies.pool().get()

    asyncio.run(main())
    assert lists(sandbox) == 1
