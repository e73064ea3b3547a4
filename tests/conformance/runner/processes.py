"""Sixteen processes with one state folder make a call at the same moment: of each language, and of all together.

However many processes try a wrong password, the service gets at most two failed authentications. A right password works
in all of them, even if a process is killed while it tries it. A client that is told to share nothing writes nothing.

processes.py [--language NAME]...
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from surface import SURFACES, Surface

from sandbox import PASSWORD, ROOT, USERNAME, Sandbox

COUNT = 16
# Calls within a second of a rejection get the same rejection. This is longer.
A_ROUND_LATER = 1.1
# Seconds in which all processes must have their answers after another one was killed.
SOON = 10.0
LANGUAGES = dict.fromkeys(name.partition(",")[0] for name in SURFACES)


def surfaces(languages: list[str]) -> list[str]:
    """The surfaces of sixteen processes, in turn."""
    names = [name for name in SURFACES if name.partition(",")[0] in languages]
    return [names[number % len(names)] for number in range(COUNT)]


def end(one: Surface) -> None:
    """Ends a process, unless it was killed."""
    if one.process.poll() is None:
        one.end()


@contextmanager
def processes(names: list[str], shares: bool = True) -> Iterator[list[Surface]]:
    """Starts the processes. They share a new state folder, which the chroot of Swift contains too."""
    folder = ROOT / "target/conformance"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as state, ExitStack() as stack:
        started = [Surface(name, state=state) for name in names]
        for one in started:
            stack.callback(end, one)
        yield started
        written = [str(path) for path in Path(state).rglob("*") if not path.is_dir()]
        assert bool(written) == shares, f"what was shared: {written}"


def open_client(some: list[Surface], sandbox: Sandbox, password: str, **more: bool) -> None:
    """Opens a client in each process."""
    settings = {"username": USERNAME, "password": password, "base_url": sandbox.base_url, **more}
    for one in some:
        assert one.ask({"open": "main", "settings": settings}) == {}


def call(one: Surface) -> str:
    """Makes a call, and returns how it ended."""
    (result,) = one.ask({"call": "ips.list", "client": "main", "args": {}})["results"]
    return "answer" if "value" in result else str(result["error"]["kind"])


def at_once(some: list[Surface]) -> Counter[str]:
    """Makes a call in each process at the same moment. Counts how they ended."""
    with ThreadPoolExecutor(len(some)) as threads:
        return Counter(threads.map(call, some))


def statuses(sandbox: Sandbox) -> list[int | None]:
    """The statuses of all responses."""
    return [request["status"] for request in sandbox.control("GET", "requests")]


def a_wrong_password(some: list[Surface]) -> str:
    """Three rounds cost two failed authentications."""
    with Sandbox() as sandbox:
        open_client(some, sandbox, "wrong-password")
        for _ in range(3):
            ended = at_once(some)
            assert ended.keys() <= {"Authentication", "AuthenticationBlocked"}, ended
            time.sleep(A_ROUND_LATER)
        assert ended == {"AuthenticationBlocked": len(some)}, ended
        assert statuses(sandbox) == [401, 401], statuses(sandbox)
        open_client(some, sandbox, PASSWORD)
        ended = at_once(some)
        assert ended == {"answer": len(some)}, "the failures of another password do not count"
    return "wrong password: 2 requests in 3 rounds; right password: all work"


def a_trial_is_killed(some: list[Surface]) -> str:
    """A process of each language is killed while it tries the right password. All others work soon after."""
    told = []
    for language in dict.fromkeys(one.language for one in some):
        victim = next(one for one in some if one.language == language)
        some.remove(victim)
        with Sandbox() as sandbox, ThreadPoolExecutor(1) as thread:
            open_client([victim, *some], sandbox, PASSWORD)
            sandbox.control("POST", "faults", {"kind": "delay", "seconds": 60})
            tried = thread.submit(call, victim)
            while not statuses(sandbox):
                assert not tried.done()
                time.sleep(0.01)
            victim.process.kill()
            victim.process.wait()
            began = time.monotonic()
            ended = at_once(some)
            took = time.monotonic() - began
            assert ended == {"answer": len(some)}, ended
            assert took < SOON, took
            assert tried.exception(), "the process was killed"
        told.append(f"{language} {took:.1f} s")
    return f"killed while it tried the right password, all others work after: {', '.join(told)}"


def nothing_is_shared(names: list[str]) -> str:
    """Each process tries the wrong password for itself."""
    with processes(names, shares=False) as some, Sandbox() as sandbox:
        open_client(some, sandbox, "wrong-password", share_state=False)
        assert [call(one) for one in some] == ["Authentication"] * len(some)
        assert statuses(sandbox) == [401] * len(some), statuses(sandbox)
    return f"share_state=False: {len(names)} processes make {len(names)} requests"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", action="append", choices=list(LANGUAGES), help="this one only; all by default")
    languages = parser.parse_args().language or list(LANGUAGES)
    groups = {language: [language] for language in languages}
    if len(languages) > 1:
        groups["all together"] = languages
    failed = 0
    for name, of_group in groups.items():
        checks: list[Callable[[list[Surface]], str]] = [a_wrong_password]
        if len(of_group) > 1:
            checks.append(a_trial_is_killed)
        began = time.monotonic()
        try:
            with processes(surfaces(of_group)) as some:
                for check in checks:
                    print(f"{COUNT} processes, {name}: {check(some)}", flush=True)
            print(f"{name}: {nothing_is_shared(surfaces(of_group)[:2])}", flush=True)
        except Exception as failure:  # a bug in this program must also count as a failure
            failed += 1
            print(f"{COUNT} processes, {name}: {failure!r}", flush=True)
        print(f"    {time.monotonic() - began:.1f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
