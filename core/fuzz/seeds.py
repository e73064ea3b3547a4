"""Writes the seeds for the fuzz targets, from the conformance cases and the hostile requests: `seeds.py FOLDER`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = ROOT / "sandbox/tests/support/hostile.rs"


def steps(name: str) -> list[dict[str, Any]]:
    cases = json.loads((ROOT / f"tests/conformance/{name}.json").read_text())
    return [step for case in cases for step in case["steps"]]


def number(step: dict[str, Any]) -> bytes:
    """The number of the step's call. It need not be exact, because the target takes it modulo the number of calls."""
    return bytes([list(dict.fromkeys(step["call"] for step in steps("wire"))).index(step["call"])])


def successes() -> Iterator[bytes]:
    for step in steps("wire"):
        yield number(step) + step["answer"].get("body", "null").encode()


def refusals() -> Iterator[bytes]:
    for step in steps("responses"):
        if "answer" not in step:
            continue
        answer = step["answer"]
        wait = answer.get("headers", {}).get("Retry-After", "Mon, 23 Nov 2026 10:00:00 GMT")
        status = max(answer["status"] - 300, 0).to_bytes(2, "big")
        yield number(step) + status + f"{wait}\n{answer.get('body', '')}".encode()


def inputs() -> Iterator[bytes]:
    for name in ("wire", "validation", "limits"):
        for step in steps(name):
            for value in step.get("args", {}).values():
                yield str(value).encode(errors="replace")


def requests() -> Iterator[bytes]:
    for text in re.findall(r'^    b"(.*)",$', HOSTILE.read_text(), re.MULTILINE):
        yield text.encode().decode("unicode_escape").encode()


def write(target: str, seeds: Iterable[bytes]) -> None:
    folder = Path(sys.argv[1]) / target
    folder.mkdir(parents=True, exist_ok=True)
    for count, seed in enumerate(dict.fromkeys(seeds)):
        (folder / f"seed-{count}").write_bytes(seed)


write("success", successes())
write("refused", refusals())
write("input", inputs())
write("sandbox", requests())
