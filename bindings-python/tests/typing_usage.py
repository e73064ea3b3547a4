"""Code that users write. It passes the strictest checks of mypy and pyright (`make test-types`). Each type that they
infer is the type of the value at run time (test_stubs.py).
"""

from __future__ import annotations

import asyncio
import ipaddress
import typing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import proxymesh
from proxymesh import (
    AsyncClient,
    AuthorizedIp,
    Client,
    FollowedIp,
    LabeledIp,
    NewToken,
    Proxy,
    ProxyMeshError,
    ProxyPool,
    SubAccount,
    Token,
)
from proxymesh.sandbox import RecordedRequest, Sandbox

if TYPE_CHECKING:
    from typing_extensions import assert_never, assert_type
else:

    def assert_type(value: object, kind: Any) -> None:
        """Compares a type that a checker infers with the actual value."""
        origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
        if origin in (list, dict):
            assert type(value) is origin
            columns = (value,) if origin is list else (value.keys(), value.values())
            for column, column_kind in zip(columns, inner, strict=True):
                for item in column:
                    assert_type(item, column_kind)
        else:
            kinds = inner or (kind or type(None),)
            # A subclass of str that hides its secret in its repr counts as str.
            assert type(value) in kinds or (str in kinds and isinstance(value, str)), f"{value!r} is not a {kind}"

    def assert_never(value: object) -> None:
        raise AssertionError(value)


def proxies(client: Client) -> list[str]:
    assert_type(client.proxies.list(), list[Proxy])
    assert_type(client.proxies.add("us-ca"), str)
    assert_type(client.proxies.add(client.proxies.list()[0]), str)
    assert_type(client.proxies.delete("us-ca"), None)
    return [proxy.url("me", "secret") for proxy in sorted(client.proxies.list())]


def access(client: Client) -> None:
    assert_type(client.ips.add("203.0.113.7"), str)
    assert_type(client.ips.add(ipaddress.ip_address("2001:db8::7"), label="office"), str)
    assert_type(client.ips.list(), list[str])
    assert_type(client.ips.labels(), list[LabeledIp])
    assert_type(client.ips.delete(ipaddress.IPv4Address("203.0.113.7")), None)
    assert_type(client.hostnames.add("crawler.example.com"), str)
    assert_type(client.hostnames.list(), list[str])
    assert_type(client.hostnames.delete("crawler.example.com"), None)


def sub_accounts(client: Client) -> None:
    assert_type(client.sub_accounts.create("ant", password="secret", monthly_limit=5, total_limit=50), SubAccount)
    assert_type(client.sub_accounts.edit("ant", email="ant@ex.com", first_name="", last_name=None), SubAccount)
    assert_type(client.sub_accounts.get("ant"), SubAccount)
    assert_type(client.sub_accounts.deactivate("ant"), SubAccount)
    assert_type(client.sub_accounts.activate("ant"), SubAccount)
    assert_type(client.ips.add("203.0.113.8", username="ant"), str)
    assert_type(client.ips.list(username="ant"), list[str])
    assert_type(client.hostnames.add("ant.example.com", username="ant"), str)
    assert_type(client.tokens.list(username=None), list[Token])
    assert_type(client.sub_accounts.delete("ant"), None)


def tokens(client: Client) -> None:
    created = client.tokens.create(label="ci", expires_at=date.today() + timedelta(days=30))
    assert_type(created, NewToken)
    assert_type(client.tokens.create(expires_at="2099-01-31"), NewToken)
    assert_type(client.tokens.list(), list[Token])
    assert_type(client.tokens.deactivate(created.id), Token)
    assert_type(client.tokens.activate(created.id), Token)
    assert_type(client.tokens.delete(created.id), None)


def geo(client: Client) -> None:
    assert_type(client.geo.open(), dict[str, int])
    assert_type(client.geo.world(), dict[str, int])


def fields(account: SubAccount, proxy: Proxy, ip: LabeledIp, token: NewToken) -> None:
    assert_type(account.username, str)
    assert_type(account.active, bool)
    assert_type(account.monthly_bandwidth, float)
    assert_type(account.total_bandwidth, float)
    assert_type(account.monthly_bandwidth_limit, int)
    assert_type(account.total_bandwidth_limit, int)
    assert_type(account.first_name, str | None)
    assert_type(account.last_name, str | None)
    assert_type(account.email, str | None)
    assert_type(proxy.host, str)
    assert_type(proxy.port, int)
    assert_type(proxy.name, str)
    assert_type(proxy < proxy, bool)
    assert_type(ip.ip, str)
    assert_type(ip.label, str)
    assert_type(token.id, int)
    assert_type(token.is_active, bool)
    assert_type(token.expires_at, date | None)
    assert_type(token.created_at, datetime)
    assert_type(token.token, str)
    plain: dict[str, object] = account.to_dict()
    assert_type({account: 1, proxy: 2, ip: 3, token: 4}[proxy], int)
    assert plain["username"] == account.username


Model: TypeAlias = SubAccount | Proxy | LabeledIp | Token | NewToken | RecordedRequest


def described(value: Model) -> str:
    """Matches every model by position. No case is missing."""
    match value:
        case SubAccount(username, active, monthly_bandwidth=used):
            assert_type(used, float)
            return username if active else ""
        case Proxy(host, port):
            assert_type(port, int)
            return f"{host}:{port}"
        case LabeledIp(ip, label):
            return ip + label
        case Token(number, label, _, expires_at):
            assert_type(expires_at, date | None)
            return f"{number + 1}{label}"
        case NewToken(number, label, _, _, created_at):
            assert_type(created_at, datetime)
            return f"{number + 1}{label}"
        case RecordedRequest(number, method, path, query, form, content_type, auth, username, status, fault):
            assert_type(number, int)
            assert_type(query, dict[str, str])
            assert_type(form, dict[str, str])
            assert_type(content_type, str | None)
            assert_type(username, str | None)
            assert_type(status, int | None)
            assert_type(fault, str | None)
            return method + path + auth
        case _:
            assert_never(value)


def told(error: proxymesh.ProxyMeshError) -> str:
    """The text of each kind of error."""
    assert_type(error.call, str | None)
    match error:
        case proxymesh.StatusError():
            assert_type(error.status, int)
            assert_type(error.reason, str)
            assert_type(error.field_errors, dict[str, list[str]])
            assert_type(error.body, str)
            assert_type(error.retry_after, float | None)
            assert_type(error.attempts, int)
            return error.reason
        case proxymesh.TimeoutError(reason=reason, attempts=attempts):
            assert_type(attempts, int)
            return reason
        case proxymesh.ConnectionError(reason=reason, attempts=attempts):
            assert_type(attempts, int)
            return reason
        case proxymesh.ValidationError(field=field, reason=reason):
            return field + reason
        case proxymesh.AuthenticationBlockedError(retry_after=seconds):
            assert_type(seconds, float)
            return f"{seconds:.0f}"
        case proxymesh.DecodeError(status=status, reason=reason, body=body):
            assert_type(status, int)
            return reason + body
        case proxymesh.OutcomeUnknownError(reason=reason, recovery_hint=recovery_hint):
            return reason + recovery_hint
        case proxymesh.ConfigError(reason=reason):
            return reason
        case proxymesh.PoolExhaustedError(retry_after=seconds):
            assert_type(seconds, float)
            return f"{seconds:.0f}"
        case proxymesh.BasicAuthRequiredError():
            return str(error)
        case _:
            return ""


def caught(client: Client) -> str:
    """Catches the errors. A builtin of the same name catches them, too."""
    try:
        client.proxies.list()
    except proxymesh.RateLimitedError as error:
        assert_type(error.retry_after, float | None)
        return told(error)
    except (proxymesh.AuthenticationError, proxymesh.PermissionDeniedError, proxymesh.NotFoundError) as error:
        return told(error)
    except (proxymesh.BadRequestError, proxymesh.PlanLimitError, proxymesh.ServerError) as error:
        return told(error)
    except proxymesh.UnexpectedStatusError as error:
        return told(error)
    except (TimeoutError, ConnectionError) as error:
        return str(error)
    except ValueError as error:
        return str(error)
    return ""


def settings(sandbox: Sandbox, ca_file: Path | None = None) -> None:
    with Client(
        "me",
        "secret",
        base_url=sandbox.base_url,
        timeout=5,
        connect_timeout=2.5,
        max_retries=0,
        ca_file=ca_file,
        trust_env=False,
    ) as client:
        assert_type(client, Client)
        assert_type(client.with_options(timeout=5, max_retries=1), Client)
        assert_type(client.close(), None)
    Client(token="pm_x", base_url=sandbox.base_url).close()
    assert_type(proxymesh.__version__, str)


async def awaited(sandbox: Sandbox) -> None:
    """The same calls of `AsyncClient`. asyncio accepts what they return wherever it accepts a coroutine."""
    async with sandbox.async_client(timeout=5) as client:
        assert_type(client, AsyncClient)
        assert_type(client.with_options(timeout=5, max_retries=1), AsyncClient)
        assert_type(await client.proxies.list(), list[Proxy])
        assert_type(await client.proxies.add("us-ca"), str)
        assert_type(await client.proxies.delete("us-ca"), None)
        assert_type(await client.ips.add("203.0.113.9", label="office"), str)
        assert_type(await client.ips.list(), list[str])
        assert_type(await client.ips.labels(), list[LabeledIp])
        assert_type(await client.ips.delete("203.0.113.9"), None)
        assert_type(await client.hostnames.add("async.example.com"), str)
        assert_type(await client.hostnames.list(), list[str])
        assert_type(await client.hostnames.delete("async.example.com"), None)
        assert_type(await client.sub_accounts.create("cat", monthly_limit=5), SubAccount)
        assert_type(await client.sub_accounts.edit("cat", email="cat@ex.com"), SubAccount)
        assert_type(await client.sub_accounts.get("cat"), SubAccount)
        assert_type(await client.sub_accounts.deactivate("cat"), SubAccount)
        assert_type(await client.sub_accounts.activate("cat"), SubAccount)
        assert_type(await client.sub_accounts.delete("cat"), None)
        created = await client.tokens.create(label="ci")
        assert_type(created, NewToken)
        assert_type(await client.tokens.list(), list[Token])
        assert_type(await client.tokens.deactivate(created.id), Token)
        assert_type(await client.tokens.activate(created.id), Token)
        assert_type(await client.tokens.delete(created.id), None)
        assert_type(await client.geo.open(), dict[str, int])
        assert_type(await client.geo.world(), dict[str, int])
        task = asyncio.create_task(client.ips.list())
        assert_type(await task, list[str])
        here, there = await asyncio.gather(client.geo.open(), client.geo.world())
        assert_type(here, dict[str, int])
        assert_type(there, dict[str, int])
        assert_type(await asyncio.wait_for(client.ips.list(), timeout=5), list[str])
        assert_type(await client.aclose(), None)


def last_mile(client: Client) -> list[str]:
    pool: ProxyPool = client.proxies.pool(country="US", order="random", ttl=60, cooldown=5, credentials=False)
    proxy = pool.get()
    assert_type(pool.get(country="US"), Proxy)
    assert_type(pool.get(country=("US", "DE")), Proxy)
    assert_type(pool.stats()[proxy].latency, float | None)
    pool.report(proxy, 200)
    pool.report(proxy, TimeoutError())
    assert_type(pool.cooling(), dict[Proxy, float])
    authorized: AuthorizedIp = client.ips.authorized("203.0.113.9", label="crawl")
    with authorized as ip:
        assert_type(ip, str)
    with client.ips.follow(label="home", interval=60) as followed:
        assert_type(followed, FollowedIp)
        assert_type(followed.ip, str | None)
        assert_type(followed.error, ProxyMeshError | None)
        assert_type(followed.running, bool)
    assert_type(proxy.using("me", "secret").scrapy_meta(), dict[str, str])
    assert_type(proxy.using("me", "secret").env(), dict[str, str])
    assert_type(proxy.using(client=client).headers(), dict[str, str])
    return [proxy.country or "" for proxy in pool.proxies]


def every_call(sandbox: Sandbox) -> None:
    asyncio.run(awaited(sandbox))
    with sandbox.client(timeout=5, max_retries=0) as client:
        assert_type(client, Client)
        sandbox.fault("status", method="GET", path="/api/proxies/", times=1, after=0, status=503, headers={"X": "y"})
        assert_type(caught(client), str)
        sub_accounts(client)
        access(client)
        tokens(client)
        geo(client)
        proxy = client.proxies.list()[0]
        assert_type(proxies(client), list[str])
        ip = LabeledIp("203.0.113.7", label="office")
        token = client.tokens.create()
        account = client.sub_accounts.create("bee")
        fields(account, proxy, ip, token)
        assert_type(last_mile(client), list[str])
        values: list[Model] = [account, proxy, ip, token, *client.tokens.list(), *sandbox.requests()]
        for value in values:
            assert_type(described(value), str)
    settings(sandbox)
    controls(sandbox)


def controls(sandbox: Sandbox) -> None:
    assert_type(sandbox.requests(), list[RecordedRequest])
    assert_type(sandbox.now, datetime)
    assert_type(sandbox.open_connections, int)
    assert_type(sandbox.base_url, str)
    assert_type(sandbox.username, str)
    assert_type(sandbox.password, str)
    assert_type(sandbox.book_usage("parent", 1), None)
    assert_type(sandbox.advance(1), None)
    assert_type(sandbox.clear_faults(), None)
    assert_type(sandbox.clear_requests(), None)
    assert_type(sandbox.reset(), None)
    assert_type(sandbox.stop(), None)
    with Sandbox(username="boss", password="secret", plan="10", host="127.0.0.1", port=0, keep_alive=5) as other:
        assert_type(other, Sandbox)
