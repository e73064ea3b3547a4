"""The tables that every language runs (tests/README.md), and any call by its name."""

from __future__ import annotations

import asyncio
import inspect
import json
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import proxymesh
from proxymesh import AsyncClient, Client

ROOT = Path(__file__).resolve().parents[3]

_DOCUMENT = json.loads((ROOT / "sandbox/src/openapi.json").read_text(encoding="utf-8"))
_OPERATIONS = [operation for path in _DOCUMENT["paths"].values() for operation in path.values()]
CALLS = frozenset(operation["operationId"] for operation in _OPERATIONS)
BASIC_ONLY = frozenset(
    operation["operationId"] for operation in _OPERATIONS if operation.get("security") == [{"basic": []}]
)
WITHOUT_INPUT = frozenset(
    operation["operationId"] for operation in _OPERATIONS if not operation.keys() & {"parameters", "requestBody"}
)

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
    method = getattr(getattr(client, resource), verb)
    keywords = dict(arguments)
    parameters = inspect.signature(method).parameters.values()
    by_position = [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
    made = method(*[keywords.pop(name) for name in by_position], **keywords)
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
