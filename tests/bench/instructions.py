"""Counts the instructions of the SDK in fixed scenarios with callgrind, and compares them with `instructions.json`.

`make bench-instructions` runs it. Unlike times, the counts hardly depend on what else the machine does. They depend on
the compiler, on the Python version and on the C library, so compare them only on one machine: run it before and after
a change. With `--update`, it writes the new counts to `instructions.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NATIVE = ROOT / "target/release/proxymesh-bench"
KEPT = HERE / "instructions.json"
# If a change costs more than this, its commit message says so.
TOLERANCE = 0.02
RUNS = 3

CLIENT = "proxymesh.{kind}('user', 'pass', base_url=sys.argv[1])"
BLOCKING = """
import sys, proxymesh
client = {client}
for _ in range(int(sys.argv[2])): {call}
"""
ASYNC = """
import asyncio, sys, proxymesh
async def main():
    client, calls = {client}, iter(range(int(sys.argv[2])))
    async def make():
        for _ in calls: {call}
    await asyncio.gather(*(make() for _ in range({width})))
asyncio.run(main())
"""


class Scenario(NamedTuple):
    """A program, and how often each of its two runs repeats what is counted. They differ only in that number."""

    program: str
    few: int
    many: int


def blocking(call: str, few: int = 100, many: int = 600) -> Scenario:
    return Scenario(BLOCKING.format(client=CLIENT.format(kind="Client"), call=call), few, many)


def awaited(call: str, width: int) -> Scenario:
    program = ASYNC.format(client=CLIENT.format(kind="AsyncClient"), call=call, width=width)
    return Scenario(program, 4 * width + 100, 4 * width + 1100)


GET = "client.sub_accounts.get('x')"
SCENARIOS = {
    "blocking call": blocking(GET),
    "async call": awaited(f"await {GET}", 1),
    "async call, 100 in flight": awaited(f"await {GET}", 100),
    "ips.list, 10,000 items": blocking("client.ips.list()", 2, 12),
    "ips.labels, 10,000 items": blocking("client.ips.labels()", 2, 12),
    "proxies.list, 10,000 items": blocking("client.proxies.list()", 2, 12),
    "client made and dropped": blocking(CLIENT.format(kind="Client")),
    # The run with 0 is the same program in bare Python, without the import.
    "import": Scenario("import sys\nif sys.argv[2] == '1': import proxymesh", 0, 1),
}


def count(program: str, base_url: str, repeats: int) -> int:
    """The number of instructions of one process."""
    with tempfile.NamedTemporaryFile("w+") as log:
        subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log.name}"),
                # Otherwise callgrind may let one thread of the program starve another.
                "--fair-sched=yes",
                *(sys.executable, "-I", "-c", program, base_url, str(repeats)),
            ],
            check=True,
            # Without the user's certificates, proxies and state.
            env={"PATH": os.defpath, "PYTHONHASHSEED": "0", "XDG_STATE_HOME": "/dev/null"},
        )
        found = re.search(r"Collected : (\d+)", log.read())
    assert found
    return int(found[1])


def measure(name: str, base_url: str) -> int:
    """The number of instructions of one repeat. Timers that expire on a busy machine add to it, so the least counts."""
    scenario = SCENARIOS[name]
    few, many = (
        min(count(scenario.program, base_url, repeats) for _ in range(RUNS))
        for repeats in (scenario.few, scenario.many)
    )
    return round((many - few) / (scenario.many - scenario.few))


def main() -> int:
    """Prints the counts. The exit status is 1 if one is higher than the kept one by more than the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="keep the new counts")
    parser.add_argument("--only", metavar="NAME", help="one scenario")
    arguments = parser.parse_args()
    kept: dict[str, int] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    measured = {}
    with (
        tempfile.NamedTemporaryFile() as ca_file,
        subprocess.Popen(
            [NATIVE, "serve", ca_file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdin
        assert server.stdout
        base_url = f"http://localhost:{json.loads(server.stdout.readline())['plain']}"
        for name in [arguments.only] if arguments.only else SCENARIOS:
            measured[name] = measure(name, base_url)
            change = f"{measured[name] / kept[name] - 1:+.1%}" if name in kept else "new"
            print(f"{name:30} {measured[name]:>12,} {kept.get(name, 0):>12,} {change:>8}", flush=True)
        server.stdin.close()
    if arguments.update:
        KEPT.write_text(json.dumps(kept | measured, indent=2) + "\n")
        return 0
    worse = [name for name, now in measured.items() if name in kept and now > kept[name] * (1 + TOLERANCE)]
    for name in worse:
        print(f"more than {TOLERANCE:.0%} above the kept count: {name}", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
