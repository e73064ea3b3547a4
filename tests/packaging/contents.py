"""Checks that the packages contain what they must, and nothing else: contents.py WHEEL SDIST."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LICENSES = {"LICENSE-APACHE", "LICENSE-MIT"}
NOTICES = "bindings-python/THIRD-PARTY-NOTICES"
# The source distribution's files other than the sources of its crates and of the Python package.
AROUND = {
    *LICENSES,
    NOTICES,
    "Cargo.lock",
    "Cargo.toml",
    "PKG-INFO",
    "README.md",
    "pyproject.toml",
    "bindings-python/Cargo.toml",
    "core/Cargo.toml",
    "core/LICENSE-APACHE",
    "core/LICENSE-MIT",
    "core/README.md",
    "sandbox/Cargo.toml",
    "sandbox/LICENSE-APACHE",
    "sandbox/LICENSE-MIT",
    "sandbox/README.md",
}
SOURCES = ("bindings-python/python/proxymesh/", "bindings-python/src/", "core/src/", "sandbox/src/")
CLASSIFIERS = [f"Classifier: Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)]
URLS = [f"Project-URL: {name}, https://" for name in ("Homepage", "Documentation", "Repository", "Issues", "Changelog")]


def sources() -> set[str]:
    """The source files that git tracks or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SOURCES],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


def check_metadata(text: str) -> None:
    for wanted in [
        *CLASSIFIERS,
        *URLS,
        "License-Expression: MIT OR Apache-2.0",
        "Description-Content-Type: text/markdown",
    ]:
        assert wanted in text, wanted
    check_links(text)


def check_links(text: str) -> None:
    """A package index shows the README without the repository's other files, so relative links would be broken."""
    relative = re.findall(r"\]\((?!https://)[^)]*\)", text)
    assert not relative, f"relative links: {relative}"
    base = "https://github.com/proxymesh/proxymesh-sdk"
    for kind, name in re.findall(rf"{base}/(blob|tree)/main/([^)#\s]+)", text):
        path = ROOT / name
        assert path.is_dir() if kind == "tree" else path.is_file(), f"a link to {name}, which is not there"


def check_wheel(path: Path) -> None:
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        info = next(name for name in names if name.endswith(".dist-info/METADATA")).removesuffix("METADATA")
        for name in {*LICENSES, NOTICES}:
            packed = wheel.read(f"{info}licenses/{name}")
            assert packed == (ROOT / name).read_bytes(), name
        check_metadata(wheel.read(f"{info}METADATA").decode())
        python = {name.removeprefix("bindings-python/python/") for name in sources() if name.startswith(SOURCES[0])}
        others = {name for name in names if not name.startswith(info)} - python
    assert python <= names, python - names
    assert all(re.fullmatch(r"proxymesh/_proxymesh\.[\w.-]*(so|pyd)", name) for name in others), others
    assert len(others) == 1, others


def check_sdist(path: Path) -> None:
    with tarfile.open(path) as sdist:
        folder = path.name.removesuffix(".tar.gz")
        names = {name.removeprefix(f"{folder}/") for name in sdist.getnames()}
        about = sdist.extractfile(f"{folder}/PKG-INFO")
        assert about is not None
        check_metadata(about.read().decode())
        links = [member.name for member in sdist if not member.isfile()]
    assert not links, links
    wanted = AROUND | sources()
    assert names == wanted, f"missing {sorted(wanted - names)}, not wanted {sorted(names - wanted)}"


def check_crate(folder: str, package: str) -> None:
    command = ["cargo", "package", "--list", "--allow-dirty", "--quiet", "--package", package]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    generated = {".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig"}
    wanted = {*generated, *LICENSES, "README.md"}
    wanted |= {name.removeprefix(f"{folder}/") for name in sources() if name.startswith(f"{folder}/src/")}
    assert set(listed) == wanted, set(listed) ^ wanted
    for name in LICENSES:
        assert (ROOT / folder / name).read_bytes() == (ROOT / name).read_bytes(), f"{folder}/{name} differs from {name}"
    described = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"]
    metadata = json.loads(subprocess.run(described, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    about = next(found for found in metadata["packages"] if found["name"] == package)
    for field in (
        "description",
        "documentation",
        "homepage",
        "keywords",
        "categories",
        "license",
        "readme",
        "repository",
    ):
        assert about[field], field
    check_links((ROOT / folder / about["readme"]).read_text())


def main() -> None:
    wheel, sdist = map(Path, sys.argv[1:])
    check_wheel(wheel)
    check_sdist(sdist)
    check_crate("core", "proxymesh")
    check_crate("sandbox", "proxymesh-sandbox")
    print("4 passed, 0 failed")


main()
