"""Runs the cases on each surface, and prints how many cases and steps each has run.

run.py [--surface NAME]... [--case TEXT] [--record]
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from typing import Any

import cases
from surface import SURFACES, AgentError, Surface

lock = threading.Lock()


def run(name: str, chosen: list[tuple[str, cases.Case]], report: dict[str, Any]) -> None:
    """All cases on one surface."""
    began = time.monotonic()
    passed = steps = 0
    failures = []
    surface = Surface(name)
    for file, case in chosen:
        try:
            cases.Run(surface, case)()
            passed += 1
            steps += len(case["steps"])
        except Exception as failure:  # also a mistake of this program is a case that has not passed
            failures.append(f"{name}: {file}: {case['name']}: {failure!r}")
            surface.process.kill()
            surface.process.wait()
            surface = Surface(name)
    try:
        surface.end()
    except AgentError as failure:
        failures.append(str(failure))
    with lock:
        report[name] = (passed, steps, time.monotonic() - began, failures)


def record(chosen: dict[str, list[cases.Case]]) -> None:
    """Fills in what the cases do not say, as the Rust client does it. To be read before it is committed."""
    surface = Surface("Rust, blocking")
    for file, some in chosen.items():
        done = []
        for case in some:
            try:
                done.append(cases.Run(surface, case, record=True)())
            except Exception as failure:
                print(f"{file}: {case['name']}: {failure!r}")
                done.append(case)
                surface = Surface("Rust, blocking")
        (cases.HERE / f"{file}.json").write_text(cases.written(done), encoding="utf-8")
    surface.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surface", action="append", choices=list(SURFACES), help="this one only; all by default")
    parser.add_argument("--case", default="", help="cases whose file or name has this in it; all by default")
    parser.add_argument("--record", action="store_true", help=record.__doc__)
    arguments = parser.parse_args()
    loaded = cases.load()
    if arguments.record:
        record(loaded)
        return 0
    chosen = [
        (file, case) for file, some in loaded.items() for case in some if arguments.case in f"{file}: {case['name']}"
    ]
    report: dict[str, Any] = {}
    threads = [threading.Thread(target=run, args=(name, chosen, report)) for name in arguments.surface or SURFACES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{'surface':20} {'cases':>6} {'passed':>6} {'steps':>6} {'s':>6}")
    for name in arguments.surface or SURFACES:
        passed, steps, seconds, _ = report[name]
        print(f"{name:20} {len(chosen):6} {passed:6} {steps:6} {seconds:6.1f}")
    failures = [failure for _, _, _, failed in report.values() for failure in failed]
    print(*failures, sep="\n")
    return 1 if failures or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
