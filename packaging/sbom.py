"""Writes the CycloneDX SBOM of an artifact: sbom.py NAME [FILE], where NAME is as in `make dist ONLY=NAME`.

It lists the crates that are linked into the artifact, as cargo resolves them for its platforms, and for `maven` also
the dependencies in the POMs. Crates that only build the artifact, such as those with macros, are not listed. The same
commit gives the same bytes: there is no serial number, no time and no path.
"""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dist import PLATFORMS, WHEELS_ONLY

ROOT = Path(__file__).resolve().parents[1]
MAVEN_PLUGIN = "org.cyclonedx:cyclonedx-maven-plugin:makeAggregateBom"

PYTHON = ("proxymesh-python",)
FFI = ("proxymesh-ffi", "--no-default-features")
SANDBOX = ("proxymesh-sandbox",)
ANDROID = ["aarch64-linux-android", "armv7-linux-androideabi", "x86_64-linux-android", "i686-linux-android"]
APPLE = [
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "aarch64-apple-ios",
    "aarch64-apple-ios-sim",
    "x86_64-apple-ios",
]


class Artifact(NamedTuple):
    """What an artifact is: the sources of our own crates, or what is built from them for some targets."""

    kind: str
    purl: str
    builds: Sequence[tuple[tuple[str, ...], list[str]]] = ()
    sources: Sequence[str] = ()
    maven: bool = False


def artifacts() -> dict[str, Artifact]:
    """Every artifact of a release, by name."""
    swift, java = "pkg:swift/github.com/proxymesh/proxymesh-sdk", "pkg:maven/com.proxymesh/proxymesh"
    published = ["proxymesh", "proxymesh-sandbox"]
    libraries = [platform.triple for name, platform in PLATFORMS.items() if name not in WHEELS_ONLY]
    # The program for Linux is linked with musl, and runs on all distributions.
    programs = {
        name: platform.triple.replace("linux-gnu", "linux-musl")
        for name, platform in PLATFORMS.items()
        if name not in WHEELS_ONLY and "musl" not in name
    }
    linux = [PLATFORMS[name].triple for name in ("linux-x86_64", "linux-aarch64")]
    found = {
        "sdist": Artifact("library", "pkg:pypi/proxymesh", sources=["proxymesh-python", *published]),
        "crates": Artifact("library", "pkg:cargo/proxymesh", sources=published),
        "maven": Artifact("library", java, [(FFI, libraries), (SANDBOX, [*programs.values()])], maven=True),
        "aar": Artifact("library", f"{java}-android", [(FFI, ANDROID)]),
        "xcframework": Artifact("library", swift, [(FFI, APPLE)]),
        "artifactbundle": Artifact("library", swift, [(FFI, linux)]),
    }
    for name, platform in PLATFORMS.items():
        for threads in ("",) if name in WHEELS_ONLY else ("", "-3.14t"):
            found[f"wheel-{platform.wheel}{threads}"] = Artifact(
                "library", "pkg:pypi/proxymesh", [(PYTHON, [platform.triple])]
            )
        if name not in WHEELS_ONLY:
            found[f"native-{name}"] = Artifact("library", f"{java}-native", [(FFI, [platform.triple])])
        if name in programs:
            found[f"sandbox-{name}"] = Artifact(
                "application", "pkg:cargo/proxymesh-sandbox", [(SANDBOX, [programs[name]])]
            )
    return found


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


@functools.cache
def tree(package: tuple[str, ...], target: str) -> dict[str, set[str]]:
    """Every crate that is linked, as `name version`, and the crates that it uses."""
    listed = output(
        *("cargo", "tree", "--locked", "--quiet", "--package", *package, "--target", target),
        *("--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}"),
    )
    uses: dict[str, set[str]] = {}
    above: list[str] = []
    for depth, name, version in re.findall(r"(?m)^(\d+) (\S+) v(\S+)", listed):
        crate = f"{name} {version}"
        above = [*above[: int(depth)], crate]
        uses.setdefault(crate, set())
        if len(above) > 1:
            uses[above[-2]].add(crate)
    return uses


@functools.cache
def described() -> dict[str, dict[str, Any]]:
    """What cargo and the lock file say of each crate."""
    metadata = json.loads(output("cargo", "metadata", "--locked", "--quiet", "--format-version=1"))
    lock = (ROOT / "Cargo.lock").read_text()
    hashes = {
        f"{name} {version}": digest
        for name, version, digest in re.findall(
            r'name = "(\S+)"\nversion = "(\S+)"\nsource = "registry\S+"\nchecksum = "(\w+)"', lock
        )
    }
    crates = {}
    for package in metadata["packages"]:
        crate = f"{package['name']} {package['version']}"
        purl = f"pkg:cargo/{package['name']}@{package['version']}"
        about: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": package["name"]}
        about |= {"version": package["version"], "purl": purl}
        if package["description"]:
            about["description"] = " ".join(package["description"].split())
        if crate in hashes:
            about["hashes"] = [{"alg": "SHA-256", "content": hashes[crate]}]
        about["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if package["repository"]:
            about["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        crates[crate] = about
    return crates


def poms() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The components and dependencies that the POMs declare, and what these need."""
    repository = ROOT / "target/maven"
    mvn = shutil.which("mvn")
    if mvn is None:
        raise SystemExit("mvn was not found")
    with tempfile.TemporaryDirectory() as folder:
        command = [mvn, "--batch-mode", "--quiet", f"-Dmaven.repo.local={repository}", f"-DoutputDirectory={folder}"]
        # Its warnings are about the keywords of its own schema.
        command.append("-Dorg.slf4j.simpleLogger.defaultLogLevel=error")
        subprocess.run([*command, MAVEN_PLUGIN], cwd=ROOT / "bindings-ffi/kotlin", check=True, stdout=sys.stderr)
        bom = json.loads((Path(folder) / "bom.json").read_text())
    parent = bom["metadata"]["component"]["bom-ref"]
    return bom["components"], [needs for needs in bom["dependencies"] if needs["ref"] != parent]


def sbom(name: str) -> dict[str, Any]:
    artifact = artifacts()[name]
    crates = described()
    version = next(about["version"] for about in crates.values() if about["name"] == "proxymesh")
    roots = {f"{crate} {version}" for crate in artifact.sources}
    uses: dict[str, set[str]] = {crate: set() for crate in roots}
    for package, targets in artifact.builds:
        roots.add(f"{package[0]} {version}")
        for target in targets:
            for crate, needed in tree(package, target).items():
                uses.setdefault(crate, set()).update(needed)
    components = [crates[crate] for crate in sorted(uses)]
    needs = [(crates[crate]["purl"], [crates[each]["purl"] for each in needed]) for crate, needed in uses.items()]
    top = f"{artifact.purl}@{version}#{name}"
    needs.append((top, [crates[crate]["purl"] for crate in roots]))
    dependencies = [{"ref": ref, "dependsOn": sorted(needed)} for ref, needed in sorted(needs)]
    if artifact.maven:
        declared, between = poms()
        components += declared
        dependencies += between
        next(each for each in dependencies if each["ref"] == top)["dependsOn"] += [
            each["bom-ref"] for each in declared if each["group"] == "com.proxymesh"
        ]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": artifact.kind,
                "bom-ref": top,
                "name": name,
                "version": version,
                "purl": f"{artifact.purl}@{version}",
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
            }
        },
        "components": components,
        "dependencies": dependencies,
    }


def main() -> None:
    name, *file = sys.argv[1:]
    if name not in artifacts():
        raise SystemExit(f"{name} is not an artifact: {', '.join(sorted(artifacts()))}")
    text = json.dumps(sbom(name), indent=2, ensure_ascii=False) + "\n"
    if file:
        path = Path(file[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
