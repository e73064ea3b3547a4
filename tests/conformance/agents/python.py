"""The agent for Python: `python.py async|blocking`. ../README.md describes the protocol."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

import proxymesh
from proxymesh import AsyncClient, Client


class UnknownError(Exception):
    """The agent does not know something in a request."""


def plain(value: Any) -> Any:
    """A value in the form that the service uses."""
    match value:
        case list():
            return [plain(item) for item in value]
        case proxymesh.Proxy():
            return str(value)
        case proxymesh.SubAccount() | proxymesh.LabeledIp() | proxymesh.Token() | proxymesh.NewToken():
            return {name: plain(getattr(value, name)) for name in value.to_dict()}
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
    return value


def told(error: proxymesh.ProxyMeshError) -> dict[str, Any]:
    """All fields of the exception."""
    fields = {name for kind in type(error).__mro__ for name in inspect.get_annotations(kind)}
    return {
        "kind": type(error).__name__.removesuffix("Error"),
        "text": str(error),
        **{name: getattr(error, name) for name in fields},
    }


class Agent:
    """The clients by name. All are of the same kind."""

    def __init__(self, kind: Callable[..., Any]) -> None:
        self.kind = kind
        self.clients: dict[str, Any] = {}

    def make(self, question: dict[str, Any]) -> Callable[[], Any]:
        """A function that makes the requested call."""
        name, arguments = question["call"], dict(question["args"])
        resource, _, verb = name.partition(".")
        client = self.clients[question["client"]]
        if options := question.get("options"):
            client = client.with_options(**options)
        try:
            method = getattr(getattr(client, resource), verb)
            signature = inspect.signature(method)
            first = [one.name for one in signature.parameters.values() if one.kind is not one.KEYWORD_ONLY]
            positional = [arguments.pop(argument) for argument in first if argument in arguments]
            signature.bind(*positional, **arguments)
        except (AttributeError, TypeError) as error:
            raise UnknownError(f"{name}: {error}") from None
        return lambda: method(*positional, **arguments)

    def results(self, question: dict[str, Any]) -> list[Any]:
        """Makes the call as many times at once as requested."""
        times = question.get("at_once", 1)
        make = self.make(question)
        if self.kind is Client:
            with ThreadPoolExecutor(times) as threads:
                return [attempt(done.result) for done in [threads.submit(make) for _ in range(times)]]

        async def awaited() -> dict[str, Any]:
            try:
                return {"value": plain(await make())}
            except proxymesh.ProxyMeshError as error:
                return {"error": told(error)}

        async def gathered() -> list[dict[str, Any]]:
            return await asyncio.gather(*(awaited() for _ in range(times)))

        return asyncio.run(gathered())

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """The reply to one line."""
        match question:
            case {"open": name, "settings": settings}:
                try:
                    self.clients[name] = self.kind(**settings)
                except proxymesh.ProxyMeshError as error:
                    return {"error": told(error)}
                except TypeError as error:
                    raise UnknownError(str(error)) from None
            case {"reset": True}:
                self.clients.clear()
            case {"call": _}:
                try:
                    return {"results": self.results(question)}
                except proxymesh.ProxyMeshError as error:
                    return {"results": [{"error": told(error)}]}
            case _:
                raise UnknownError(f"{question}")
        return {}


def attempt(get: Callable[[], Any]) -> dict[str, Any]:
    """The result of a call."""
    try:
        return {"value": plain(get())}
    except proxymesh.ProxyMeshError as error:
        return {"error": told(error)}


def main() -> None:
    agent = Agent({"async": AsyncClient, "blocking": Client}[sys.argv[1]])
    for line in sys.stdin:
        try:
            answer = agent.answer(json.loads(line))
        except UnknownError as error:
            answer = {"unknown": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
