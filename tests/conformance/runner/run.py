"""Runs the cases on each surface, and prints how many cases and steps each has run.

run.py [--surface NAME]... [--case TEXT] [--quick] [--jobs N] [--record]
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
import time
from dataclasses import dataclass, field

import cases
from surface import SURFACES, AgentError, Surface

WAITING = "replay"


@dataclass
class Report:
    """The results of a surface's cases."""

    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    # The number of steps of each case that has passed.
    passed: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run(name: str, waiting: queue.SimpleQueue[tuple[str, cases.Case]], report: Report) -> None:
    """Takes cases from the queue and runs them with an agent of this surface."""
    surface = Surface(name)
    while True:
        try:
            file, case = waiting.get_nowait()
        except queue.Empty:
            break
        try:
            cases.Run(surface, case)()
            report.passed.append(len(case["steps"]))
        except Exception as failure:  # a bug in this program must also count as a failed case
            report.failures.append(f"{name}: {file}: {case['name']}: {failure!r}")
            surface.process.kill()
            surface.process.wait()
            surface = Surface(name)
    try:
        surface.end()
    except AgentError as failure:
        report.failures.append(str(failure))
    report.seconds = time.monotonic() - report.began


def record(chosen: dict[str, list[cases.Case]]) -> None:
    """Fills in what the cases do not say, from the results of the Rust client. Read them before you commit."""
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
    parser.add_argument("--quick", action="store_true", help=f"leave out {WAITING}.json, whose cases wait for retries")
    parser.add_argument("--jobs", type=int, default=1, help="how many agents run the cases of a surface")
    parser.add_argument("--record", action="store_true", help=record.__doc__)
    arguments = parser.parse_args()
    loaded = cases.load()
    if arguments.record:
        record(loaded)
        return 0
    chosen = [
        (file, case)
        for file, some in loaded.items()
        for case in some
        if arguments.case in f"{file}: {case['name']}" and not (arguments.quick and file == WAITING)
    ]
    surfaces = arguments.surface or list(SURFACES)
    reports = {name: Report() for name in surfaces}
    threads = []
    for name in surfaces:
        waiting: queue.SimpleQueue[tuple[str, cases.Case]] = queue.SimpleQueue()
        for one in chosen:
            waiting.put(one)
        for _ in range(arguments.jobs):
            threads.append(threading.Thread(target=run, args=(name, waiting, reports[name])))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{'surface':20} {'cases':>6} {'passed':>6} {'steps':>6} {'s':>6}")
    for name, report in reports.items():
        print(f"{name:20} {len(chosen):6} {len(report.passed):6} {sum(report.passed):6} {report.seconds:6.1f}")
    failures = [failure for report in reports.values() for failure in report.failures]
    print(*failures, sep="\n")
    return 1 if failures or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
