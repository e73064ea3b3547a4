"""The pages are correct: what they and the sources cite exists, and their numbers match the code.

They cite sections of docs/api.md, ids of docs/assumptions.md, decision records and links.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import proxymesh
import pytest

from .support.calls import ROOT

SOURCES = {".rs", ".py", ".pyi", ".kt", ".java", ".swift", ".toml", ".sh", ".yaml"}
REPOSITORY = re.compile(r"https://github\.com/proxymesh/proxymesh-sdk/(?:blob|tree)/main/")
COMMENT = re.compile(r"\s*\n\s*(?://[/!]?|#|\*)?\s*")


def files() -> list[Path]:
    """All files of this repository, except build output and hidden folders."""
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
    """The anchors of a page, as GitHub names them."""
    of_headings = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}
    return of_headings | set(re.findall(r'<a id="([^"]+)">', text(page)))


def test_sections_and_ids_cited_in_sources_exist() -> None:
    sections = headings(ROOT / "docs/api.md")
    ids = set(re.findall(r"(?m)^\| .*?(A\d+) \|", text(ROOT / "docs/assumptions.md")))
    citations = 0
    wrong: list[str] = []
    for path in FILES:
        if path.suffix not in SOURCES or path in {Path(__file__), ROOT / "docs/generate.py"}:  # they name the pages
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
def test_the_links_of_a_page_work(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
        path, _, anchor = REPOSITORY.sub("/", link).partition("#")
        if "://" in path:
            continue
        target = (ROOT / path[1:] if path.startswith("/") else page.parent / path) if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def section(page: str, heading: str) -> str:
    return re.split(r"(?m)^#+ ", text(ROOT / page).split(f"# {heading}\n", 1)[1])[0]


def test_the_readme_lists_each_method_of_the_client() -> None:
    rows = re.findall(r"(?m)^\| `client\.(\w+)` \| (.*) \|$", section("README.md", "Calls"))
    listed = {resource: set(re.findall(r"`\.(\w+)\(", methods)) for resource, methods in rows}
    for resource, method in re.findall(r"`client\.(\w+)\.(\w+)\(", section("README.md", "Calls")):
        listed[resource].add(method)
    with proxymesh.Client("parent", "parent-password", base_url="http://127.0.0.1:9") as client:
        members = {name: getattr(client, name) for name in vars(proxymesh.Client) if not name.startswith("_")}
    handles = {name: member for name, member in members.items() if type(member).__module__ == "proxymesh"}
    assert listed == {
        name: {method for method in dir(handle) if not method.startswith("_")} for name, handle in handles.items()
    }


def test_the_limits_in_the_readme_match_the_benchmark() -> None:
    report = text(ROOT / "tests/bench/report.py")
    names = dict(re.findall(r'(?m)^(RAW|OURS) = "(.*)"$', report))
    goals = set()
    for node in ast.walk(ast.parse(report)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Goal":
            what, unit, bound = (eval(ast.unparse(part), names.copy()) for part in node.args[:3])
            goals.add((what, f"{bound} {unit}"))
    limits = re.findall(r"(?m)^\* (.*): at most (\d.*)$", section("README.md", "Performance"))
    assert limits
    assert set(limits) <= goals


SCRAPY = r"Scrapy (\d+\.\d+) or later"
VERSIONS = [
    # `make release-check` compares the versions of the release itself.
    ("README.md", r"Rust \((\S+) or later", "Cargo.toml", r'rust-version = "(.*)"'),
    ("README.md", r"Python \((\S+) or later", "pyproject.toml", r'requires-python = ">=(.*)"'),
    ("README.md", r"CPython (\S+) and later", "pyproject.toml", r'requires-python = ">=(.*)"'),
    ("README.md", r"Java (\d+) and Kotlin", "bindings-ffi/kotlin/pom.xml", r"<jvmTarget>(.*)</jvmTarget>"),
    ("README.md", r"Kotlin (\S+) or later", "bindings-ffi/kotlin/consumer-versions.sh", r"set -- (\d+\.\d+)"),
    ("README.md", r"needs Swift (\d+)", "Package.swift", r"swift-tools-version:(\d+)"),
    ("README.md", r"OpenAPI (\d+\.\d+)", "docs/openapi.yaml", r"(?m)^openapi: \W?(\d+\.\d+)"),
    ("docs/scraping.md", SCRAPY, "bindings-python/python/proxymesh/scrapy.py", SCRAPY),
]


@pytest.mark.parametrize(("page", "said", "source", "true"), VERSIONS)
def test_the_versions_in_a_page_match_the_build(page: str, said: str, source: str, true: str) -> None:
    versions = set(re.findall(said, text(ROOT / page)))
    assert len(versions) == 1
    assert versions & set(re.findall(true, text(ROOT / source)))


def test_the_tests_that_prove_what_each_language_has_exist() -> None:
    names = {path.name for path in FILES}
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.-]+|test_\w+\.py|[A-Z]\w+Tests?)`", text(ROOT / "docs/languages.md")))
    assert len(named) > 10
    missing = {
        name
        for name in named
        if not (ROOT / name).exists()
        and not any(f"{name}{ending}" in names for ending in ("", ".java", ".kt", ".swift"))
    }
    assert not missing
