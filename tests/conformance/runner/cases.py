"""The cases of `tests/conformance/*.json`, run by one surface."""

from __future__ import annotations

import base64
import copy
import errno
import itertools
import json
import math
import os
import random
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from proxymesh.sandbox import Sandbox
from surface import SECRETS, Surface

HERE = Path(__file__).resolve().parents[1]
USERNAME, PASSWORD = "me+1@ex.com", "canary-password-7f3a91"
Case = dict[str, Any]
Step = dict[str, Any]


# Below those that the system chooses by itself.
_ports = itertools.count(random.randrange(15_000, 18_000))


def new_sandbox(**options: Any) -> Sandbox:
    """A sandbox on a port that no other one had. Agents live on, and on a port used again the auth gate would remember
    the failed authentications of the sandbox before."""
    while True:
        try:
            return Sandbox(port=next(_ports), **options)
        except OSError:  # another process has it
            continue


class Failure(Exception):
    """What a case says is not what happened."""


def load() -> dict[str, list[Case]]:
    """All cases, by the name of their file."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.json"))}


def request(sandbox: Sandbox, line: str) -> None:
    """Makes `METHOD TARGET[ FORM]` as the parent, without the SDK."""
    method, target, *form = line.split(" ")
    made = urllib.request.Request(sandbox.base_url + target, data=form[0].encode() if form else None, method=method)
    token = base64.b64encode(f"{sandbox.username}:{sandbox.password}".encode()).decode()
    made.add_header("Authorization", f"Basic {token}")
    with urllib.request.urlopen(made, timeout=20) as answer:
        answer.read()


def control(sandbox: Sandbox, method: str, name: str, body: Any = None) -> Any:
    """What `/_sandbox/NAME` answers."""
    sent = None if body is None else json.dumps(body).encode()
    made = urllib.request.Request(f"{sandbox.base_url}/_sandbox/{name}", data=sent, method=method)
    with urllib.request.urlopen(made, timeout=20) as answer:
        return json.load(answer)


def wire(sandbox: Sandbox) -> list[str]:
    """What has arrived since this was asked last, as `METHOD TARGET[ FORM]`, and who sent it, if not the usual one."""
    lines = []
    for arrived in control(sandbox, "GET", "requests"):
        query, form = (urllib.parse.urlencode([*map(tuple, arrived[part])], safe="*") for part in ("query", "form"))
        line = f"{arrived['method']} {arrived['path']}{'?' + query if query else ''}{' ' + form if form else ''}"
        who = " ".join(arrived["auth"].values())
        lines.append(line if who == f"basic {USERNAME}" else f"{line} ({who})")
    control(sandbox, "DELETE", "requests")
    return lines


def filled(value: Any, saved: dict[str, Any]) -> Any:
    """The value with `{name}` replaced by what was saved under the name."""
    match value:
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
    """Equal, where `{"any": …}` is any such value, and `{"about": 300}` a number at most that, and not 60 less."""
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
    """One case on one surface, with a sandbox of its own."""

    def __init__(self, surface: Surface, case: Case, *, record: bool = False) -> None:
        self.surface, self.case, self.record = surface, copy.deepcopy(case), record
        # As each system says it.
        reset = f"{os.strerror(errno.ECONNRESET)} (os error {errno.ECONNRESET})"
        self.saved: dict[str, Any] = {"reset": reset}
        self.open: set[str] = set()

    def __call__(self) -> Case:
        """Runs it. Gives the case, with what was found where it is recorded."""
        options = {"username": USERNAME, "password": PASSWORD, **self.case.get("sandbox", {})}
        with new_sandbox(**options) as self.sandbox:
            self.saved["base_url"] = self.sandbox.base_url
            for line in self.case.get("given", []):
                if line.startswith("usage "):
                    _, username, gigabytes = line.split(" ")
                    self.sandbox.book_usage(username, float(gigabytes))
                else:
                    request(self.sandbox, line)
            control(self.sandbox, "DELETE", "requests")
            for number, step in enumerate(self.case["steps"], 1):
                try:
                    self.step(step)
                except Failure as failure:
                    raise Failure(f"step {number}, {step.get('call') or step}: {failure}") from None
            self.surface.ask({"reset": True})
        return self.case

    def step(self, step: Step) -> None:
        """One step."""
        name = step.get("open") or step.get("client", "main")
        if "control" in step:
            control(self.sandbox, "POST", step["control"], step["body"])
            return
        for fault in step.get("faults", []):
            control(self.sandbox, "POST", "faults", filled(fault, self.saved))
        answer = {} if name in self.open else self.make(name)
        if "open" in step or "error" in answer:
            self.check(step, [answer])
            return
        question = {"call": step["call"], "client": name, "args": filled(step.get("args", {}), self.saved)}
        question |= {key: step[key] for key in ("options", "at_once") if key in step}
        began = time.monotonic()
        results = self.surface.ask(question)["results"]
        seconds = time.monotonic() - began
        if len(results) != step.get("at_once", 1):
            raise Failure(f"{len(results)} results")
        if seconds > step.get("within", math.inf):
            raise Failure(f"it took {seconds:.1f} s, not at most {step['within']} s")
        if seconds < step.get("at_least", 0):
            raise Failure(f"it took {seconds:.1f} s, not at least {step['at_least']} s")
        self.check(step, results)
        self.settle(step, results[0])

    def make(self, name: str) -> dict[str, Any]:
        """Makes a client as the case says."""
        settings = self.case.get("clients", {}).get(name, self.case.get("client", {}) if name == "main" else None)
        if settings is None:
            raise Failure(f"there are no settings for the client {name}")
        usual = {} if "token" in settings else {"username": USERNAME, "password": PASSWORD}
        settings = filled({"base_url": self.sandbox.base_url, **usual, **settings}, self.saved)
        settings = {key: value for key, value in settings.items() if value is not None}
        answer = self.surface.ask({"open": name, "settings": settings})
        if "error" not in answer:
            self.open.add(name)
        return answer

    def settle(self, step: Step, result: dict[str, Any]) -> None:
        """The faults must have been met; what is to be saved is."""
        if waiting := [fault for fault in control(self.sandbox, "GET", "faults") if fault["times"]]:
            raise Failure(f"faults were not met: {waiting}")
        if step.get("faults"):
            control(self.sandbox, "DELETE", "faults")
        for saved, pointer in step.get("save", {}).items():
            value = result["value"]
            for key in pointer.split("/")[1:]:
                value = value[int(key)] if isinstance(value, list) else value[key]
            self.saved[saved] = value

    def check(self, step: Step, results: list[dict[str, Any]]) -> None:
        arrived = wire(self.sandbox)
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
            if "token" not in (found.get("value") or ()) and any(secret in told for secret in SECRETS):
                raise Failure("a secret is told")
        if arrived != filled(step.get("wire", []), self.saved):
            raise Failure(f"on the wire: expected {step.get('wire', [])}, found {arrived}")

    def as_said(self, expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
        """What is expected, with what was saved, and with the wait that was found, which differs from run to run."""
        wait = (found.get("error") or {}).get("retry_after")
        return dict(filled(expected, self.saved | ({"retry_after": math.ceil(wait)} if wait else {})))


def recorded(found: Any) -> Any:
    """A result as a case should expect it: what differs from run to run is any value."""
    match found:
        case {"error": {"kind": "AuthenticationBlocked", "retry_after": float(wait), "text": text} as error}:
            text = text.replace(f"{math.ceil(wait)} s", "{retry_after} s")
            return {"error": {**error, "text": text, "retry_after": {"about": math.ceil(wait)}}}
        case {"error": {"retry_after": float(wait), "text": text} as error} if wait > 86400:  # until a date
            text = text.replace(f"{math.ceil(wait)} s", "{retry_after} s")
            return {"error": {**error, "text": text, "retry_after": {"any": "number"}}}
        case dict():
            differs = {"created_at", "token"} if {"is_active"} <= found.keys() else set()
            return {key: {"any": "text"} if key in differs else recorded(value) for key, value in found.items()}
        case list():
            return [recorded(value) for value in found]
    return found


def written(cases: list[Case]) -> str:
    """The cases as their files have them: one step a line."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    made = []
    for case in cases:
        head = [f'    "{key}": {line(value)}' for key, value in case.items() if key != "steps"]
        steps = ",\n".join(f"      {line(step)}" for step in case["steps"])
        made.append("  {\n" + ",\n".join([*head, f'    "steps": [\n{steps}\n    ]']) + "\n  }")
    return "[\n" + ",\n".join(made) + "\n]\n"
