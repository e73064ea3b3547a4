"""What sources and pages cite exists: sections of docs/api.md, ids of docs/assumptions.md, decision records, links."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from .support.tables import ROOT

SOURCES = {".rs", ".py", ".pyi", ".kt", ".java", ".swift", ".toml", ".sh", ".yaml"}
REPOSITORY = re.compile(r"https://github\.com/proxymesh/proxymesh-sdk/(?:blob|tree)/main/")
COMMENT = re.compile(r"\s*\n\s*(?://[/!]?|#|\*)?\s*")


def files() -> list[Path]:
    """What is written in this repository, without what is built and hidden folders."""
    found: list[Path] = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if name != "target" and not name.startswith(".")]
        found += [Path(folder, name) for name in names]
    return sorted(found)


FILES = files()
PAGES = [path for path in FILES if path.suffix == ".md"]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", text(page), flags=re.DOTALL | re.MULTILINE)


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """As GitHub names them."""
    of_headings = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}
    return of_headings | set(re.findall(r'<a id="([^"]+)">', text(page)))


def test_sources_cite_sections_and_ids_that_exist() -> None:
    sections = headings(ROOT / "docs/api.md")
    ids = set(re.findall(r"(?m)^\| .*?(A\d+) \|", text(ROOT / "docs/assumptions.md")))
    citations = 0
    wrong: list[str] = []
    for path in FILES:
        if path.suffix not in SOURCES or path == Path(__file__):
            continue
        flat = COMMENT.sub(" ", text(path))
        for match in re.finditer(r"(\S*)\b(api|design|assumptions)\.md\b(?:, \"([^\"]+)\"|, (A\d+))?", flat):
            folder, page, section, identifier = match.groups()
            citations += 1
            exact = folder.lstrip("(`[").removeprefix("../") == "docs/"
            exists = {"api": section in sections, "assumptions": identifier is None or identifier in ids}.get(
                page, False
            )
            if not (exact and exists):
                wrong.append(f"{path.relative_to(ROOT)}: {match.group()}")
        for record in re.findall(r"docs/decisions/[\w.-]+\.md", flat):
            citations += 1
            if not (ROOT / record).is_file():
                wrong.append(f"{path.relative_to(ROOT)}: {record}")
    assert not wrong
    assert citations > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
        path, _, anchor = REPOSITORY.sub("/", link).partition("#")
        if "://" in path:
            continue
        target = (ROOT / path[1:] if path.startswith("/") else page.parent / path) if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_the_facts_list_each_call_of_the_description() -> None:
    description = json.loads(text(ROOT / "sandbox/src/openapi.json"))
    described = {(method.upper(), path) for path, methods in description["paths"].items() for method in methods}
    listed = set(re.findall(r"(?m)^\| (GET|POST) (/api/\S+) \|", text(ROOT / "docs/api.md")))
    assert listed == described
