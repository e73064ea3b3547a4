"""The fault matrix: makes every call on every surface with every fault of the sandbox, once and repeatedly. It also
makes the first calls with new credentials during an outage, and many calls at once with credentials that were just
revoked.

It asks the sandbox, not the SDK, whether these rules hold:

* No write is carried out twice.
* No success is reported for a write that was not carried out, and every result is correct.
* No failure is reported for a write that was carried out, except as OutcomeUnknown.
* No call takes longer than its time limits.
* A pool fetches its list like any other call, and a lease that is reported as entered has authorised its IP.
* Whatever happens to a lease, the next lease of the same IP removes what is left of it.
* After an outage, the next call succeeds as soon as the back-off is over.
* Of many calls with revoked credentials, the service gets at most one per connection.
* No secret is shown.

The report is target/conformance/report.md. `--slice N` takes every Nth combination.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import cases
from surface import SECRETS, SURFACES, Surface

from sandbox import PASSWORD, ROOT, USERNAME, Sandbox

OUT = ROOT / "target/conformance"
TIMEOUT, RETRIES = 0.4, 1
# Two attempts and the wait between them, and the same again to read back the result of a write. The rest is tolerance
# for a slow machine.
LONGEST = 2 * ((RETRIES + 1) * TIMEOUT + 0.5) + 2.0

FAULTS: dict[str, dict[str, Any]] = {
    "status 500": {"kind": "status", "status": 500},
    "status 503": {"kind": "status", "status": 503},
    "status 400": {"kind": "status", "status": 400, "body": {"error": "no"}},
    "status 403": {"kind": "status", "status": 403},
    "status 404": {"kind": "status", "status": 404},
    "status 429": {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}},
    "redirect": {"kind": "redirect", "location": "https://elsewhere.example/"},
    "drop": {"kind": "drop"},
    "reset": {"kind": "reset"},
    "delay": {"kind": "delay", "seconds": 1.0},
    "delay_after_apply": {"kind": "delay_after_apply", "seconds": 1.0},
    "drop_after_apply": {"kind": "drop_after_apply"},
    "truncate": {"kind": "truncate"},
    "garbage": {"kind": "garbage"},
    "wrong_type": {"kind": "wrong_type"},
    "wrong_type inside": {"kind": "wrong_type", "inside": True},
    "html": {"kind": "html"},
    "empty": {"kind": "empty"},
    "huge": {"kind": "huge"},
    "drip": {"kind": "drip", "seconds": 0.05},
    "close_idle": {"kind": "close_idle", "seconds": 0.0},
}

# With these faults, a call gets no response, or one that does not show whether its credentials are right.
OUTAGES = ["drop", "reset", "delay", "delay_after_apply", "drop_after_apply", "truncate", "garbage", "drip"]
OUTAGE, REVOKED = "outage at start", "revoked under load"
# Calls in an outage take seconds, so each surface makes a quarter of them. Every call is made on two surfaces.
QUARTERS = 4
# The delay before the gate tries again after the attempts of one call (it doubles each time), plus 1 s. The rest is
# tolerance for a slow machine.
BACK = 2.0 + 1.0 + 2.0
# After a call has given up, its request still waits this long for the response. A dripping response never ends.
GOES_ON = 5.0
CONNECTIONS, LOAD = 100, 150
POOL, LEASE = "pool.get", "ips.authorized"
# A pool with a country makes three calls. Entering and releasing a lease take at most three each.
LONGEST_OF_MANY = 3 * LONGEST

SUB = "POST /api/sub/create/ username=crawler-1"
TOKEN = "POST /api/token/create/ label=x"
State = Any


class Trial(NamedTuple):
    """A call, the requests that come before it, and for a write, a check that it was carried out."""

    call: str
    arguments: dict[str, Any]
    given: list[str]
    done: Callable[[Look], bool] | None = None


class Look:
    """The account's state in the service, read without the SDK."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def get(self, target: str) -> Any:
        return self.sandbox.call(f"GET {target}")

    def sub(self, username: str) -> Any:
        return self.get(f"/api/sub/get/?username={username}")

    def token(self) -> Any:
        return next(iter(self.get("/api/tokens/")["tokens"]), None)


WRITTEN = [
    Trial("sub_accounts.create", {"username": "new"}, [], lambda look: look.sub("new") != 404),
    Trial(
        "sub_accounts.edit",
        {"username": "crawler-1", "monthly_limit": 7},
        [SUB],
        lambda look: look.sub("crawler-1")["monthly_bandwidth_limit"] == 7,
    ),
    Trial("sub_accounts.get", {"username": "crawler-1"}, [SUB]),
    Trial(
        "sub_accounts.activate",
        {"username": "crawler-1"},
        [SUB, "POST /api/sub/deactivate/ username=crawler-1"],
        lambda look: look.sub("crawler-1")["active"],
    ),
    Trial(
        "sub_accounts.deactivate", {"username": "crawler-1"}, [SUB], lambda look: not look.sub("crawler-1")["active"]
    ),
    Trial("sub_accounts.delete", {"username": "crawler-1"}, [SUB], lambda look: look.sub("crawler-1") == 404),
    Trial(
        "ips.add", {"ip": "203.0.113.7", "label": "x"}, [], lambda look: "203.0.113.7" in look.get("/api/ips/")["ips"]
    ),
    Trial(
        "ips.delete",
        {"ip": "203.0.113.7"},
        ["POST /api/ip/add/ ip=203.0.113.7"],
        lambda look: "203.0.113.7" not in look.get("/api/ips/")["ips"],
    ),
    Trial("ips.list", {}, ["POST /api/ip/add/ ip=203.0.113.7"]),
    Trial("ips.labels", {}, ["POST /api/ip/add/ ip=203.0.113.7"]),
    Trial(
        "hostnames.add",
        {"domain": "a.example.com"},
        [],
        lambda look: "a.example.com" in look.get("/api/hostnames/")["domains"],
    ),
    Trial(
        "hostnames.delete",
        {"domain": "a.example.com"},
        ["POST /api/hostname/add/ domain=a.example.com"],
        lambda look: "a.example.com" not in look.get("/api/hostnames/")["domains"],
    ),
    Trial("hostnames.list", {}, ["POST /api/hostname/add/ domain=a.example.com"]),
    Trial(
        "proxies.add",
        {"proxy": "us-wa"},
        [],
        lambda look: any("us-wa" in proxy for proxy in look.get("/api/proxies/")["proxies"]),
    ),
    Trial(
        "proxies.delete",
        {"proxy": "us-ca"},
        [],
        lambda look: not any("us-ca" in proxy for proxy in look.get("/api/proxies/")["proxies"]),
    ),
    Trial("tokens.list", {}, [TOKEN]),
    Trial("tokens.create", {"label": "x"}, [], lambda look: look.token() is not None),
    Trial(
        "tokens.activate",
        {"id": 1},
        [TOKEN, "POST /api/token/deactivate/ id=1"],
        lambda look: look.token()["is_active"],
    ),
    Trial("tokens.deactivate", {"id": 1}, [TOKEN], lambda look: not look.token()["is_active"]),
    Trial("tokens.delete", {"id": 1}, [TOKEN], lambda look: look.token() is None),
]


def read_only() -> list[Trial]:
    """The reads that need no state and no arguments, from the service's OpenAPI description."""
    paths = json.loads((ROOT / "sandbox/src/openapi.json").read_text(encoding="utf-8"))["paths"].values()
    calls = {path["get"]["operationId"] for path in paths if "get" in path}
    return [Trial(call, {}, []) for call in sorted(calls - {trial.call for trial in WRITTEN})]


TRIALS = [*WRITTEN, *read_only()]
ONCE = {"sub_accounts.create", "tokens.create"}


class Outcome(NamedTuple):
    """What a call reported, and the rules that it broke."""

    reported: str
    seconds: float
    broken: list[str]


def attempt(surface: Surface, trial: Trial, fault: dict[str, Any] | None, times: int) -> tuple[Outcome, dict[str, Any]]:
    """Makes one call with one fault, in its own sandbox."""
    with Sandbox() as sandbox:
        for line in trial.given:
            sandbox.given(line)
        surface.ask({"open": "main", "settings": settings(sandbox)})
        # After this call, the gate knows that the credentials are right.
        surface.ask({"call": "geo.open", "client": "main", "args": {}})
        sandbox.control("DELETE", "requests")
        if fault:
            sandbox.control("POST", "faults", {**fault, "times": times})
        began = time.monotonic()
        (result,) = surface.ask({"call": trial.call, "client": "main", "args": trial.arguments})["results"]
        seconds = time.monotonic() - began
        sandbox.control("DELETE", "faults")
        arrived = sandbox.control("GET", "requests")
        look = Look(sandbox)
        done = trial.done and trial.done(look)
        broken = []
        if trial.call in ONCE:
            writes = [one for one in arrived if one["method"] == "POST" and one["status"] != 429]
            if len(writes) > 1:
                broken.append(f"sent {len(writes)} times")
            if trial.call == "tokens.create" and len(look.get("/api/tokens/")["tokens"]) > 1:
                broken.append("carried out twice")
        reported = result["error"]["kind"] if "error" in result else "success"
        if trial.done:
            if reported == "success" and not done:
                broken.append("success is reported, but the write was not carried out")
            if reported not in {"success", "OutcomeUnknown"} and done:
                broken.append(f"{reported} is reported, but the write was carried out")
        if seconds > LONGEST:
            broken.append(f"it took {seconds:.1f} s")
        told = json.dumps(result, ensure_ascii=False)
        if any(secret in told for secret in SECRETS):
            broken.append("a secret is shown")
        surface.ask({"reset": True})
    return Outcome(reported, seconds, broken), result


def outage(surface: Surface, trial: Trial, fault: dict[str, Any]) -> Outcome:
    """The first call with the credentials meets the fault. The next call is made after the outage."""
    with Sandbox() as sandbox:
        for line in trial.given:
            sandbox.given(line)
        surface.ask({"open": "main", "settings": settings(sandbox)})
        sandbox.control("POST", "faults", {**fault, "times": 0})
        (result,) = surface.ask({"call": trial.call, "client": "main", "args": trial.arguments})["results"]
        sandbox.control("DELETE", "faults")
        began = time.monotonic()
        question = {"call": "geo.open", "client": "main", "args": {}, "options": {"timeout": 20.0}}
        (again,) = surface.ask(question)["results"]
        seconds = time.monotonic() - began
        broken = []
        if "error" in again:
            broken.append(f"the service is back, and a call ends with {again['error']}")
        if seconds > BACK + (GOES_ON if fault["kind"] == "drip" else 0.0):
            broken.append(f"the service is back, and a call takes {seconds:.1f} s")
        reported = result["error"]["kind"] if "error" in result else "success"
        if reported.startswith("Authentication"):
            broken.append("an outage is taken for a wrong password")
        surface.ask({"reset": True})
    return Outcome(reported, seconds, broken)


def revoked(surface: Surface, trial: Trial) -> Outcome:
    """Makes many calls at once with credentials that worked before but were revoked."""
    with Sandbox() as sandbox:
        for line in trial.given:
            sandbox.given(line)
        surface.ask(
            {"open": "main", "settings": {**settings(sandbox), "timeout": 20.0, "max_connections": CONNECTIONS}}
        )
        surface.ask({"call": "geo.open", "client": "main", "args": {}})
        sandbox.control("DELETE", "requests")
        sandbox.control("POST", "faults", {"kind": "status", "status": 401, "times": 0})
        began = time.monotonic()
        question = {"call": trial.call, "client": "main", "args": trial.arguments, "at_once": LOAD}
        results = surface.ask(question)["results"]
        (after,) = surface.ask({key: value for key, value in question.items() if key != "at_once"})["results"]
        seconds = time.monotonic() - began
        sent = len(sandbox.control("GET", "requests"))
        kinds = {one["error"]["kind"] if "error" in one else "success" for one in [*results, after]}
        broken = []
        if sent > CONNECTIONS:
            broken.append(f"{sent} of {LOAD} calls were sent")
        if not kinds <= {"Authentication", "AuthenticationBlocked"}:
            broken.append(f"the calls end with {sorted(kinds)}")
        surface.ask({"reset": True})
    return Outcome("Authentication", seconds, broken)


def pooled(surface: Surface, fault: dict[str, Any], times: int) -> Outcome:
    """A pool fetches its list and the geo counts with a fault."""
    with Sandbox() as sandbox:
        prepare(surface, sandbox)
        surface.ask({"call": "proxies.pool", "client": "main", "args": {"credentials": False}})
        sandbox.control("POST", "faults", {**fault, "times": times})
        question = {"call": POOL, "client": "main", "args": {"countries": ["US"]}}
        began = time.monotonic()
        (result,) = surface.ask(question)["results"]
        seconds = time.monotonic() - began
        sandbox.control("DELETE", "faults")
        (after,) = surface.ask(question)["results"]
        broken = shown_or_late(result, seconds)
        broken += [f"{one} is no American proxy" for one in (result, after) if not american(one)]
        if "error" in after:
            broken.append(f"after the fault, the pool fails with {after['error']}")
        surface.ask({"reset": True})
    return Outcome(result["error"]["kind"] if "error" in result else "success", seconds, broken)


def american(result: dict[str, Any]) -> bool:
    """Whether it is a proxy in the USA, or an error."""
    return "error" in result or result["value"]["proxy"].startswith("us-")


def leased(surface: Surface, fault: dict[str, Any], times: int) -> Outcome:
    """A lease is entered and released with a fault, and then again without it."""
    ip = "203.0.113.7"
    enter = {"call": LEASE, "client": "main", "args": {"ip": ip, "label": "crawl"}}
    release = {"call": "lease.release", "client": "main", "args": {}}
    with Sandbox() as sandbox:
        prepare(surface, sandbox)
        sandbox.control("POST", "faults", {**fault, "times": times})
        began = time.monotonic()
        (result,) = surface.ask(enter)["results"]
        broken = []
        if "value" in result:
            if ip not in Look(sandbox).get("/api/ips/")["ips"]:
                broken.append("the lease is entered, but the IP is not authorised")
            surface.ask(release)
        seconds = time.monotonic() - began
        sandbox.control("DELETE", "faults")
        broken += shown_or_late(result, seconds)
        for question in (enter, release):
            (after,) = surface.ask(question)["results"]
            if "error" in after:
                broken.append(f"after the fault, {question['call']} fails with {after['error']}")
                break
        if ip in Look(sandbox).get("/api/ips/")["ips"]:
            broken.append("the IP stays authorised")
        surface.ask({"reset": True})
    return Outcome(result["error"]["kind"] if "error" in result else "success", seconds, broken)


def prepare(surface: Surface, sandbox: Sandbox) -> None:
    """Opens a client. Its gate knows that the credentials are right."""
    surface.ask({"open": "main", "settings": settings(sandbox)})
    surface.ask({"call": "geo.open", "client": "main", "args": {}})


def shown_or_late(result: dict[str, Any], seconds: float) -> list[str]:
    """Whether a secret is shown, or several calls took too long."""
    broken = []
    if seconds > LONGEST_OF_MANY:
        broken.append(f"it took {seconds:.1f} s")
    if any(secret in json.dumps(result, ensure_ascii=False) for secret in SECRETS):
        broken.append("a secret is shown")
    return broken


MANY = {POOL: pooled, LEASE: leased}


def settings(sandbox: Sandbox) -> dict[str, Any]:
    """The settings of a client that gives up soon."""
    known = {"username": USERNAME, "password": PASSWORD, "base_url": sandbox.base_url}
    return {**known, "timeout": TIMEOUT, "max_retries": RETRIES}


Found = dict[tuple[str, str, str, str], Outcome]


def run(name: str, combinations: list[tuple[Trial, str, str]], found: Found) -> None:
    """Runs the combinations on one surface."""
    surface = Surface(name)
    truth = {
        trial.call: cases.recorded(attempt(surface, trial, None, 1)[1])
        for trial in {
            one[0].call: one[0] for one in combinations if one[2] not in {OUTAGE, REVOKED} and one[0].call not in MANY
        }.values()
    }
    for trial, fault, how in combinations:
        if how == OUTAGE:
            found[name, trial.call, fault, how] = outage(surface, trial, FAULTS[fault])
            continue
        if how == REVOKED:
            found[name, trial.call, fault, how] = revoked(surface, trial)
            continue
        if trial.call in MANY:
            found[name, trial.call, fault, how] = MANY[trial.call](surface, FAULTS[fault], 1 if how == "once" else 0)
            continue
        outcome, result = attempt(surface, trial, FAULTS[fault], 1 if how == "once" else 0)
        if "value" in result and not cases.matches(truth[trial.call], result):
            outcome.broken.append(f"the result is wrong: {result}")
        found[name, trial.call, fault, how] = outcome
    surface.end()


def report(found: Found, surfaces: list[str], seconds: float) -> str:
    """A table of what is reported for each fault and call. If surfaces differ, a cell counts them."""
    calls = [*(trial.call for trial in TRIALS), *MANY]
    lines = [
        "# The fault matrix",
        "",
        f"{len(found)} combinations: {len(surfaces)} surfaces, {len(calls)} calls, {len(FAULTS)} faults, each once and "
        f"repeatedly, {len(OUTAGES)} of them as an outage at the start, and credentials revoked under load; "
        f"{seconds:.0f} s; {sum(bool(one.broken) for one in found.values())} with a broken invariant.",
        "",
        "What each call reports. Where surfaces differ, the number says how many report it:",
        "",
        f"| fault | | {' | '.join(calls)} |",
        f"|---|---|{'---|' * len(calls)}",
    ]
    rows = [(fault, how) for fault in FAULTS for how in ("once", "always")]
    for fault, how in [*rows, *((fault, OUTAGE) for fault in OUTAGES), (REVOKED, REVOKED)]:
        cells = []
        for call in calls:
            kinds = Counter(
                outcome.reported + ("!" if outcome.broken else "")
                for (_, *key), outcome in found.items()
                if key == [call, fault, how]
            )
            cells.append(
                next(iter(kinds)) if len(kinds) == 1 else ", ".join(f"{kind} {count}" for kind, count in kinds.items())
            )
        lines.append(f"| {fault} | {how} | {' | '.join(cells)} |")
    broken = [
        f"* {', '.join(key)}: {outcome.reported}: {'; '.join(outcome.broken)}"
        for key, outcome in found.items()
        if outcome.broken
    ]
    return "\n".join([*lines, "", *broken]) + "\n"


def combinations(number: int) -> list[tuple[Trial, str, str]]:
    """The combinations of the surface with this number."""
    return [
        *((trial, fault, how) for trial in TRIALS for fault in FAULTS for how in ("once", "always")),
        *((trial, fault, OUTAGE) for trial in TRIALS[number % QUARTERS :: QUARTERS] for fault in OUTAGES),
        *((trial, REVOKED, REVOKED) for trial in TRIALS),
        *((Trial(call, {}, []), fault, how) for call in MANY for fault in FAULTS for how in ("once", "always")),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surface", action="append", choices=list(SURFACES), help="this one only; all by default")
    parser.add_argument("--slice", type=int, default=1, help="run one in so many of the combinations")
    parser.add_argument("--jobs", type=int, default=3, help="how many agents run those of a surface; most of them wait")
    arguments = parser.parse_args()
    surfaces = arguments.surface or list(SURFACES)
    paths = json.loads((ROOT / "sandbox/src/openapi.json").read_text(encoding="utf-8"))["paths"].values()
    if missing := {call["operationId"] for path in paths for call in path.values()} - {trial.call for trial in TRIALS}:
        sys.exit(f"not tried: {missing}")
    began = time.monotonic()
    found: Found = {}
    # With --slice, each surface takes different combinations.
    chosen = [combinations(number)[number % arguments.slice :: arguments.slice] for number in range(len(surfaces))]
    threads = [
        threading.Thread(target=run, args=(name, those[job :: arguments.jobs], found))
        for name, those in zip(surfaces, chosen, strict=True)
        for job in range(arguments.jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = sum(map(len, chosen))
    text = report(found, surfaces, time.monotonic() - began)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "report.md").write_text(text, encoding="utf-8")
    broken = [line for line in text.splitlines() if line.startswith("* ")]
    print(text.splitlines()[2], *broken, sep="\n")
    return 1 if broken or len(found) != expected else 0


if __name__ == "__main__":
    sys.exit(main())
