"""Chooses among the account's proxies: `client.proxies.pool()`.

The pool has no lock. A signal handler or a finalizer may use a pool while it interrupts a thread that is inside the
pool. An exception such as KeyboardInterrupt may come from any line. With a lock, either could block forever. Instead,
each change replaces the state in one step, with a `dict` operation that is atomic with and without the GIL.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ._driven import driven
from ._errors import PoolExhaustedError, ValidationError

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._proxymesh import AsyncClient, Client, Proxy, ProxyCheck

    _Outcome: TypeAlias = bool | int | BaseException | ProxyCheck | None

__all__ = ["AsyncProxyPool", "ProxyPool"]

logger = logging.getLogger("proxymesh")

LONGEST_COOLDOWN = 16
"""The longest cooldown, as a multiple of the first."""
RETRY = 10.0
"""Seconds until the list is fetched again after a failure, if there is an older list."""
LEASE = 10.0
"""Seconds that others wait for the caller that fetches the list. After that, one of them fetches it as well."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.05
"""Seconds between two checks of whether the list has arrived."""


class _Step:
    """A state that is never changed, only replaced by the next one. If several threads replace it at once, one wins."""

    def __init__(self) -> None:
        self._next: dict[None, Any] = {}

    def latest(self) -> Self:
        step = self
        while (following := step._next.get(None)) is not None:
            step = following
        return step

    def replaced_by(self, step: Self) -> bool:
        """Whether the given step became the next one."""
        return self._next.setdefault(None, step) is step


class _Health(_Step):
    """The health of a proxy."""

    def __init__(self, failures: int = 0, cool_until: float = float("-inf")) -> None:
        super().__init__()
        self.failures, self.cool_until = failures, cool_until


class _Member:
    """A proxy and its health."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._health = _Health()

    @property
    def health(self) -> _Health:
        self._health = self._health.latest()
        return self._health


class _Turns:
    """The turns of the proxies for a country. Each has one turn per round, in list order or in random order."""

    def __init__(self, members: tuple[_Member, ...], order: Literal["round_robin", "random"]) -> None:
        self.members = members
        self._order: Literal["round_robin", "random"] = order
        self._tickets = itertools.count()
        self._place = -1
        self._shuffled: dict[int, tuple[_Member, ...]] = {}

    def next(self, now: float) -> _Member | None:
        """The next proxy that is not cooling down."""
        for _ in self.members:
            member = self._turn(next(self._tickets))
            if member.health.cool_until <= now:
                return member
        # Other threads may have taken all turns of the usable proxies in the meantime.
        return next((member for member in self.members if member.health.cool_until <= now), None)

    def _turn(self, ticket: int) -> _Member:
        number, place = divmod(ticket, len(self.members))
        self._place = place
        if self._order == "round_robin":
            return self.members[place]
        shuffled = self._shuffled.get(number)
        if shuffled is None:
            shuffled = self._shuffled.setdefault(number, tuple(random.sample(self.members, len(self.members))))
            self._shuffled.pop(number - 2, None)
        return shuffled[place]

    def over(self, members: tuple[_Member, ...]) -> _Turns:
        """The turns for these members. The order carries over: the member that was next stays next."""
        if set(members) == set(self.members):
            return self
        after = self._place + 1
        waiting = [*self.members[after:], *self.members[:after]]
        return _Turns(tuple(dict.fromkeys([*filter(set(members).__contains__, waiting), *members])), self._order)


class _List:
    """The proxies and the geo counts of `open` and `world`, as last fetched."""

    def __init__(
        self, members: dict[tuple[str, int], _Member], geo: dict[str, dict[str, int]] | None, before: _List | None
    ) -> None:
        self.members, self.geo = members, geo
        self._before: dict[str | None, _Turns] = {} if before is None else {**before._before, **before._turns}
        self._turns: dict[str | None, _Turns] = {}

    def fits(self, proxy: Proxy, country: str | None) -> bool:
        """Whether the proxy has exits in the country."""
        if country is None:
            return True
        if proxy.chooses_country:
            return country in (self.geo or {}).get(proxy.name.lower(), ())
        return proxy.country == country

    def turns(self, country: str | None, order: Literal["round_robin", "random"]) -> _Turns:
        turns = self._turns.get(country)
        if turns is None:
            members = tuple(member for member in self.members.values() if self.fits(member.proxy, country))
            before = self._before.get(country)
            turns = self._turns.setdefault(country, before.over(members) if before else _Turns(members, order))
        return turns


class _Rotation:
    """Decides which proxy is next and which ones are left out."""

    def __init__(
        self, order: Literal["round_robin", "random"], cooldown: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.order: Literal["round_robin", "random"] = order
        self.cooldown, self.clock = cooldown, clock
        self.list = _List({}, None, None)

    def set(self, proxies: Iterable[Proxy]) -> None:
        """Replaces the members. A proxy that was a member before keeps its health."""
        members: dict[tuple[str, int], _Member] = {}
        for proxy in proxies:
            key = (proxy.host, proxy.port)
            members[key] = member = self.list.members.get(key) or _Member(proxy)
            member.proxy = proxy
        self.list = _List(members, self.list.geo, self.list)

    def set_geo(self, geo: dict[str, dict[str, int]]) -> None:
        self.list = _List(self.list.members, geo, self.list)

    def next(self, country: str | None) -> Proxy | None:
        """The next proxy for the country that is not cooling down. None if no proxy fits the country."""
        now = self.clock()
        turns = self.list.turns(country, self.order)
        if (member := turns.next(now)) is not None:
            return member.proxy
        if self.list.members and not turns.members:
            return None
        ends = [member.health.cool_until - now for member in turns.members]
        raise _exhausted(len(ends), max(0.0, min(ends, default=0.0)))

    def report(self, proxy: Proxy, failed: bool) -> float | None:
        member = self.list.members.get((proxy.host, proxy.port))
        if member is None:
            return None
        health, now = member.health, self.clock()
        if not failed:
            if health.failures:
                health.replaced_by(_Health(0, health.cool_until))
            return None
        if health.cool_until > now:
            # A request that was in progress when the cooldown began failed for the same reason.
            return None
        failures = health.failures + 1
        seconds: float = self.cooldown * min(2 ** (failures - 1), LONGEST_COOLDOWN)
        # Requests that fail at once fail for the same reason, so only one failure counts.
        return seconds if health.replaced_by(_Health(failures, now + seconds)) else None

    def cooling(self) -> dict[Proxy, float]:
        now = self.clock()
        ends = {member.proxy: member.health.cool_until for member in self.list.members.values()}
        return {proxy: end - now for proxy, end in ends.items() if end > now}

    def proxies(self) -> list[Proxy]:
        return [member.proxy for member in self.list.members.values()]


class _Fetch(_Step):
    """A fetch of the list, running or finished. Others wait for it, but not forever."""

    def __init__(self) -> None:
        super().__init__()
        self.over = False
        self.error: Exception | None = None
        self._process, self._thread, self._until = os.getpid(), threading.get_ident(), time.monotonic() + LEASE

    @property
    def goes_on(self) -> bool:
        return not self.over and self._process == os.getpid() and time.monotonic() < self._until

    @property
    def is_beneath(self) -> bool:
        """Whether the current thread runs the fetch. The caller is then a signal handler or finalizer that interrupted
        it. Only meaningful if nothing is awaited.
        """
        return self._thread == threading.get_ident()


def _exhausted(count: int, retry_after: float) -> PoolExhaustedError:
    if count == 0:
        reason = "the account has no authorised proxy: add one with client.proxies.add"
    else:
        proxies = "the one proxy is" if count == 1 else f"all {count} proxies are"
        reason = f"{proxies} cooling down after failures; the first can be used again in {retry_after:.1f} s"
    return PoolExhaustedError(reason, retry_after=retry_after)


def _refused(field: str, reason: str) -> ValidationError:
    return ValidationError(f"{field}: {reason}", field=field, reason=reason)


def _code(country: str) -> str:
    """The country code, as checked by the core."""
    from ._proxymesh import Proxy

    (code,) = Proxy("open.proxymesh.com").steer(country=country).headers().values()
    return code


def _failed(outcome: _Outcome) -> bool:
    """Whether an outcome counts against the proxy or its exit."""
    if outcome is None or isinstance(outcome, BaseException):
        return True
    if isinstance(outcome, bool):
        return not outcome
    if isinstance(outcome, int):
        return outcome in (402, 403, 407, 429) or outcome >= 500 or outcome < 100
    if isinstance(outcome, _check_class()):
        return not outcome.ok
    given = type(outcome).__name__  # type: ignore[unreachable]
    raise TypeError(f"outcome must be bool, a status, an exception, a ProxyCheck or None, not {given}")


def _proxy_class() -> type[Proxy]:
    from ._proxymesh import Proxy

    return Proxy


def _check_class() -> type[ProxyCheck]:
    from ._proxymesh import ProxyCheck

    return ProxyCheck


class _Pool:
    """What `ProxyPool` and `AsyncProxyPool` share: everything except how to fetch the list and wait for it."""

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
            raise _refused("order", "must be round_robin or random")
        for field, value in (("ttl", ttl), ("cooldown", cooldown)):
            if not 0 < value < float("inf"):
                raise _refused(field, "must be a number of seconds greater than 0")
        self._client, self._ttl, self._credentials = client, ttl, credentials
        self._country = None if country is None else _code(country)
        self._rotation = _Rotation(order, cooldown)
        self._with_geo = False
        """True once a country has been requested."""
        self._due = float("-inf")
        self._listed = False
        self._fetch = _Fetch()
        self._fetch.over = True

    def report(self, proxy: Proxy, outcome: _Outcome = True) -> float | None:
        """Reports how a request through a proxy went. After a failure, the proxy is left out until it has cooled down.
        Each further failure doubles the cooldown, up to 16 times the first. A success resets the count.

        Args:
            proxy: The proxy that was handed out. Its credentials do not matter.
            outcome: `True` and a `ProxyCheck` that is `ok` are successes. `False`, an exception and `None` (no
                response) are failures. A status is a failure if it is 402, 403, 407, 429, or 500 and above. Such a
                status comes from the proxy, or from a site that blocks it.

        Returns:
            The seconds for which the proxy is now left out. `None` if it is not left out, or if it was already.

        Raises:
            TypeError: The proxy or the outcome is of another type.

        """
        if not isinstance(proxy, _proxy_class()):
            raise TypeError(f"proxy must be a Proxy, not {type(proxy).__name__}")
        return self._rotation.report(proxy, _failed(outcome))

    def cooling(self) -> dict[Proxy, float]:
        """The proxies that are cooling down, with the remaining seconds."""
        cooling, fits = self._rotation.cooling(), self._rotation.list.fits
        return {self._steered(proxy): cooling[proxy] for proxy in cooling if fits(proxy, self._country)}

    @property
    def proxies(self) -> list[Proxy]:
        """The proxies that the pool hands out, from the last list. Empty until the list has been fetched."""
        fits = self._rotation.list.fits
        return [self._steered(proxy) for proxy in self._rotation.proxies() if fits(proxy, self._country)]

    @property
    def listed(self) -> bool:
        """Whether the list of proxies has been fetched."""
        return self._listed

    def __repr__(self) -> str:
        country = f" country={self._country}" if self._country else ""
        return f"<proxymesh.{type(self).__name__}{country} proxies={len(self.proxies)} cooling={len(self.cooling())}>"

    async def _get(self, country: str | None) -> Proxy:
        code = self._country if country is None else _code(country)
        pause = SHORTEST_PAUSE
        waited: _Fetch | None = None
        while True:
            usable = self._usable(code)
            if usable and time.monotonic() < self._due:
                return self._next(code)
            if waited is not None and waited.over and waited.error is not None and not usable:
                raise waited.error
            fetch = self._fetch.latest()
            if fetch.goes_on and not (self._is_beneath(fetch) and not usable):
                if usable:
                    # While one caller fetches the list, the others use the old one.
                    return self._next(code)
                waited = fetch
                await self._sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            mine = _Fetch()
            try:
                if fetch.replaced_by(mine):
                    self._fetch = mine
                    await self._renew(code, mine)
            finally:
                # Whatever was raised, the others no longer need to wait for this fetch.
                mine.over = True

    async def _renew(self, country: str | None, fetch: _Fetch) -> None:
        self._with_geo = self._with_geo or country is not None
        try:
            proxies = await self._list()
            if self._credentials:
                proxies = [proxy.using(client=self._client) for proxy in proxies]
            self._rotation.set(proxies)
            self._listed = True
            if self._with_geo:
                self._rotation.set_geo(await self._counts())
        except Exception as error:
            self._due = time.monotonic() + min(self._ttl, RETRY)
            fetch.error = error
            if not self._usable(country):
                raise
            logger.warning("could not refresh the list of proxies, so the old one stays in use: %s", error)
        else:
            self._due = time.monotonic() + self._ttl

    async def _list(self) -> list[Proxy]:
        raise NotImplementedError

    async def _counts(self) -> dict[str, dict[str, int]]:
        """Fetches the geo counts of `open` and `world`."""
        raise NotImplementedError

    async def _sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def _is_beneath(self, fetch: _Fetch) -> bool:
        """Whether the fetch cannot go on before this call returns."""
        raise NotImplementedError

    def _usable(self, country: str | None) -> bool:
        return self._listed and (country is None or self._rotation.list.geo is not None)

    def _next(self, country: str | None) -> Proxy:
        proxy = self._rotation.next(country)
        if proxy is None:
            names = ", ".join(proxy.name for proxy in self._rotation.proxies())
            elsewhere = [name for name, counts in (self._rotation.list.geo or {}).items() if country in counts]
            hint = f"; authorise {' or '.join(elsewhere)}, which has some" if elsewhere else ""
            raise _refused("country", f"no authorised proxy ({names}) has exits in {country}{hint}")
        return proxy if country is None else proxy.steer(country=country)

    def _steered(self, proxy: Proxy) -> Proxy:
        return proxy if self._country is None else proxy.steer(country=self._country)


class ProxyPool(_Pool):
    """Hands out the account's proxies in turn. `client.proxies.pool()` creates it. Any number of threads may share one.

    >>> from proxymesh.sandbox import Sandbox
    >>> with Sandbox(proxies=True) as sandbox, sandbox.client() as client:
    ...     pool = client.proxies.pool()
    ...     proxy = pool.get()
    ...     pool.report(proxy, proxy.check())
    """

    _client: Client

    def get(self, *, country: str | None = None) -> Proxy:
        """Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than
        `ttl`. One caller at a time fetches it. A signal handler may call this, too.

        Args:
            country: A two-letter code. The proxy has exit IPs in this country. It overrides the pool's country.

        Raises:
            PoolExhaustedError: All proxies are cooling down, or the account has no authorised proxy.
            ValidationError: No proxy has exit IPs in the country, or the code is invalid.
            ProxyMeshError: The list could not be fetched, and there is no older one.

        """
        return driven(self._get(country))

    async def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _is_beneath(self, fetch: _Fetch) -> bool:
        return fetch.is_beneath

    async def _list(self) -> list[Proxy]:
        return self._client.proxies.list()

    async def _counts(self) -> dict[str, dict[str, int]]:
        return {"open": self._client.geo.open(), "world": self._client.geo.world()}


class AsyncProxyPool(_Pool):
    """A `ProxyPool` for asyncio. `proxies.pool()` of an `AsyncClient` creates it. Any number of tasks may share one."""

    _client: AsyncClient

    async def get(self, *, country: str | None = None) -> Proxy:
        """Returns the next proxy. The pool fetches the list of proxies first if there is none, or if it is older than
        `ttl`. One task at a time fetches it.

        Args:
            country: A two-letter code. The proxy has exit IPs in this country. It overrides the pool's country.

        Raises:
            PoolExhaustedError: All proxies are cooling down, or the account has no authorised proxy.
            ValidationError: No proxy has exit IPs in the country, or the code is invalid.
            ProxyMeshError: The list could not be fetched, and there is no older one.

        """
        return await self._get(country)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _is_beneath(self, fetch: _Fetch) -> bool:  # noqa: ARG002
        return False  # The fetch belongs to another task and continues while this one waits.

    async def _list(self) -> list[Proxy]:
        return await self._client.proxies.list()

    async def _counts(self) -> dict[str, dict[str, int]]:
        open_, world = await asyncio.gather(self._client.geo.open(), self._client.geo.world())
        return {"open": open_, "world": world}
