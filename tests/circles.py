"""Fails if modules of a crate use each other in a circle: `circles.py core/src …`.

The modules of each folder are checked separately. A module uses another if any of its files names a path in the
other. The folder's own `mod.rs` is ignored, and so are tests inside a file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Module = tuple[str, ...]

TOKEN = re.compile(
    r"(?P<path>\$?\b[A-Za-z_]\w*(?:\s*::\s*[A-Za-z_]\w*)*)\s*(?P<group>::\s*\{)?|(?P<close>\})|(?P<open>\{)"
)


def modules(source: Path) -> dict[Module, str]:
    """The text of each module, without comments, literals and tests."""
    found = {}
    for file in sorted(source.rglob("*.rs")):
        name = file.relative_to(source).with_suffix("").parts
        text = file.read_text(encoding="utf-8").split("#[cfg(test)]\nmod tests {")[0]
        text = re.sub(r"//[^\n]*", "", text)
        text = re.sub(r'"(?:\\.|[^"\\])*"', '""', text, flags=re.DOTALL)
        found[name[:-1] if name[-1] in {"mod", "lib", "main"} else name] = text
    return found


def paths(text: str) -> Iterator[Module]:
    """Every path in the text. A path in braces begins with the path before the braces."""
    prefixes: list[Module] = []
    for token in TOKEN.finditer(text):
        if token["close"]:
            if prefixes:
                prefixes.pop()
        elif token["open"]:
            prefixes.append(())
        else:
            path = (prefixes[-1] if prefixes else ()) + tuple(re.split(r"\s*::\s*", token["path"]))
            yield path
            if token["group"]:
                prefixes.append(path)


def uses(name: Module, text: str, known: dict[Module, str]) -> Iterator[Module]:
    """The modules that a module names."""
    for path in paths(text):
        match path:
            case ("crate" | "$crate", *rest):
                absolute = tuple(rest)
            case ("super", *rest):
                absolute = name[:-1] + tuple(rest)
            case ("self", *rest):
                absolute = name + tuple(rest)
            case _:
                absolute = name + path
        while absolute and absolute not in known:
            absolute = absolute[:-1]
        if absolute:
            yield absolute


def graphs(source: Path) -> Iterator[tuple[Module, dict[str, set[str]]]]:
    """For each folder, the modules that each of its modules uses."""
    known = modules(source)
    for folder in sorted({name[:depth] for name in known for depth in range(len(name))}):
        depth = len(folder)
        graph: dict[str, set[str]] = {}
        for name, text in known.items():
            if name[:depth] != folder or len(name) == depth:
                continue
            used = {used[depth] for used in uses(name, text, known) if used[:depth] == folder and len(used) > depth}
            graph.setdefault(name[depth], set()).update(used - {name[depth]})
        yield folder, graph


def main() -> int:
    circles = 0
    for source in map(Path, sys.argv[1:]):
        count = 0
        for folder, graph in graphs(source):
            count += len(graph)
            try:
                TopologicalSorter(graph).prepare()
            except CycleError as error:
                circles += 1
                print(f"{Path(source, *folder)}: {' <- '.join(error.args[1])}", file=sys.stderr)
        print(f"{source}: {count} modules")
    return 1 if circles else 0


if __name__ == "__main__":
    sys.exit(main())
