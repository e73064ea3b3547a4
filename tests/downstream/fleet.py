"""A fleet of crawlers. Each has a sub-account with a budget, and they use the account's proxies in turn."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator

import proxymesh


def rotation(client: proxymesh.Client, username: str, password: str) -> Iterator[str]:
    """The URLs of the account's proxies, one after another, endlessly."""
    return itertools.cycle([proxy.url(username, password) for proxy in client.proxies.list()])


def hire(client: proxymesh.Client, crawlers: Iterable[str], *, gigabytes: int) -> list[proxymesh.SubAccount]:
    """Gives each crawler a sub-account with this monthly limit. If a crawler has one already, its limit changes."""
    return [_hire(client, crawler, gigabytes) for crawler in crawlers]


def _hire(client: proxymesh.Client, crawler: str, gigabytes: int) -> proxymesh.SubAccount:
    try:
        return client.sub_accounts.edit(crawler, monthly_limit=gigabytes)
    except proxymesh.NotFoundError:
        pass
    try:
        return client.sub_accounts.create(crawler, password=f"{crawler}'s own", monthly_limit=gigabytes)
    except proxymesh.OutcomeUnknownError:
        return client.sub_accounts.get(crawler)  # raises NotFoundError if it was not created


def rest(client: proxymesh.Client, crawlers: Iterable[str]) -> list[str]:
    """Stops the crawlers that have reached their monthly limit. Returns their names."""
    tired: list[str] = []
    for crawler in crawlers:
        match client.sub_accounts.get(crawler):
            case proxymesh.SubAccount(active=True, monthly_bandwidth=used, monthly_bandwidth_limit=limit):
                if limit and used >= limit:
                    client.sub_accounts.deactivate(crawler)
                    tired.append(crawler)
            case _:
                pass  # already stopped
    return tired


def let_in(ip: str) -> bool:
    """Authorises a machine to use the account's proxies without a password. Returns whether the machine is new."""
    with proxymesh.Client() as client:
        try:
            client.ips.add(ip, label="fleet")
        except proxymesh.BadRequestError:
            return False
    return True


async def usage(client: proxymesh.AsyncClient, crawlers: Iterable[str]) -> dict[str, float]:
    """What each crawler has used this month, in gigabytes. The calls are made at once."""
    accounts = await asyncio.gather(*(client.sub_accounts.get(crawler) for crawler in crawlers))
    return {account.username: account.monthly_bandwidth for account in accounts}
