"""Choosing among the account's proxies: `client.proxies.pool()`."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

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

    def __init__(
        self, order: Literal["round_robin", "random"], cooldown: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.order, self.cooldown, self.clock = order, cooldown, clock
        self.lock = threading.Lock()
        self.members: dict[tuple[str, int], _Member] = {}
        self.round: list[_Member] = []
        """Who still has a turn in this round; the next is the last."""

    def set(self, proxies: Iterable[Proxy]) -> None:
        """Makes these the members. Who was one stays as it was."""
        with self.lock:
            known, self.members = self.members, {}
            for proxy in proxies:
                key = (proxy.host, proxy.port)
                member = known.get(key) or _Member(proxy)
                member.proxy = proxy
                self.members[key] = member
            self.round = [member for member in self.round if (member.proxy.host, member.proxy.port) in self.members]

    def next(self) -> Proxy:
        """The next of the round that is not cooling down. Each has one turn a round, in the list's order or in any."""
        with self.lock:
            now = self.clock()
            for _ in range(2):
                while self.round:
                    member = self.round.pop()
                    if member.cool_until <= now:
                        return member.proxy
                self.round = list(reversed(self.members.values()))
                if self.order == "random":
                    random.shuffle(self.round)
            ends = [member.cool_until - now for member in self.members.values()]
        raise _exhausted(len(ends), min(ends, default=0.0))

    def report(self, proxy: Proxy, failed: bool) -> None:
        with self.lock:
            member = self.members.get((proxy.host, proxy.port))
            if member is None:
                return
            if not failed:
                member.failures = 0
                return
            now = self.clock()
            if member.cool_until > now:
                # What was under way when it began to cool is the same trouble.
                return
            member.failures += 1
            member.cool_until = now + self.cooldown * min(2 ** (member.failures - 1), LONGEST_COOLDOWN)

    def cooling(self) -> dict[Proxy, float]:
        with self.lock:
            now = self.clock()
            return {m.proxy: m.cool_until - now for m in self.members.values() if m.cool_until > now}

    def proxies(self) -> list[Proxy]:
        with self.lock:
            return [member.proxy for member in self.members.values()]


class _Abandoned(Exception):
    """Whoever fetched the list was cancelled or interrupted; those that wait are not, so one of them fetches."""


def _exhausted(count: int, retry_after: float) -> PoolExhaustedError:
    if count == 0:
        reason = "the account has authorised no proxy: add one with client.proxies.add"
    else:
        proxies = "the one proxy is" if count == 1 else f"all {count} proxies are"
        reason = f"{proxies} cooling down after failures; the first is to be tried again in {retry_after:.1f} s"
    return PoolExhaustedError(reason, retry_after=retry_after)


def _failed(outcome: Outcome) -> bool:
    """Whether an outcome speaks against the proxy, or its exit."""
    if outcome is None or isinstance(outcome, bool):
        return outcome is False
    if isinstance(outcome, BaseException):
        return True
    return outcome in (402, 403, 407, 429) or outcome >= 500


class _Pool:
    """What both kinds have in common: all but how the list is fetched."""

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
        def refuse(field: str, reason: str) -> ValidationError:
            return ValidationError(f"{field}: {reason}", field=field, reason=reason)

        if order not in ("round_robin", "random"):
            raise refuse("order", "is neither round_robin nor random")
        for field, value in (("ttl", ttl), ("cooldown", cooldown)):
            if not 0 < value < float("inf"):
                raise refuse(field, "is not a number of seconds above 0")
        if country is not None:
            from ._proxymesh import Proxy

            # The core's word on what a code looks like.
            (country,) = Proxy("open.proxymesh.com").steer(country=country).headers().values()
        self._client, self._country, self._ttl, self._credentials = client, country, ttl, credentials
        self._rotation = _Rotation(order, cooldown)
        self._due = float("-inf")
        self._listed = False
        self._fetching: Future[None] | None = None
        self._lock = threading.Lock()

    def report(self, proxy: Proxy, outcome: Outcome = None) -> None:
        """Tells how a proxy did. After a failure it is not handed out until it has cooled down; that takes twice as
        long after each further failure, up to 16 times as long. A success ends the count.

        Args:
            proxy: As it was handed out; with other credentials it is the same.
            outcome: `True` or `None` is a success, `False` or an exception a failure. A status is a failure if it is
                402, 403, 407, 429 or from 500: of the proxy, or of a site that has had enough of it.

        """
        self._rotation.report(proxy, _failed(outcome))

    def cooling(self) -> dict[Proxy, float]:
        """The proxies that are cooling down, and for how many seconds still."""
        return self._rotation.cooling()

    @property
    def proxies(self) -> list[Proxy]:
        """The proxies that it hands out, as they were last listed; none before the first was handed out."""
        return self._rotation.proxies()

    def __repr__(self) -> str:
        country = f" country={self._country}" if self._country else ""
        return f"<proxymesh.{type(self).__name__}{country} proxies={len(self.proxies)} cooling={len(self.cooling())}>"

    def _turn(self) -> tuple[Future[None] | None, bool]:
        """What to wait for, if anything, and whether it is for the caller to fetch the list."""
        with self._lock:
            if time.monotonic() < self._due:
                return None, False
            if self._fetching is None:
                self._fetching = Future()
                return self._fetching, True
            # While one fetches it, the others go on with the old list, if there is one.
            return (None if self._listed else self._fetching), False

    def _fetched(self, found: list[Proxy] | Exception) -> None:
        """Ends a fetch, for better or worse."""
        if isinstance(found, list):
            self._rotation.set(found)
        with self._lock:
            fetching, self._fetching = self._fetching, None
            if isinstance(found, list):
                self._due, self._listed = time.monotonic() + self._ttl, True
            elif self._listed and not isinstance(found, _Abandoned):
                self._due = time.monotonic() + min(self._ttl, RETRY)
                logger.warning("the list of proxies could not be renewed, so the old one stays: %s", found)
            listed = self._listed
        if fetching is None:
            return
        if isinstance(found, list) or listed:
            fetching.set_result(None)
        else:
            fetching.set_exception(found)

    def _members(self, proxies: list[Proxy], geo: dict[str, dict[str, int]]) -> list[Proxy]:
        """The proxies that have exits in the country, with what they need to be used."""
        code = self._country
        if self._credentials:
            proxies = [proxy.using(client=self._client) for proxy in proxies]
        if code is None:
            return proxies
        fit = [
            proxy
            for proxy in proxies
            if (code in geo[proxy.name.lower()] if proxy.chooses_country else proxy.country == code)
        ]
        if not fit:
            names = ", ".join(proxy.name for proxy in proxies) or "none"
            elsewhere = [name for name in ("open", "world") if code in geo[name]]
            hint = f"; authorise {' or '.join(elsewhere)}, which has some" if elsewhere else ""
            reason = f"no authorised proxy ({names}) has exits in {code}{hint}"
            raise ValidationError(f"country: {reason}", field="country", reason=reason)
        return [proxy.steer(country=code) for proxy in fit]


class ProxyPool(_Pool):
    """Hands out the account's proxies in turn. From `client.proxies.pool()`; any number of threads may share it.

    >>> from proxymesh.sandbox import Sandbox
    >>> with Sandbox(proxies=True) as sandbox, sandbox.client() as client:
    ...     pool = client.proxies.pool()
    ...     proxy = pool.get()
    ...     pool.report(proxy, proxy.check().status)
    """

    _client: Client

    def get(self) -> Proxy:
        """The next proxy, with the client's credentials. The list is fetched when it is due, by one caller at a time;
        no lock is held meanwhile.

        Raises:
            PoolExhaustedError: All are cooling down, or there is none.
            ValidationError: None has exits in the country.
            ProxyMeshError: The list cannot be fetched, and there is no older one.

        """
        fetching, mine = self._turn()
        if mine:
            try:
                self._fetched(self._fetch())
            except Exception as error:
                self._fetched(error)
                if not self._listed:
                    raise
            except BaseException:
                self._fetched(_Abandoned())
                raise
        elif fetching is not None:
            try:
                fetching.result()
            except _Abandoned:
                return self.get()
        return self._rotation.next()

    def _fetch(self) -> list[Proxy]:
        proxies, geo = self._client.proxies.list(), {}
        if self._country is not None:
            geo = {"open": self._client.geo.open(), "world": self._client.geo.world()}
        return self._members(proxies, geo)


class AsyncProxyPool(_Pool):
    """The same for asyncio. From the `proxies.pool()` of an `AsyncClient`; any number of tasks may share it."""

    _client: AsyncClient

    async def get(self) -> Proxy:
        """The next proxy, with the client's credentials. The list is fetched when it is due, by one task at a time.

        Raises:
            PoolExhaustedError: All are cooling down, or there is none.
            ValidationError: None has exits in the country.
            ProxyMeshError: The list cannot be fetched, and there is no older one.

        """
        fetching, mine = self._turn()
        if mine:
            try:
                self._fetched(await self._fetch())
            except Exception as error:
                self._fetched(error)
                if not self._listed:
                    raise
            except BaseException:
                self._fetched(_Abandoned())
                raise
        elif fetching is not None:
            try:
                await asyncio.shield(asyncio.wrap_future(fetching))
            except _Abandoned:
                return await self.get()
        return self._rotation.next()

    async def _fetch(self) -> list[Proxy]:
        proxies, geo = await self._client.proxies.list(), {}
        if self._country is not None:
            open_, world = await asyncio.gather(self._client.geo.open(), self._client.geo.world())
            geo = {"open": open_, "world": world}
        return self._members(proxies, geo)
