"""The tables that every language runs (tests/README.md), and any call by its name."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import proxymesh
from proxymesh import AsyncClient, Client

ROOT = Path(__file__).resolve().parents[3]

CALLS = frozenset(
    f"{resource}.{verb}"
    for resource, verbs in {
        "sub_accounts": "create edit get activate deactivate delete",
        "ips": "add delete list labels",
        "hostnames": "add delete list",
        "proxies": "list add delete",
        "tokens": "list create activate deactivate delete",
        "geo": "open world",
    }.items()
    for verb in verbs.split()
)

# What Python takes by position; all else is by keyword.
_POSITIONAL = {
    **dict.fromkeys((call for call in CALLS if call.startswith("sub_accounts.")), "username"),
    **dict.fromkeys(("ips.add", "ips.delete"), "ip"),
    **dict.fromkeys(("hostnames.add", "hostnames.delete"), "domain"),
    **dict.fromkeys(("proxies.add", "proxies.delete"), "proxy"),
    **dict.fromkeys(("tokens.activate", "tokens.deactivate", "tokens.delete"), "id"),
}

Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    """The rows of `tests/tables/NAME.json`, their arguments written out."""
    table: list[Row] = json.loads((ROOT / f"tests/tables/{name}.json").read_text(encoding="utf-8"))
    for row in table:
        row["args"] = {name: written_out(value) for name, value in row.get("args", {}).items()}
    return table


def row_id(row: Row) -> str:
    """How pytest names a row; a number of pytest's tells those with the same name apart."""
    return str(row["call"])


def written_out(value: Any) -> Any:
    """`{"repeat": ["x", 3]}` is `"xxx"`; `{"join": […]}` is its parts one after another."""
    match value:
        case {"repeat": [str(text), int(times)], **rest} if not rest:
            return text * times
        case {"join": list(parts), **rest} if not rest:
            return "".join(written_out(part) for part in parts)
        case dict():
            raise AssertionError(f"there is no such value form: {value}")
    return value


def call(client: Client | AsyncClient, name: str, arguments: dict[str, Any]) -> Any:
    """Makes a call by its name, and awaits it if need be; what it gives, as a value of the package."""
    assert name in CALLS, name
    resource, verb = name.split(".")
    keywords = dict(arguments)
    positional = [keywords.pop(_POSITIONAL[name])] if name in _POSITIONAL else []
    made = getattr(getattr(client, resource), verb)(*positional, **keywords)
    return asyncio.run(made) if isinstance(client, AsyncClient) else made


def plain(value: Any) -> Any:
    """A value of the package as the tables write it."""
    match value:
        case list():
            return [plain(item) for item in value]
        case proxymesh.Proxy():
            return str(value)
        case proxymesh.SubAccount() | proxymesh.LabeledIp() | proxymesh.Token() | proxymesh.NewToken():
            return {name: plain(getattr(value, name)) for name in value.to_dict()}
        case datetime():
            assert value.tzinfo is timezone.utc
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
    return value
