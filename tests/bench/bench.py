"""The benchmark: starts the server and the contestants, measures the calls that they make, and writes the report.

README.md describes what is measured and how. `make bench` runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import report
from contestants import ASYNC, BLOCKING, ON_UVLOOP

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
OUT = ROOT / "target/bench"
NATIVE = ROOT / "target/release/proxymesh-bench"
CA_FILE, BUNDLE = OUT / "ca.pem", OUT / "ca-bundle.pem"
COMPLAINTS = OUT / "stderr.log"

RAW = "raw socket"
CONTESTANTS = [RAW, *BLOCKING, *ASYNC, *(f"{name} uvloop" for name in ASYNC if name in ON_UVLOOP)]
QUICK = {RAW, "proxymesh", "requests", "pycurl", "pyreqwest"}
QUICK |= {"proxymesh async", "proxymesh async uvloop", "aiohttp", "pyreqwest async"}
# These take as long as all the others together, so they run in every fourth round only.
SELDOM = {"httpx async", "niquests async"}

IMPORTS = {
    "proxymesh": "import proxymesh",
    "requests": "import requests",
    "httpx": "import httpx",
    "niquests": "import niquests",
    "urllib3": "import urllib3",
    "http.client": "import http.client, json, urllib.parse",
    "pycurl": "import pycurl",
    "pyreqwest": "import pyreqwest.client",
    "primp": "import primp",
    "aiohttp": "import aiohttp",
}

# The contestants inherit no variable that could redirect their calls or change the certificates that they trust.
ENVIRONMENT = {"PATH": os.defpath, "HOME": str(OUT)}

CORES = sorted(os.sched_getaffinity(0))
CORE, OTHER_CORE = CORES[-1], CORES[0]


class Scenario(NamedTuple):
    """One kind of burst. See worker.py for the modes."""

    name: str
    mode: str
    port: str
    width: int
    calls: int
    across_cores: bool = False
    only: frozenset[str] = frozenset()

    def is_for(self, contestant: str) -> bool:
        if self.only:
            return contestant in self.only
        is_async = contestant.removesuffix(" uvloop") in ASYNC
        return {"sequential": True, "threads": not is_async, "flight": is_async}[self.mode]


SCENARIOS = [
    Scenario("sequential", "sequential", "plain", 1, 150),
    Scenario("sequential, TLS", "sequential", "tls", 1, 150),
    Scenario("threads", "threads", "plain", 8, 400),
    Scenario("flight", "flight", "plain", 100, 500),
    Scenario("flight, TLS", "flight", "tls", 100, 500),
    Scenario("sequential, across cores", "sequential", "plain", 1, 150, across_cores=True),
    Scenario("flight, across cores", "flight", "plain", 100, 500, across_cores=True),
]
ASYNC_MANY = frozenset({"aiohttp", "pyreqwest async", "proxymesh async"})
MANY = [
    Scenario("32 threads", "threads", "slow", 32, 2000, only=frozenset({"requests", "proxymesh"})),
    Scenario("32 in flight", "flight", "slow", 32, 2000, only=ASYNC_MANY),
    Scenario("256 in flight", "flight", "slow", 256, 2000, only=ASYNC_MANY),
]
ONE_BY_ONE = Scenario("one after another", "sequential", "slow", 1, 2000, only=frozenset({"requests"}))


class Plan(NamedTuple):
    """How long and how often each kind of measurement runs."""

    seconds: float
    runs: int
    many: int
    one_by_one: int


FULL = Plan(seconds=300, runs=30, many=3, one_by_one=1)
BRIEF = Plan(seconds=30, runs=5, many=1, one_by_one=0)
CHECK = Plan(seconds=0, runs=1, many=1, one_by_one=1)


def python_of(contestant: str) -> str:
    venv = "venv-niquests" if contestant.startswith("niquests") else "venv"
    return str(OUT / venv / "bin/python")


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Processes that are started inside this context run on one core, with all their threads."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


class Process:
    """A server or a contestant. It replies to each line with one line, and exits when its input ends."""

    def __init__(self, *command: str) -> None:
        with pinned(CORE), COMPLAINTS.open("a") as stderr:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=ENVIRONMENT, text=True
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        answer: dict[str, Any] = json.loads(self.process.stdout.readline() or '{"error": "it has ended"}')
        return answer

    def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        return self.answer()

    def end(self) -> None:
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(contestant: str) -> Process:
    if contestant == RAW:
        return Process(str(NATIVE), "raw", str(CA_FILE))
    return Process(python_of(contestant), str(HERE / "worker.py"), contestant, str(CA_FILE), str(BUNDLE))


class Bench:
    """The server, the contestants, and the results so far."""

    def __init__(self, contestants: list[str], *, check: bool) -> None:
        self.check = check
        self.server = Process(str(NATIVE), "serve", str(CA_FILE))
        ports = self.server.answer()
        BUNDLE.write_bytes(Path(certifi.where()).read_bytes() + CA_FILE.read_bytes())
        self.base_urls = {
            port: f"{'https' if port == 'tls' else 'http'}://localhost:{number}" for port, number in ports.items()
        }
        self.contestants = {name: start(name) for name in contestants}
        self.bursts: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self.errors: dict[str, str] = {}
        self.crashes: dict[str, int] = {}

    def end(self) -> None:
        for process in [*self.contestants.values(), self.server]:
            process.end()

    def round(self, scenarios: list[Scenario], number: int) -> None:
        """One burst of each contestant in each scenario, in shuffled order."""
        for scenario in scenarios:
            if scenario.across_cores and len(CORES) < 2:
                continue
            if scenario.across_cores:
                os.sched_setaffinity(self.server.pid, {OTHER_CORE})
            resting = SELDOM if number % 4 else set()
            names = [
                name for name in self.contestants if scenario.is_for(name) and name not in {*resting, *self.errors}
            ]
            for name in random.sample(names, len(names)):
                self.burst(scenario, name, number)
            os.sched_setaffinity(self.server.pid, {CORE})

    def burst(self, scenario: Scenario, name: str, number: int) -> None:
        calls = scenario.width if self.check else scenario.calls
        base_url = self.base_urls[scenario.port]
        answer = self.contestants[name].ask(f"{scenario.mode} {base_url} {scenario.width} {calls}")
        if "error" in answer:
            self.errors[name] = f"{scenario.name}: {answer['error']}"
        else:
            self.bursts.setdefault(scenario.name, {}).setdefault(name, []).append({"round": number, **answer})


def calls(bench: Bench, plan: Plan) -> int:
    """Runs rounds until the time is up. Returns their number."""
    bench.round(SCENARIOS, 0)
    if not bench.check:
        bench.bursts.clear()  # the first round also includes the cost of everything that is created on first use
    until = time.monotonic() + plan.seconds
    rounds = 0
    while time.monotonic() < until:
        bench.round(SCENARIOS, rounds)
        rounds += 1
    for number in range(plan.many):
        bench.round(MANY, number)
    for number in range(plan.one_by_one):
        bench.round([ONE_BY_ONE], number)
    return rounds


def whole_process(*command: str) -> tuple[int, dict[str, float]]:
    """Runs a process. Returns its exit status, its cost, and its peak memory if it printed that."""
    began = time.perf_counter()
    with (
        pinned(CORE),
        COMPLAINTS.open("a") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=ENVIRONMENT) as child,
    ):
        assert child.stdout
        printed = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall, cpu = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
    return child.returncode, {"wall_ms": wall * 1000, "cpu_ms": cpu * 1000, "peak_mib": int(printed or 0) / 1024}


def starts(bench: Bench, runs: int) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Measures processes that import a library, processes that make one call over TLS, and bare Python."""
    commands: dict[tuple[str, str], tuple[str, ...]] = {}
    service = (bench.base_urls["tls"], str(CA_FILE), str(BUNDLE))
    for name in bench.contestants:
        python = python_of(name)
        # Each environment has its own bare Python, because what is installed in it may slow every start.
        bare = report.bare(name)
        if name in IMPORTS:
            commands["import", name] = (python, "-c", IMPORTS[name])
            commands["import", bare] = (python, "-c", "pass")
        if name in BLOCKING or name in ASYNC:
            commands["one call", name] = (python, str(HERE / "once.py"), name, *service)
            commands["one call", bare] = (python, str(HERE / "once.py"), "nothing", *service)
    measured: dict[str, dict[str, list[dict[str, float]]]] = {"import": {}, "one call": {}}
    for run in range(-1, runs):  # the first run fills the caches
        for (kind, name), command in random.sample(list(commands.items()), len(commands)):
            if name in bench.errors:
                continue
            status, cost = whole_process(*command)
            if status and cost["peak_mib"]:  # it made its call, and crashed while exiting
                bench.crashes[name] = bench.crashes.get(name, 0) + 1
            elif status:
                bench.errors[name] = f"{kind}: exit status {status}, see {COMPLAINTS.relative_to(ROOT)}"
            elif run >= 0:
                measured[kind].setdefault(name, []).append({"run": run, **cost})
    return measured


def sizes(contestants: list[str]) -> dict[str, int]:
    """The size in bytes of the wheels that an installation downloads, including dependencies."""
    found = {"proxymesh": sum(wheel.stat().st_size for wheel in (ROOT / "target/wheels").glob("*.whl"))}
    for name in contestants:
        if name not in IMPORTS or name in {"proxymesh", "http.client"}:
            continue
        pins = HERE / ("requirements-niquests.txt" if name == "niquests" else "requirements.txt")
        resolved = subprocess.run(
            [
                *(
                    python_of(name),
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--dry-run",
                    "--ignore-installed",
                    "--report",
                    "-",
                ),
                *("--no-index", "--find-links", str(OUT / "wheels"), "--constraint", str(pins), name),
            ],
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
        )
        wheels = [item["download_info"]["url"] for item in json.loads(resolved.stdout)["install"]]
        found[name] = sum((OUT / "wheels" / wheel.rpartition("/")[2]).stat().st_size for wheel in wheels)
    return found


def machine() -> dict[str, Any]:
    """The machine and the versions on which the figures depend."""
    cpus = [line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    pins = (HERE / "requirements.txt").read_text() + (HERE / "requirements-niquests.txt").read_text()
    return {
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpus[0] if cpus else platform.machine(),
        "cores": len(CORES),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "peers": [pin for pin in pins.split() if "==" in pin and pin.partition("==")[0] in {*IMPORTS, "uvloop"}],
    }


def main() -> int:
    """Measures and writes the report. The exit status is 1 if a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="some contestants, a minute or two; for development")
    how.add_argument("--check", action="store_true", help="every contestant, hardly any calls: do they all run?")
    how.add_argument("--readme", action="store_true", help="writes the figures of the last full run to the README")
    parser.add_argument("--only", metavar="NAMES", help="some contestants, with commas: " + ", ".join(CONTESTANTS))
    arguments = parser.parse_args()
    if arguments.readme:
        last = json.loads((OUT / "report.json").read_text())
        if last["runs"] != FULL.runs:
            parser.error("the last run was not a full one: run `make bench` first")
        report.write_readme(last, ROOT / "README.md")
        return 0
    contestants = [name for name in CONTESTANTS if name in QUICK or not arguments.quick]
    if arguments.only:
        contestants = [name.strip() for name in arguments.only.split(",")]
        if unknown := set(contestants) - set(CONTESTANTS):
            parser.error(f"no such contestant: {', '.join(sorted(unknown))}")
    COMPLAINTS.unlink(missing_ok=True)
    plan = BRIEF if arguments.quick else CHECK if arguments.check else FULL

    results: dict[str, Any] = {"machine": machine(), "runs": plan.runs}
    bench = Bench(contestants, check=arguments.check)
    try:
        results["rounds"] = calls(bench, plan)
        results["starts"] = starts(bench, plan.runs)
    finally:
        bench.end()
    results["machine"]["load_after"] = round(os.getloadavg()[0], 2)
    results |= {"bursts": bench.bursts, "errors": bench.errors, "crashes": bench.crashes, "sizes": sizes(contestants)}
    if arguments.check:
        report.markdown(results)
        print(f"{len(contestants) - len(bench.errors)} of {len(contestants)} contestants make their calls")
        for name, error in bench.errors.items():
            print(f"{name}: {error}")
        return 1 if bench.errors else 0
    missed = report.write(results, OUT)
    return 1 if missed and plan is FULL else 0


if __name__ == "__main__":
    sys.exit(main())
