"""Writes goals, tables and charts to target/bench/report.md, report.json and report.svg."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import plot
from contestants import ASYNC, BLOCKING

RAW = "raw socket"
OURS = "proxymesh"
Results = dict[str, Any]


class Goal(NamedTuple):
    """A bound that must hold on any machine, and a lower one that we aim at."""

    what: str
    unit: str
    bound: float
    aim: float | None
    rounds: Callable[[Results], list[float]]


# --- figures ---------------------------------------------------------------------------------------------------------


def p50(burst: dict[str, float]) -> float:
    """Microseconds that one call takes."""
    return burst["p50_us"]


def cpu(burst: dict[str, float]) -> float:
    """Microseconds of CPU time that one call costs."""
    return burst["cpu_us"] / burst["calls"]


def rate(burst: dict[str, float]) -> float:
    """Calls per second."""
    return burst["calls"] / burst["wall_us"] * 1e6


Figure = Callable[[dict[str, float]], float]


def of(results: Results, scenario: str, figure: Figure) -> dict[str, float]:
    """Each contestant's median over the rounds."""
    bursts = results["bursts"].get(scenario, {})
    return {name: median(map(figure, rounds)) for name, rounds in bursts.items() if rounds}


def over_bare(results: Results, kind: str, figure: str) -> dict[str, float]:
    """Each contestant's median of this figure, minus that of bare Python."""
    medians = {name: median(run[figure] for run in runs) for name, runs in results["starts"][kind].items()}
    return {name: value - medians[bare(name)] for name, value in medians.items() if name != bare(name)}


def bare(name: str) -> str:
    """The bare Python of the contestant's environment, with which its process is compared."""
    return "bare Python of niquests" if "niquests" in name else "bare Python"


# --- goals -----------------------------------------------------------------------------------------------------------


def ratio(scenario: str, figure: Figure, name: str, reference: str) -> Callable[[Results], list[float]]:
    """The ratio in each round, because a disturbance in a round affects both contestants."""

    def rounds(results: Results) -> list[float]:
        bursts = results["bursts"].get(scenario, {})
        references = {burst["round"]: figure(burst) for burst in bursts.get(reference, [])}
        return [
            figure(burst) / references[burst["round"]] for burst in bursts.get(name, []) if burst["round"] in references
        ]

    return rounds


def start(kind: str, figure: str) -> Callable[[Results], list[float]]:
    def runs(results: Results) -> list[float]:
        bares = {run["run"]: run[figure] for run in results["starts"][kind].get(bare(OURS), [])}
        return [run[figure] - bares[run["run"]] for run in results["starts"][kind].get(OURS, [])]

    return runs


def wheel(results: Results) -> list[float]:
    return [results["sizes"][OURS] / 1e3] if results["sizes"].get(OURS) else []


GOALS = [
    Goal("blocking call, p50", f"× {RAW}", 1.75, 1.4, ratio("sequential", p50, OURS, RAW)),
    Goal("blocking call, CPU", "× pycurl", 0.55, 0.35, ratio("sequential", cpu, OURS, "pycurl")),
    Goal("blocking call, CPU", "× requests", 0.04, None, ratio("sequential", cpu, OURS, "requests")),
    Goal("asyncio, 100 in flight, CPU", "× aiohttp", 0.3, 0.2, ratio("flight", cpu, f"{OURS} async", "aiohttp")),
    Goal(
        "asyncio, 100 in flight, CPU",
        "× pyreqwest",
        0.5,
        None,
        ratio("flight", cpu, f"{OURS} async", "pyreqwest async"),
    ),
    Goal("import, CPU over bare Python", "ms", 3, 2, start("import", "cpu_ms")),
    Goal("one-call HTTPS script, CPU over bare Python", "ms", 4, 3, start("one call", "cpu_ms")),
    Goal("wheel", "kB", 2300, 1950, wheel),
]


def judged(results: Results) -> list[dict[str, Any]]:
    verdicts = []
    for goal in GOALS:
        rounds = goal.rounds(results)
        value = median(rounds) if rounds else None
        middle = quantiles(rounds, n=4)[::2] if len(rounds) > 1 else None
        met = None if value is None else value <= goal.bound
        reached = None if value is None or goal.aim is None else value <= goal.aim
        verdicts.append(
            {"what": goal.what, "unit": goal.unit, "bound": goal.bound, "aim": goal.aim, "value": value}
            | {"quartiles": middle, "met": met, "aim_reached": reached}
        )
    return verdicts


# --- tables ----------------------------------------------------------------------------------------------------------


def number(value: float | None, digits: int | None = None) -> str:
    """The value with this many decimals. By default it has three significant digits, or all digits before the point."""
    if value is None:
        return "–"
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:,.{digits}f}"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that is also readable in a terminal."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return f"| {' | '.join(padded)} |"

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([line(headers), f"|{rule}|", *map(line, rows)])


def compared(
    results: Results,
    scenario: str,
    contestants: Sequence[str],
    figures: Mapping[str, Figure],
    ratios: Sequence[tuple[str, Figure, str]],
) -> str:
    """A table with a row per contestant, sorted by the first figure. A ratio compares a figure with a reference's."""
    columns = {title: of(results, scenario, figure) for title, figure in figures.items()}
    first = next(iter(columns.values()))
    rows = []
    for name in sorted(filter(first.__contains__, contestants), key=first.__getitem__):
        row = [name, *(number(column[name]) for column in columns.values())]
        for _, figure, reference in ratios:
            medians = of(results, scenario, figure)
            row.append(number(medians[name] / medians[reference] if reference in medians else None))
        rows.append(row)
    return table(["", *columns, *(title for title, _, _ in ratios)], rows)


def goals_table(results: Results) -> str:
    rows = []
    for goal in judged(results):
        middle = " to ".join(number(value) for value in goal["quartiles"] or [])
        met = {None: "not measured", True: "met", False: "MISSED"}[goal["met"]]
        aim = {None: "", True: ", aim reached", False: ""}[goal["aim_reached"]]
        bounds = [f"≤ {number(goal['bound'])}", f"≤ {number(goal['aim'])}" if goal["aim"] else ""]
        rows.append([f"{goal['what']}, {goal['unit']}", number(goal["value"]), middle, *bounds, met + aim])
    return table(["goal", "here", "middle half", "bound", "aim", ""], rows)


def many_table(results: Results) -> str:
    rows = []
    for scenario in ("one after another", "32 threads", "32 in flight", "256 in flight"):
        wall = of(results, scenario, lambda burst: burst["wall_us"] / 1e6)
        spent = of(results, scenario, lambda burst: burst["cpu_us"] / 1e6)
        rows += [[f"{name}, {scenario}", number(wall[name], 2), number(spent[name], 2)] for name in wall]
    return table(["", "wall s", "CPU s"], sorted(rows, key=lambda row: float(row[1])))


def starts_table(results: Results) -> str:
    columns = {
        "import ms": over_bare(results, "import", "wall_ms"),
        "import CPU ms": over_bare(results, "import", "cpu_ms"),
        "one call ms": over_bare(results, "one call", "wall_ms"),
        "one call CPU ms": over_bare(results, "one call", "cpu_ms"),
        "its peak MiB": {
            name: median(run["peak_mib"] for run in runs) for name, runs in results["starts"]["one call"].items()
        },
        "wheels MB": {name: size / 1e6 for name, size in results["sizes"].items()},
    }
    spent = columns["one call CPU ms"]
    names = [*sorted(spent, key=spent.__getitem__), bare(OURS)]
    rows = [[name, *(number(column.get(name), 1) for column in columns.values())] for name in names]
    return table(["", *columns], rows)


# --- the report ------------------------------------------------------------------------------------------------------


def sections(results: Results) -> list[tuple[str, str, str]]:
    """For each section: the title, a note, and the table."""
    blocking = [RAW, *BLOCKING]
    asyncio = [RAW, *ASYNC, *(f"{name} uvloop" for name in ASYNC)]
    one = {"p50 µs": p50, "CPU µs/call": cpu}
    many = {"CPU µs/call": cpu, "calls/s": rate}
    to_blocking = [(f"p50 × {RAW}", p50, RAW), ("CPU × pycurl", cpu, "pycurl"), ("CPU × requests", cpu, "requests")]
    to_asyncio = [("CPU × aiohttp", cpu, "aiohttp"), ("CPU × pyreqwest", cpu, "pyreqwest async")]
    to_threads = [(f"CPU × {RAW}", cpu, RAW), *to_blocking[1:]]
    from_raw = [to_blocking[0], *to_asyncio]
    same = "Server and client on the same core."
    across = "Server on another core: it answers sooner, but each waits for the other to wake up."
    return [
        ("Blocking, one call after another", same, compared(results, "sequential", blocking, one, to_blocking)),
        ("The same over TLS", same, compared(results, "sequential, TLS", blocking, one, to_blocking)),
        ("The same across cores", across, compared(results, "sequential, across cores", blocking, one, to_blocking)),
        (
            "Blocking, eight threads share one client",
            same + " The raw socket, pycurl and http.client cannot be shared, so each thread has its own.",
            compared(results, "threads", blocking, many, to_threads),
        ),
        ("asyncio, one call after another", same, compared(results, "sequential", asyncio, one, from_raw)),
        ("The same over TLS", same, compared(results, "sequential, TLS", asyncio, one, from_raw)),
        ("asyncio, 100 in flight", same, compared(results, "flight", asyncio, many, to_asyncio)),
        ("The same over TLS", same, compared(results, "flight, TLS", asyncio, many, to_asyncio)),
        ("The same across cores", across, compared(results, "flight, across cores", asyncio, many, to_asyncio)),
        (
            "2,000 calls that take the server 20 ms each",
            "At best 40 s one after another, 1.25 s with 32 at a time, 0.16 s with 256.",
            many_table(results),
        ),
        (
            "Starting up, and size",
            "Whole processes, minus bare Python: one only imports, and one makes a single call over HTTPS. "
            "For async clients, the call includes asyncio. "
            "Peak memory is that of the second, including Python itself. The wheels include all dependencies.",
            starts_table(results),
        ),
    ]


def markdown(results: Results) -> str:
    machine = results["machine"]
    parts = [
        "# The benchmark",
        f"{machine['when']}, {machine['cpu']}, {machine['cores']} cores, {machine['kernel']}, "
        f"Python {machine['python']}. Medians of {results['rounds']} rounds and {results['runs']} starts. "
        f"Load {machine['load_before']} before, {machine['load_after']} after. "
        f"Against {', '.join(machine['peers'])}. How it is measured: tests/bench/README.md.",
        "![the figures](report.svg)",
        "## Goals",
        goals_table(results),
    ]
    if results["errors"]:
        errors = (f"* {name}: {error}" for name, error in results["errors"].items())
        parts += ["## Not measured", "\n".join(errors)]
    if results["crashes"]:
        crashes = (f"{name} {times} times" for name, times in results["crashes"].items())
        parts.append(f"These crashed while exiting. Only their clean runs are counted: {', '.join(crashes)}.")
    for title, note, figures in sections(results):
        parts += [f"## {title}", note, figures]
    return "\n\n".join(parts) + "\n"


README = ("<!-- make bench-readme -->\n", "<!-- end of make bench-readme -->\n")
IN_README = [OURS, "pycurl", "pyreqwest", "primp", "aiohttp", "httpx", "requests"]


def readme(results: Results) -> str:
    """The part of the repository's README with the figures."""
    machine = results["machine"]

    columns = {
        "blocking": of(results, "sequential", cpu),
        "blocking, TLS": of(results, "sequential, TLS", cpu),
        "eight threads": of(results, "threads", cpu),
        "asyncio, 100 in flight": of(results, "flight", cpu),
    }
    starts = {
        "import, ms": over_bare(results, "import", "cpu_ms"),
        "one-call script, ms": over_bare(results, "one call", "cpu_ms"),
    }
    rows = []
    for name in IN_README:
        # A library's client for asyncio is in the same row.
        cells = [number(figures.get(name if name in BLOCKING else "")) for figures in columns.values()]
        cells[-1] = number(columns["asyncio, 100 in flight"].get(name if name in ASYNC else f"{name} async"))
        cells += [number(figures.get(name), 1) for figures in starts.values()]
        rows.append([name, *cells])
    limits = [f"* {goal.what}: at most {goal.bound:g} {goal.unit}" for goal in GOALS if goal.what != "wheel"]
    when = machine["when"].partition("T")[0]
    return "\n\n".join(
        [
            "CPU time of the client's process, in µs per call, and in ms over bare Python for the last two columns:",
            table(["", *columns, *starts], rows),
            f"Measured on {when} by one run of `make bench`: {machine['cpu']}, {machine['cores']} cores, "
            f"{machine['kernel'].partition('-')[0]},\nPython {machine['python']}; "
            f"the load was {machine['load_before']} before and {machine['load_after']} after the run.",
            "`make bench` fails if one of these limits is exceeded. The raw socket is a Rust program that does only\n"
            "what the call needs. The ratios depend on the machine.",
            "\n".join(limits),
        ]
    )


def write_readme(results: Results, file: Path) -> None:
    """Replaces the figures in the README."""
    text = file.read_text()
    begin, end = (text.index(marker) for marker in README)
    begin += len(README[0])
    file.write_text(f"{text[:begin]}\n{readme(results)}\n\n{text[end:]}")


def plots(results: Results) -> str:
    """Charts of the six most important figures."""
    return plot.svg(
        [
            ("Blocking call, CPU", "µs", of(results, "sequential", cpu), [RAW, *BLOCKING]),
            ("Blocking call over TLS, p50", "µs", of(results, "sequential, TLS", p50), [RAW, *BLOCKING]),
            ("Eight threads share a client, CPU a call", "µs", of(results, "threads", cpu), [RAW, *BLOCKING]),
            ("asyncio, 100 in flight, CPU a call", "µs", of(results, "flight", cpu), None),
            ("import, CPU over bare Python", "ms", over_bare(results, "import", "cpu_ms"), None),
            ("One-call HTTPS script, CPU over bare Python", "ms", over_bare(results, "one call", "cpu_ms"), None),
        ],
        ours=OURS,
        limit=RAW,
    )


def write(results: Results, folder: Path) -> bool:
    """Writes the three files and prints the tables. Returns whether a goal was missed."""
    verdicts = judged(results)
    text = markdown(results)
    (folder / "report.md").write_text(text)
    (folder / "report.json").write_text(json.dumps({"goals": verdicts, **results}, indent=1))
    (folder / "report.svg").write_text(plots(results))
    print(text)
    return any(verdict["met"] is False for verdict in verdicts)
