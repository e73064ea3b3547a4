"""Compares the SDK in each language with the SDK in Rust and with the platform's own client: `make bench-languages`.

The call, the server, the shared core and the rounds are the same as in `make bench` (README.md). The contestants use
the protocol of `worker.py`: they read `sequential BASE_URL 1 CALLS`, and reply with JSON that has `p50_us`. The code
for the platforms' own clients parses the JSON into an object, and fails for an error status.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import bench

LANGUAGES = bench.OUT / "languages"
JVM = ["java", "-classpath", f"{LANGUAGES}/jvm/classes:{(LANGUAGES / 'jvm/classpath').read_text()}", "BenchKt"]
SWIFT = [str(bench.ROOT / "bindings-ffi/swift/toolchain.sh"), str(LANGUAGES / "swift-build/release/Bench")]
REFERENCE = "Rust"
CONTESTANTS = {
    REFERENCE: [str(bench.NATIVE), "sdk"],
    "Python, Client": [
        bench.python_of("proxymesh"),
        *(str(bench.HERE / "worker.py"), "proxymesh", str(bench.CA_FILE), str(bench.BUNDLE)),
    ],
    "Kotlin, BlockingClient": [*JVM, "blocking"],
    "Kotlin, Client": [*JVM, "suspend"],
    "Java, AsyncClient": [*JVM, "future"],
    "java.net.http": [*JVM, "java.net.http"],
    "Swift, BlockingClient": [*SWIFT, "blocking"],
    "Swift, Client": [*SWIFT, "async"],
    "URLSession": [*SWIFT, "URLSession"],
}
CALLS = 200


def cpu_us(pid: int) -> float:
    """The CPU time of the process's running threads. These are all its threads: none ends before the process."""
    stats = (task.read_text().split()[0] for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(map(int, stats)) / 1000


def burst(name: str, process: bench.Process, base_url: str) -> dict[str, float]:
    before = cpu_us(process.pid)
    answer: dict[str, Any] = process.ask(f"sequential {base_url} 1 {CALLS}")
    if "error" in answer:
        raise SystemExit(f"{name}: {answer['error']}; see {bench.COMPLAINTS.relative_to(bench.ROOT)}")
    cost = {"p50_us": answer["p50_us"], "cpu_us": (cpu_us(process.pid) - before) / CALLS}
    return cost | {key: answer[key] for key in answer if key == "garbage"}


def table(rounds: dict[str, list[dict[str, float]]]) -> str:
    lines = [
        "| | p50, µs | × Rust | middle half | CPU per call, µs | × Rust | garbage per call, bytes |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, bursts in rounds.items():
        cells = [name]
        for figure in ("p50_us", "cpu_us"):
            # The ratio is calculated for each round, because a disturbance in a round affects both figures.
            ratios = [one[figure] / rust[figure] for one, rust in zip(bursts, rounds[REFERENCE], strict=True)]
            cells += [f"{median(one[figure] for one in bursts):.1f}", f"{median(ratios):.2f}"]
            if figure == "p50_us":
                low, _, high = quantiles(ratios, n=4)
                cells.append(f"{low:.2f}-{high:.2f}")
        cells.append(f"{median(one['garbage'] for one in bursts):.0f}" if "garbage" in bursts[0] else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--warm-up", type=int, default=100, help="unmeasured rounds, in which the JVM compiles")
    arguments = parser.parse_args()
    bench.COMPLAINTS.unlink(missing_ok=True)
    bench.ENVIRONMENT["PATH"] = os.environ["PATH"]  # Java and Swift are found with this
    server = bench.Process(str(bench.NATIVE), "serve", str(bench.CA_FILE))
    processes = {name: bench.Process(*command) for name, command in CONTESTANTS.items()}
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    try:
        base_url = f"http://localhost:{server.answer()['plain']}"
        for number in range(-arguments.warm_up, arguments.rounds):
            for name in random.sample(list(processes), len(processes)):
                cost = burst(name, processes[name], base_url)
                if number >= 0:
                    rounds[name].append(cost)
    finally:
        for process in [*processes.values(), server]:
            process.end()
    report = table(rounds)
    (bench.OUT / "languages.md").write_text(report)
    (bench.OUT / "languages.json").write_text(json.dumps(rounds, indent=1))
    sys.stdout.write(report)


if __name__ == "__main__":
    main()
