"""Mistakes that users make. mypy and pyright must each report every line (`make test-types`). This is never run.

An `ignore` without an error is itself an error.
"""

from __future__ import annotations

import proxymesh
from proxymesh import Client, Proxy, SubAccount
from proxymesh.sandbox import Sandbox

client = Client("me", "secret")

client.sub_accounts.create("x", monthly_limit="5")  # type: ignore[arg-type]  # pyright: ignore
client.sub_accounts.create("x", 5)  # type: ignore[arg-type, call-arg]  # pyright: ignore
client.sub_accounts.create()  # type: ignore[call-arg]  # pyright: ignore
client.sub_accounts.edit("x", monthly_limits=5)  # type: ignore[call-arg]  # pyright: ignore
client.ips.add(5)  # type: ignore[arg-type]  # pyright: ignore
client.ips.add("203.0.113.7", "office")  # type: ignore[call-arg]  # pyright: ignore
client.tokens.activate("1")  # type: ignore[arg-type]  # pyright: ignore
client.tokens.create(expires_at=5)  # type: ignore[arg-type]  # pyright: ignore
client.proxies.add(31280)  # type: ignore[arg-type]  # pyright: ignore
client.proxies.list()[0].port = 5  # type: ignore[misc]  # pyright: ignore
client.sub_accounts.get("x").email.upper()  # type: ignore[union-attr]  # pyright: ignore
client.timeout  # type: ignore[attr-defined]  # pyright: ignore
client.geo = client.geo  # type: ignore[misc]  # pyright: ignore
Client(timeout=None)  # type: ignore[arg-type]  # pyright: ignore
Client("me", "secret", "pm_x")  # type: ignore[call-arg]  # pyright: ignore
number: int = client.ips.list()  # type: ignore[assignment]  # pyright: ignore
none: str = client.ips.delete("203.0.113.7")  # type: ignore[assignment, func-returns-value]  # pyright: ignore
Sandbox("parent")  # type: ignore[call-arg]  # pyright: ignore
Proxy("us-ca").url(5, 5)  # type: ignore[arg-type]  # pyright: ignore


class Mine(Proxy): ...  # type: ignore[misc]  # pyright: ignore


async def awaited(client: proxymesh.AsyncClient) -> None:
    client.ips.list()  # type: ignore[unused-coroutine]  # pyright: ignore
    late: list[str] = client.ips.list()  # type: ignore[assignment]  # pyright: ignore
    await client.sub_accounts.create("x", monthly_limit="5")  # type: ignore[arg-type]  # pyright: ignore
    with client:  # type: ignore[attr-defined]  # pyright: ignore
        pass


match client.sub_accounts.get("x"):
    case SubAccount(_, _, _, _, _, _, _, _, _, _):  # type: ignore[misc]  # pyright: ignore
        raise NotImplementedError
    case _:
        pass

try:
    client.proxies.list()
except proxymesh.ConfigError as error:
    error.status  # type: ignore[attr-defined]  # pyright: ignore
