"""A fleet of crawlers: a sub-account for each, with a budget, and the account's proxies in turn."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator

import proxymesh


def rotation(client: proxymesh.Client, username: str, password: str) -> Iterator[str]:
    """The proxies of the account as URLs, one after another, for ever."""
    return itertools.cycle([proxy.url(username, password) for proxy in client.proxies.list()])


def hire(client: proxymesh.Client, crawlers: Iterable[str], *, gigabytes: int) -> list[proxymesh.SubAccount]:
    """Gives each crawler a sub-account with this much a month; those that have one keep it, with the new limit."""
    return [_hire(client, crawler, gigabytes) for crawler in crawlers]


def _hire(client: proxymesh.Client, crawler: str, gigabytes: int) -> proxymesh.SubAccount:
    try:
        return client.sub_accounts.edit(crawler, monthly_limit=gigabytes)
    except proxymesh.NotFoundError:
        pass
    try:
        return client.sub_accounts.create(crawler, password=f"{crawler}'s own", monthly_limit=gigabytes)
    except proxymesh.OutcomeUnknownError:
        return client.sub_accounts.get(crawler)  # raises NotFoundError if it has to be done again


def rest(client: proxymesh.Client, crawlers: Iterable[str]) -> list[str]:
    """Stops the crawlers that have used up their month; gives their names."""
    tired: list[str] = []
    for crawler in crawlers:
        match client.sub_accounts.get(crawler):
            case proxymesh.SubAccount(active=True, monthly_bandwidth=used, monthly_bandwidth_limit=limit):
                if limit and used >= limit:
                    client.sub_accounts.deactivate(crawler)
                    tired.append(crawler)
            case _:
                pass  # it rests already
    return tired


def let_in(ip: str) -> bool:
    """Lets a machine use the proxies without a password, for the account of the environment; whether it is new."""
    with proxymesh.Client() as client:
        try:
            client.ips.add(ip, label="fleet")
        except proxymesh.BadRequestError:
            return False
    return True


async def usage(client: proxymesh.AsyncClient, crawlers: Iterable[str]) -> dict[str, float]:
    """What each crawler has used this month, in gigabytes; all are asked at once."""
    accounts = await asyncio.gather(*(client.sub_accounts.get(crawler) for crawler in crawlers))
    return {account.username: account.monthly_bandwidth for account in accounts}
