"""Choosing among the account's proxies: `client.proxies.pool()`."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ._driven import driven
from ._errors import PoolExhaustedError, ValidationError

if TYPE_CHECKING:
    from ._proxymesh import AsyncClient, Client, Proxy

Outcome: TypeAlias = bool | int | BaseException | None

__all__ = ["AsyncProxyPool", "ProxyPool"]

logger = logging.getLogger("proxymesh")

LONGEST_COOLDOWN = 16
"""Times the first."""
RETRY = 10.0
"""Seconds until the list is asked for again, where that failed and there is an older one."""


@dataclass
class _Member:
    """A proxy, and how it has done."""

    proxy: Proxy
    failures: int = 0
    cool_until: float = 0.0


class _Rotation:
    """Whose turn it is. Nothing under the lock waits for anything."""

    lock: threading.Lock

    def __init__(
        self, order: Literal["round_robin", "random"], cooldown: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.order, self.cooldown, self.clock = order, cooldown, clock
        self.members: dict[tuple[str, int], _Member] = {}
        self.rounds: dict[str | None, list[_Member]] = {}
        """Who still has a turn in this round, for each country that is asked for; the next is the last."""

    def set(self, proxies: Iterable[Proxy]) -> None:
        """Makes these the members. Who was one stays as it was."""
        with self.lock:
            known, self.members = self.members, {}
            for proxy in proxies:
                key = (proxy.host, proxy.port)
                member = known.get(key) or _Member(proxy)
                member.proxy = proxy
                self.members[key] = member
            # A round goes on with those that are left of it.
            for country, members in self.rounds.items():
                self.rounds[country] = [one for one in members if (one.proxy.host, one.proxy.port) in self.members]

    def next(self, country: str | None, fits: Callable[[Proxy], bool]) -> Proxy | None:
        """The next of the round that is not cooling down, of those that fit the country; none if none does. Each has
        one turn a round, in the list's order or in any.
        """
        with self.lock:
            now = self.clock()
            members = self.rounds.get(country, [])
            for _ in range(2):
                while members:
                    member = members.pop()
                    if member.cool_until <= now:
                        return member.proxy
                members = [member for member in reversed(self.members.values()) if fits(member.proxy)]
                self.rounds[country] = members
                if self.order == "random":
                    random.shuffle(members)
            ends = [member.cool_until - now for member in members]
            if self.members and not ends:
                return None
        raise _exhausted(len(ends), min(ends, default=0.0))

    def report(self, proxy: Proxy, failed: bool) -> float | None:
        with self.lock:
            member = self.members.get((proxy.host, proxy.port))
            if member is None:
                return None
            if not failed:
                member.failures = 0
                return None
            now = self.clock()
            if member.cool_until > now:
                # What was under way when it began to cool is the same trouble.
                return None
            member.failures += 1
            seconds: float = self.cooldown * min(2 ** (member.failures - 1), LONGEST_COOLDOWN)
            member.cool_until = now + seconds
            return seconds

    def cooling(self) -> dict[Proxy, float]:
        with self.lock:
            now = self.clock()
            return {m.proxy: m.cool_until - now for m in self.members.values() if m.cool_until > now}

    def proxies(self) -> list[Proxy]:
        with self.lock:
            return [member.proxy for member in self.members.values()]


def _exhausted(count: int, retry_after: float) -> PoolExhaustedError:
    if count == 0:
        reason = "the account has authorised no proxy: add one with client.proxies.add"
    else:
        proxies = "the one proxy is" if count == 1 else f"all {count} proxies are"
        reason = f"{proxies} cooling down after failures; the first is to be tried again in {retry_after:.1f} s"
    return PoolExhaustedError(reason, retry_after=retry_after)


def _refused(field: str, reason: str) -> ValidationError:
    return ValidationError(f"{field}: {reason}", field=field, reason=reason)


def _code(country: str) -> str:
    """The core's word on what a country is."""
    from ._proxymesh import Proxy

    (code,) = Proxy("open.proxymesh.com").steer(country=country).headers().values()
    return code


def _failed(outcome: Outcome) -> bool:
    """Whether an outcome speaks against the proxy, or its exit."""
    if outcome is None or isinstance(outcome, bool):
        return outcome is False
    if isinstance(outcome, BaseException):
        return True
    return outcome in (402, 403, 407, 429) or outcome >= 500


class _Pool:
    """What both kinds have in common: all but how the list is fetched, and waited for."""

    def __init__(
        self,
        client: Client | AsyncClient,
        *,
        country: str | None,
        order: Literal["round_robin", "random"],
        ttl: float,
        cooldown: float,
        credentials: bool,
    ) -> None:
        if order not in ("round_robin", "random"):
            raise _refused("order", "is neither round_robin nor random")
        for field, value in (("ttl", ttl), ("cooldown", cooldown)):
            if not 0 < value < float("inf"):
                raise _refused(field, "is not a number of seconds above 0")
        self._client, self._ttl, self._credentials = client, ttl, credentials
        self._country = None if country is None else _code(country)
        self._rotation = _Rotation(order, cooldown)
        self._geo: dict[str, dict[str, int]] | None = None
        """The countries of `open` and `world`, from when a country is asked for."""
        self._with_geo = False
        self._due = float("-inf")
        self._listed = False
        self.forked()
        _POOLS.add(self)

    def forked(self) -> None:
        """Nobody holds a lock or fetches the list: so in a new pool, and in a forked process, where who did is gone."""
        self._fetching: Future[Exception | None] | None = None
        self._lock = threading.Lock()
        self._rotation.lock = threading.Lock()

    def report(self, proxy: Proxy, outcome: Outcome = None) -> float | None:
        """Tells how a proxy did. After a failure it is not handed out until it has cooled down; that takes twice as
        long after each further failure, up to 16 times as long. A success ends the count.

        Args:
            proxy: As it was handed out; with other credentials it is the same.
            outcome: `True` or `None` is a success, `False` or an exception a failure. A status is a failure if it is
                402, 403, 407, 429 or from 500: of the proxy, or of a site that has had enough of it.

        Returns:
            The seconds for which it is left out from now on; `None` if it is not, or was before.

        """
        return self._rotation.report(proxy, _failed(outcome))

    def cooling(self) -> dict[Proxy, float]:
        """The proxies that are cooling down, and for how many seconds still."""
        cooling = self._rotation.cooling()
        return {
            self._steered(proxy, self._country): cooling[proxy] for proxy in cooling if self._fits(proxy, self._country)
        }

    @property
    def proxies(self) -> list[Proxy]:
        """The proxies that it hands out, as they were last listed; none before the first was handed out."""
        fit = (proxy for proxy in self._rotation.proxies() if self._fits(proxy, self._country))
        return [self._steered(proxy, self._country) for proxy in fit]

    @property
    def listed(self) -> bool:
        """Whether the list was fetched."""
        return self._listed

    def __repr__(self) -> str:
        country = f" country={self._country}" if self._country else ""
        return f"<proxymesh.{type(self).__name__}{country} proxies={len(self.proxies)} cooling={len(self.cooling())}>"

    async def _get(self, country: str | None) -> Proxy:
        code = self._country if country is None else _code(country)
        while True:
            fetching, mine = self._turn(code)
            if fetching is None:
                return self._next(code)
            if not mine:
                error = await self._wait(fetching)
                if error is not None and not self._usable(code):
                    raise error
                continue
            try:
                self._renew(await self._list())
                if self._with_geo:
                    self._geo = await self._counts()
            except Exception as error:
                self._end_fetch(min(self._ttl, RETRY), error)
                if not self._usable(code):
                    raise
                logger.warning("the list of proxies could not be renewed, so the old one stays: %s", error)
            except BaseException:
                # Who was cancelled or interrupted leaves it to one of those that wait.
                self._end_fetch(0.0, None)
                raise
            else:
                self._end_fetch(self._ttl, None)

    async def _list(self) -> list[Proxy]:
        raise NotImplementedError

    async def _counts(self) -> dict[str, dict[str, int]]:
        """The geo counts of `open` and `world`."""
        raise NotImplementedError

    async def _wait(self, fetching: Future[Exception | None]) -> Exception | None:
        """Waits for who fetches; gives what went wrong."""
        raise NotImplementedError

    def _turn(self, country: str | None) -> tuple[Future[Exception | None] | None, bool]:
        """What to wait for, if anything, and whether it is for the caller to fetch it."""
        with self._lock:
            usable = self._usable(country)
            if usable and time.monotonic() < self._due:
                return None, False
            if self._fetching is None:
                self._with_geo = self._with_geo or country is not None
                self._fetching = Future()
                return self._fetching, True
            # While one fetches it, the others go on with what there is, if that will do.
            return (None if usable else self._fetching), False

    def _usable(self, country: str | None) -> bool:
        return self._listed and (country is None or self._geo is not None)

    def _renew(self, proxies: list[Proxy]) -> None:
        if self._credentials:
            proxies = [proxy.using(client=self._client) for proxy in proxies]
        self._rotation.set(proxies)
        self._listed = True

    def _end_fetch(self, seconds: float, error: Exception | None) -> None:
        """The next is due in so many seconds."""
        with self._lock:
            fetching, self._fetching = self._fetching, None
            self._due = time.monotonic() + seconds
        if fetching is not None:
            fetching.set_result(error)

    def _next(self, country: str | None) -> Proxy:
        proxy = self._rotation.next(country, lambda proxy: self._fits(proxy, country))
        if proxy is None:
            names = ", ".join(proxy.name for proxy in self._rotation.proxies())
            elsewhere = [name for name, counts in (self._geo or {}).items() if country in counts]
            hint = f"; authorise {' or '.join(elsewhere)}, which has some" if elsewhere else ""
            raise _refused("country", f"no authorised proxy ({names}) has exits in {country}{hint}")
        return self._steered(proxy, country)

    def _fits(self, proxy: Proxy, country: str | None) -> bool:
        """Whether it has exits in the country."""
        if country is None:
            return True
        if proxy.chooses_country:
            return country in (self._geo or {}).get(proxy.name.lower(), ())
        return proxy.country == country

    def _steered(self, proxy: Proxy, country: str | None) -> Proxy:
        return proxy if country is None else proxy.steer(country=country)


_POOLS: weakref.WeakSet[_Pool] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in _POOLS:
        pool.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class ProxyPool(_Pool):
    """Hands out the account's proxies in turn. From `client.proxies.pool()`; any number of threads may share it.

    >>> from proxymesh.sandbox import Sandbox
    >>> with Sandbox(proxies=True) as sandbox, sandbox.client() as client:
    ...     pool = client.proxies.pool()
    ...     proxy = pool.get()
    ...     pool.report(proxy, proxy.check().status)
    """

    _client: Client

    def get(self, *, country: str | None = None) -> Proxy:
        """The next proxy, with the client's credentials. The list is fetched when it is due, by one caller at a time;
        no lock is held meanwhile.

        Args:
            country: Two letters: one with exits there, instead of in the pool's country.

        Raises:
            PoolExhaustedError: All are cooling down, or there is none.
            ValidationError: None has exits in the country.
            ProxyMeshError: The list cannot be fetched, and there is no older one.

        """
        return driven(self._get(country))

    async def _wait(self, fetching: Future[Exception | None]) -> Exception | None:
        return fetching.result()

    async def _list(self) -> list[Proxy]:
        return self._client.proxies.list()

    async def _counts(self) -> dict[str, dict[str, int]]:
        return {"open": self._client.geo.open(), "world": self._client.geo.world()}


class AsyncProxyPool(_Pool):
    """The same for asyncio. From the `proxies.pool()` of an `AsyncClient`; any number of tasks may share it."""

    _client: AsyncClient

    async def get(self, *, country: str | None = None) -> Proxy:
        """The next proxy, with the client's credentials. The list is fetched when it is due, by one task at a time.

        Args:
            country: Two letters: one with exits there, instead of in the pool's country.

        Raises:
            PoolExhaustedError: All are cooling down, or there is none.
            ValidationError: None has exits in the country.
            ProxyMeshError: The list cannot be fetched, and there is no older one.

        """
        return await self._get(country)

    async def _wait(self, fetching: Future[Exception | None]) -> Exception | None:
        return await asyncio.shield(asyncio.wrap_future(fetching))

    async def _list(self) -> list[Proxy]:
        return await self._client.proxies.list()

    async def _counts(self) -> dict[str, dict[str, int]]:
        open_, world = await asyncio.gather(self._client.geo.open(), self._client.geo.world())
        return {"open": open_, "world": world}
