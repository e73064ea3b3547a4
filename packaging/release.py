"""Keeps the version the same everywhere. It stands in Cargo.toml (`workspace.package`), and all other places follow it.

release.py check [TAG]            checks that all places say the same, and that TAG, such as release-1.2.3, says it too
release.py VERSION                prepares a release: the version, the lock files, and the heading of CHANGELOG.md
release.py manifest FOLDER [URL]  makes Package.swift download what is in FOLDER, from the release or from URL, for the
                                  commit that SwiftPM's users get
"""

from __future__ import annotations

import datetime
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = ROOT / "CHANGELOG.md"
UNRELEASED = re.compile(r"\A(# .+\n+)## (?:(\S+), )?not yet released\n", re.IGNORECASE)
DOWNLOADS = "https://github.com/proxymesh/proxymesh-sdk/releases/download"

# How the version is written, in any file. `%` is the version. In what cargo calls a requirement, it is the first two
# numbers of the version.
FULL = [
    r'\[workspace\.package\]\nversion = "%"',
    r'proxymesh = \{ path = "core", version = "%"',
    r'name = "proxymesh(?!-fuzz)[\w-]*"\nversion = "%"',  # lock files
    r"<groupId>com\.proxymesh</groupId>\s*<artifactId>proxymesh[\w-]*</artifactId>\s*<version>%</version>",
    r"com\.proxymesh:proxymesh[\w-]*:%",
    r'proxymesh-sdk", from: "%"',
    r'VERSION: String = "%"',  # Interface.kt
    r'package let version = "%"',  # Interface.swift
    r'proxymesh-cli == %"',  # pyproject.toml
    r'proxymesh-(?:gateway|sandbox) = \{ path = "\.\./(?:gateway|sandbox)", version = "%"',  # cli/Cargo.toml
]
REQUIREMENTS = [
    r'(?m)^proxymesh(?:-sandbox)? = "%"',
    r'proxymesh(?:-sandbox)? = \{ version = "%"',
]
PLACES = [
    *((re.compile(each.replace("%", r"(?P<version>\d+\.\d+\.\d+)")), False) for each in FULL),
    *((re.compile(each.replace("%", r"(?P<version>\d+\.\d+)")), True) for each in REQUIREMENTS),
]


def refuse(why: str) -> NoReturn:
    raise SystemExit(f"release.py: {why}")


def git(*arguments: str) -> list[str]:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def current() -> str:
    found = PLACES[0][0].search((ROOT / "Cargo.toml").read_text())
    return found["version"] if found else refuse("Cargo.toml has no version")


def wanted(version: str, requirement: bool) -> str:
    return version.rpartition(".")[0] if requirement else version


def replaced(pattern: re.Pattern[str], text: str, version: str) -> str:
    return pattern.sub(lambda found: found[0].replace(found["version"], version), text)


def sources() -> Iterator[tuple[Path, str]]:
    """The tracked text files, without the changelog, which has all versions, and this program."""
    for name in git("ls-files"):
        path = ROOT / name
        if path in (CHANGELOG, Path(__file__)) or path.is_symlink() or not path.is_file():
            continue
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def check(tag: str | None) -> None:
    version = current()
    problems = []
    places, used = 0, set()
    for path, text in sources():
        rest = text
        for pattern, requirement in PLACES:
            for found in pattern.finditer(text):
                places += 1
                used.add(pattern)
                if found["version"] != wanted(version, requirement):
                    line = text.count("\n", 0, found.start("version")) + 1
                    problems.append(f"{path.relative_to(ROOT)}:{line} says {found['version']}")
            rest = pattern.sub("", rest)
        problems += [
            f"{path.relative_to(ROOT)} has a version that release.py does not know: {line.strip()}"
            for line in rest.splitlines()
            if "proxymesh" in line.lower() and re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.])", line)
        ]
    problems += [f"no file has {pattern.pattern}" for pattern, _ in PLACES if pattern not in used]
    changes = CHANGELOG.read_text()
    if tag is None:
        if not UNRELEASED.match(changes) and f"\n## {version}, " not in changes:
            problems.append(f"CHANGELOG.md has no heading for {version}")
    else:
        if tag != f"release-{version}":
            problems.append(f"the tag {tag} is not release-{version}")
        if not re.search(rf"\A# .+\n+## {re.escape(version)}, \d{{4}}-\d\d-\d\d\n", changes):
            problems.append(f"CHANGELOG.md does not begin with {version} and a date")
    if problems:
        refuse(f"the version is {version}, but\n  " + "\n  ".join(problems))
    print(f"{places} places say {version}")


def prepare(version: str) -> None:
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        refuse(f"{version} is not a version: write three numbers, such as 1.2.3")
    if git("status", "--porcelain"):
        refuse("there are changes that are not committed")
    tags = [found[1] for tag in git("tag") if (found := re.fullmatch(r"(?:release-)?(\d+\.\d+\.\d+)", tag))]
    if version in tags:
        refuse(f"{version} has a tag")
    newest = max(tags, key=numbers, default=None)
    if (newest and numbers(version) < numbers(newest)) or numbers(version) < numbers(current()):
        refuse(f"{version} is not greater than {newest or current()}")
    changes = CHANGELOG.read_text()
    heading = UNRELEASED.match(changes)
    if not heading:
        refuse("CHANGELOG.md does not begin with changes that are not yet released")
    if numbers(version) == numbers(current()) and heading[2] != version:
        refuse(f"{version} is not greater than {current()}")

    today = datetime.datetime.now(datetime.timezone.utc).date()
    CHANGELOG.write_text(f"{heading[1]}## {version}, {today}\n{changes[heading.end() :]}")
    for path, text in sources():
        changed = text
        for pattern, requirement in PLACES:
            changed = replaced(pattern, changed, wanted(version, requirement))
        if changed != text:
            path.write_text(changed, encoding="utf-8")
    check(None)
    print(f"Next: read `git diff`, commit, merge, then set the tag: git tag --sign release-{version}")


def manifest(folder: Path, url: str) -> None:
    """Replaces the path of each binary target by the link to its archive below `url`, and the archive's checksum."""
    path = ROOT / "Package.swift"

    def link(found: re.Match[str]) -> str:
        archive = folder / f"{Path(found['path']).name}.zip"
        checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
        return f'url: "{url}/{archive.name}", checksum: "{checksum}"'

    target = r'(?P<before>\.binaryTarget\(\s*name: "\w+",\s*)path: "(?P<path>[^"]+)"'
    changed, count = re.subn(target, lambda found: found["before"] + link(found), path.read_text())
    if not count:
        refuse("Package.swift has no binary target with a path")
    path.write_text(changed)


def main() -> None:
    match sys.argv[1:]:
        case ["check"]:
            check(None)
        case ["check", tag]:
            check(tag)
        case ["manifest", folder]:
            manifest(Path(folder), f"{DOWNLOADS}/{current()}")
        case ["manifest", folder, url]:
            manifest(Path(folder), url)
        case [version] if version[:1].isdigit():
            prepare(version)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
