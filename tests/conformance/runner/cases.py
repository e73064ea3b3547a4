"""Runs the cases of `tests/conformance/*.json` on a surface."""

from __future__ import annotations

import base64
import copy
import errno
import json
import math
import os
import time
import unicodedata
import urllib.parse
from pathlib import Path
from typing import Any

from answering import Answering
from surface import SECRETS, Surface

from sandbox import PASSWORD, ROOT, USERNAME, Sandbox

HERE = Path(__file__).resolve().parents[1]
VERSION = next(
    line.split('"')[1] for line in (ROOT / "Cargo.toml").read_text(encoding="utf-8").splitlines() if "version =" in line
)
Case = dict[str, Any]
Step = dict[str, Any]


class Failure(Exception):
    """What happened is not what the case expects."""


def load() -> dict[str, list[Case]]:
    """All cases by the name of their file."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.json"))}


def filled(value: Any, saved: dict[str, Any]) -> Any:
    """The value with each `{name}` replaced by what was saved under that name, and with all value forms expanded."""
    match value:
        case {"repeat": [str(text), int(times)], **rest} if not rest:
            return text * times
        case {"join": list(parts), **rest} if not rest:
            return "".join(filled(part, saved) for part in parts)
        case dict():
            return {key: filled(inner, saved) for key, inner in value.items()}
        case list():
            return [filled(inner, saved) for inner in value]
        case str():
            for name, found in saved.items():
                if value == f"{{{name}}}":
                    return found
                value = value.replace(f"{{{name}}}", str(found))
    return value


def matches(expected: Any, found: Any) -> bool:
    """Whether they are equal. `{"any": "text"}` matches any text, `{"about": 300}` a number above 240 and up to 300."""
    match expected:
        case {"any": str(kind), **rest} if not rest:
            kinds: dict[str, type | tuple[type, ...]] = {"text": str, "number": (int, float), "boolean": bool}
            return isinstance(found, kinds[kind])
        case {"about": int(most), **rest} if not rest:
            return isinstance(found, (int, float)) and most - 60 < found <= most
        case dict():
            return (
                isinstance(found, dict)
                and expected.keys() == found.keys()
                and all(matches(expected[key], found[key]) for key in expected)
            )
        case list():
            return (
                isinstance(found, list)
                and len(expected) == len(found)
                and all(matches(one, other) for one, other in zip(expected, found, strict=True))
            )
        case bool() | None:
            return expected is found
        case int() | float():
            return isinstance(found, (int, float)) and not isinstance(found, bool) and expected == found
    return bool(expected == found)


class Run:
    """One case on one surface, with its own server."""

    def __init__(self, surface: Surface, case: Case, *, record: bool = False) -> None:
        self.surface, self.case, self.record = surface, copy.deepcopy(case), record
        # The message of this operating system.
        reset = f"{os.strerror(errno.ECONNRESET)} (os error {errno.ECONNRESET})"
        self.saved: dict[str, Any] = {"reset": reset}
        self.settings: dict[str, dict[str, Any]] = {}
        self.server: Answering | Sandbox

    @property
    def sandbox(self) -> Sandbox:
        assert isinstance(self.server, Sandbox)
        return self.server

    def __call__(self) -> Case:
        """Runs the case. Returns it, completed with the results if they are to be recorded."""
        if any("answer" in step for step in self.case["steps"]):
            with Answering() as self.server, Answering() as elsewhere:
                password = self.case.get("client", {}).get("password", PASSWORD)
                # Cases use this inside a JSON string.
                self.saved["password"] = json.dumps(password, ensure_ascii=False)[1:-1]
                self.saved["elsewhere"] = elsewhere.base_url
                self.steps()
                if elsewhere.connections:
                    raise Failure("a redirect was followed")
        else:
            with Sandbox(**self.case.get("sandbox", {})) as self.server:
                for line in self.case.get("given", []):
                    self.sandbox.given(line)
                self.sandbox.control("DELETE", "requests")
                self.steps()
        return self.case

    def steps(self) -> None:
        """Runs all steps, one after another."""
        self.saved["base_url"] = self.server.base_url
        for number, step in enumerate(self.case["steps"], 1):
            clients = [step["open"]] if "open" in step else step.get("client", "main")
            for client in clients if isinstance(clients, list) else [clients]:
                try:
                    self.step(step, client)
                except Failure as failure:
                    raise Failure(f"step {number}, {step.get('call') or step}: {failure}") from None
        self.surface.ask({"reset": True})

    def step(self, step: Step, name: str) -> None:
        """Runs one step with the client of this name."""
        if isinstance(self.server, Answering):
            self.server.answer = filled(step.get("answer", {"close": True}), self.saved)
        elif "control" in step:
            self.sandbox.control("POST", step["control"], step["body"])
            return
        for fault in step.get("faults", []):
            self.sandbox.control("POST", "faults", filled(fault, self.saved))
        answer = {} if name in self.settings else self.make(name)
        if "open" in step or "error" in answer:
            self.check(step, name, [answer])
            return
        question = {"call": step["call"], "client": name, "args": filled(step.get("args", {}), self.saved)}
        question |= {key: step[key] for key in ("options", "at_once", "object") if key in step}
        began = time.monotonic()
        results = self.surface.ask(question)["results"]
        seconds = time.monotonic() - began
        if len(results) != step.get("at_once", 1):
            raise Failure(f"{len(results)} results")
        if seconds > step.get("within", math.inf):
            raise Failure(f"it took {seconds:.1f} s, not at most {step['within']} s")
        if seconds < step.get("at_least", 0):
            raise Failure(f"it took {seconds:.1f} s, not at least {step['at_least']} s")
        self.check(step, name, results)
        self.settle(step, results[0])

    def make(self, name: str) -> dict[str, Any]:
        """Creates a client with the settings of the case."""
        settings = self.case.get("clients", {}).get(name, self.case.get("client", {}) if name == "main" else None)
        if settings is None:
            raise Failure(f"there are no settings for the client {name}")
        usual = {} if "token" in settings else {"username": USERNAME, "password": PASSWORD}
        settings = filled({"base_url": self.server.base_url, **usual, **settings}, self.saved)
        settings = {key: value for key, value in settings.items() if value is not None}
        answer = self.surface.ask({"open": name, "settings": settings})
        if "error" not in answer:
            self.settings[name] = settings
        return answer

    def settle(self, step: Step, result: dict[str, Any]) -> None:
        """Checks that all faults were met, and saves what later steps need."""
        if step.get("faults"):
            if waiting := [fault for fault in self.sandbox.control("GET", "faults") if fault["times"]]:
                raise Failure(f"faults were not met: {waiting}")
            self.sandbox.control("DELETE", "faults")
        for saved, pointer in step.get("save", {}).items():
            value = result["value"]
            for key in pointer.split("/")[1:]:
                value = value[int(key)] if isinstance(value, list) else value[key]
            self.saved[saved] = value

    def check(self, step: Step, client: str, results: list[dict[str, Any]]) -> None:
        """Compares the results of the step with what it expects."""
        arrived = self.arrived(client)
        if self.record and "open" not in step:
            step.setdefault("wire", arrived)
        if self.record and not step.keys() & {"value", "error", "one_of"}:
            different = []
            for found in map(recorded, results):
                if found not in different:
                    different.append(found)
            step.update(different[0] if len(different) == 1 else {"one_of": different})
        expected = step.get("one_of") or [{key: step[key] for key in ("value", "error") if key in step}]
        for found in results:
            wanted = [self.as_said(one, found) for one in expected]
            if not any(matches(one, found) for one in wanted):
                raise Failure(
                    f"expected {json.dumps(wanted, ensure_ascii=False)}, found {json.dumps(found, ensure_ascii=False)}"
                )
            told = json.dumps(found, ensure_ascii=False)
            shows_token = isinstance(found.get("value"), dict) and "token" in found["value"]
            if not shows_token and any(secret in told for secret in SECRETS):
                raise Failure("a secret is shown")
            self.check_size(found.get("error") or {})
        if arrived != filled(step.get("wire", []), self.saved):
            raise Failure(f"on the wire: expected {step.get('wire', [])}, found {arrived}")

    def check_size(self, error: dict[str, Any]) -> None:
        """Checks that the error does not quote a huge input or response in full, and has no control characters."""
        text = error.get("text", "")
        if len(text) > (200 if "field" in error else 1024) or len(error.get("body", "").encode()) > 4096:
            raise Failure("the error is too long")
        if any(unicodedata.category(char) == "Cc" for char in text):
            raise Failure("the error has a control character")

    def arrived(self, client: str) -> list[str]:
        """The requests of a step, each as `METHOD TARGET[ FORM]`."""
        if isinstance(self.server, Sandbox):
            return self.server.arrived()
        requests = self.server.requests()
        for request in requests:
            settings = self.settings[client]
            expected = {
                "accept": "application/json",
                "authorization": authorization(settings),
                "host": urllib.parse.urlsplit(settings["base_url"]).netloc,
                "user-agent": f"proxymesh-{self.surface.language}/{VERSION}",
            }
            if request.line.startswith("POST "):
                expected["content-type"] = "application/x-www-form-urlencoded"
                expected["content-length"] = str(len(request.body))
            if request.headers != expected:
                # Their values include the credentials.
                differ = {name for name, _ in expected.items() ^ request.headers.items()}
                raise Failure(f"these headers differ: {sorted(differ)}")
        return [str(request) for request in requests]

    def as_said(self, expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        """The expected result with saved values filled in. Its wait is the actual one, which varies from run to run."""
        wait = (found.get("error") or {}).get("retry_after")
        return dict(filled(expected, self.saved | ({"retry_after": math.ceil(wait)} if wait else {})))


def authorization(settings: dict[str, Any]) -> str:
    """The header with which a client with these settings authenticates."""
    if "token" in settings:
        return f"Bearer {settings['token']}"
    return f"Basic {base64.b64encode('{username}:{password}'.format(**settings).encode()).decode()}"


def recorded(found: Any) -> Any:
    """The result as a case should expect it. Values that differ from run to run become patterns."""
    match found:
        case {"error": {"kind": "AuthenticationBlocked", "retry_after": float(wait), "text": text} as error}:
            text = text.replace(f"{math.ceil(wait)} s", "{retry_after} s")
            return {"error": {**error, "text": text, "retry_after": {"about": math.ceil(wait)}}}
        case {"error": {"retry_after": float(wait), "text": text} as error} if wait > 86400:  # Retry-After was a date
            text = text.replace(f"{math.ceil(wait)} s", "{retry_after} s")
            return {"error": {**error, "text": text, "retry_after": {"any": "number"}}}
        case {"error": {"kind": "PoolExhausted", "retry_after": float(wait), "text": text} as error} if wait:
            text = text.replace(f"{math.ceil(wait)} s", "{retry_after} s")
            return {"error": {**error, "text": text, "reason": text, "retry_after": {"about": math.ceil(wait)}}}
        case dict():
            differs = {"created_at", "token"} if {"is_active"} <= found.keys() else set()
            return {key: {"any": "text"} if key in differs else recorded(value) for key, value in found.items()}
        case list():
            return [recorded(value) for value in found]
    return found


def written(cases: list[Case]) -> str:
    """The text of a file with these cases, with one step per line."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    made = []
    for case in cases:
        head = [f'    "{key}": {line(value)}' for key, value in case.items() if key != "steps"]
        steps = ",\n".join(f"      {line(step)}" for step in case["steps"])
        made.append("  {\n" + ",\n".join([*head, f'    "steps": [\n{steps}\n    ]']) + "\n  }")
    return "[\n" + ",\n".join(made) + "\n]\n"
