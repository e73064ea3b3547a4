"""Makes a call by its name."""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path
from typing import Any

from proxymesh import AsyncClient, Client

ROOT = Path(__file__).resolve().parents[3]

_DOCUMENT = json.loads((ROOT / "sandbox/src/openapi.json").read_text(encoding="utf-8"))
_OPERATIONS = [operation for path in _DOCUMENT["paths"].values() for operation in path.values()]
CALLS = frozenset(operation["operationId"] for operation in _OPERATIONS)


def call(client: Client | AsyncClient, name: str, arguments: dict[str, Any]) -> Any:
    """Makes a call by its name. Awaits it if the client is an `AsyncClient`. Returns the result."""
    assert name in CALLS, name
    resource, verb = name.split(".")
    method = getattr(getattr(client, resource), verb)
    keywords = dict(arguments)
    parameters = inspect.signature(method).parameters.values()
    by_position = [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
    made = method(*[keywords.pop(name) for name in by_position], **keywords)
    return asyncio.run(made) if isinstance(client, AsyncClient) else made
