"""What the fuzzing begins with, from the tables of tests/tables: seeds.py FOLDER."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = ROOT / "sandbox/tests/support/hostile.rs"


def table(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((ROOT / f"tests/tables/{name}.json").read_text())
    return rows


def number(row: dict[str, Any]) -> bytes:
    """Of the row's call, as core/src/endpoint counts them: the order of wire.json."""
    return bytes([list(dict.fromkeys(row["call"] for row in table("wire"))).index(row["call"])])


def successes() -> Iterator[bytes]:
    for row in table("wire"):
        yield number(row) + json.dumps(row["answer"]["body"]).encode()


def refusals() -> Iterator[bytes]:
    for row in table("bad_answers"):
        answer = row["answer"]
        wait = answer.get("headers", {}).get("Retry-After", "Mon, 23 Nov 2026 10:00:00 GMT")
        status = max(answer["status"] - 300, 0).to_bytes(2, "big")
        yield number(row) + status + f"{wait}\n{answer.get('body', '')}".encode()


def inputs() -> Iterator[bytes]:
    for name in ("wire", "good_inputs", "bad_inputs"):
        for row in table(name):
            for value in row.get("args", {}).values():
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
