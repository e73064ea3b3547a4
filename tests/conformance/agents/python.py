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

CREATES = ("proxies.pool", "ips.authorized", "ips.follow")
STATS = ("handed_out", "successes", "failures", "bytes", "latency", "cooling")
CHECK = ("ok", "reachable", "status", "exit_ip", "preferred_ip_is_gone", "error", "meaning")


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


def described(arguments: dict[str, Any]) -> proxymesh.Proxy:
    """The proxy that the arguments describe."""
    proxy = proxymesh.Proxy(arguments.pop("proxy"), arguments.pop("port", None))
    if credentials := {name: arguments.pop(name) for name in ("username", "password", "token") if name in arguments}:
        proxy = proxy.using(**credentials)
    if arguments.pop("rotating", False):
        proxy = proxy.rotating()
    choices = ("country", "prefer_ip", "hold_ip", "not_ip")
    if exit_choice := {name: arguments.pop(name) for name in choices if name in arguments}:
        proxy = proxy.steer(**exit_choice)
    return proxy


def shown(proxy: proxymesh.Proxy) -> dict[str, Any]:
    """A proxy with everything that is sent to it."""
    shown: dict[str, Any] = {"proxy": str(proxy), "headers": proxy.headers()}
    if proxy.is_rotating:
        shown["rotating"] = True
    if proxy.held_ip:
        shown["held_ip"] = proxy.held_ip
    return shown


class Agent:
    """The clients by name, and what they have created. All clients are of the same kind."""

    def __init__(self, kind: Callable[..., Any]) -> None:
        self.kind = kind
        self.clients: dict[str, Any] = {}
        self.objects: dict[str, Any] = {}
        # A follower of an AsyncClient needs its event loop until it is closed.
        self.loop = asyncio.new_event_loop()

    def run(self, made: Any) -> Any:
        """The result of a call, awaited if necessary."""
        return self.loop.run_until_complete(made) if inspect.isawaitable(made) else made

    def of_object(self, call: str, question: dict[str, Any]) -> Any:
        """Makes a call that creates an object or is one of an object's, or that needs no client."""
        arguments, name = dict(question["args"]), question.get("object", "main")
        match call:
            case "proxies.pool":
                if "countries" in arguments:
                    arguments["country"] = arguments.pop("countries")
                self.objects[name] = self.clients[question["client"]].proxies.pool(**arguments)
                return None
            case "ips.authorized" | "ips.follow":
                ips = self.clients[question["client"]].ips
                held = getattr(ips, call.removeprefix("ips."))(**arguments)
                entered = self.run(held.__enter__() if self.kind is Client else held.__aenter__())
                self.objects[name] = held
                return entered if call == "ips.authorized" else held.ip
            case "lease.release" | "follower.close":
                held = self.objects.pop(name)
                self.run(held.__exit__(None, None, None) if self.kind is Client else held.__aexit__(None, None, None))
                return None
            case "pool.get":
                if "countries" in arguments:
                    arguments["country"] = arguments.pop("countries")
                return shown(self.run(self.objects[name].get(**arguments)))
            case "pool.session":
                if "countries" in arguments:
                    arguments["country"] = arguments.pop("countries")
                return shown(self.run(self.objects[name].session(**arguments)))
            case "pool.report":
                outcome = arguments.pop("status") if "status" in arguments else arguments.pop("succeeded")
                return self.objects[name].report(proxymesh.Proxy(arguments.pop("proxy")), outcome, **arguments)
            case "pool.stats":
                return [
                    {"proxy": str(proxy), **{field: getattr(stats, field) for field in STATS}}
                    for proxy, stats in self.objects[name].stats().items()
                ]
            case "proxy.of":
                proxy = described(arguments)
                fields = ("name", "country", "chooses_country")
                plain_url = proxy.using().url()
                return {**shown(proxy), **{name: getattr(proxy, name) for name in fields}, "plain_url": plain_url}
            case "proxy.url":
                return described(arguments).url()
            case "proxy.rotating":
                return shown(described(arguments).rotating())
            case "proxy.session":
                proxy = described(arguments)
                session = proxy.session if self.kind is Client else proxy.asession
                return shown(self.run(session(**arguments)))
            case "proxy.check":
                proxy = described(arguments)
                check = self.run(proxy.check(**arguments) if self.kind is Client else proxy.acheck(**arguments))
                return {field: getattr(check, field) for field in CHECK}
        raise UnknownError(call)

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
        call = question["call"]
        if call in CREATES or call.split(".")[0] in ("pool", "lease", "follower", "proxy"):
            return [attempt(lambda: self.of_object(call, question))]
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

        return self.loop.run_until_complete(gathered())

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
                self.objects.clear()
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
