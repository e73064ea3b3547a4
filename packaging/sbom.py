"""Writes the CycloneDX SBOM of an artifact: sbom.py NAME, where NAME is as in `make dist ONLY=NAME`.

`make dist` writes it to `dist/sbom/`. It lists the crates that are linked into the artifact, as cargo resolves them for
its platforms, Rust's standard library, and what the linker adds from other sources. Crates that only build the
artifact, such as those with macros, are not listed. The SBOM of `maven` lists what those of its parts list, which were
written where the parts were built, and the dependencies in the POMs. The same commit and the same compiler give the
same bytes: there is no serial number, no time and no path.

Not listed: the four functions of glibc that zig links for the older glibc, whose licence asks for nothing in this case,
and what MinGW-w64 and GCC add to a build for Windows on Linux, which is not published.
"""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import maven
from android import ABIS
from dist import CLI_ONLY, DIST, PLATFORMS, ROOT, WHEELS_ONLY, Missing
from swift import APPLE

MAVEN_PLUGIN = "org.cyclonedx:cyclonedx-maven-plugin:makeAggregateBom"

PYTHON = ("proxymesh-python",)
FFI = ("proxymesh-ffi", "--no-default-features")
SANDBOX = ("proxymesh-sandbox",)
CLI = ("proxymesh-cli",)
# What zig links statically, in the versions that `ziglang` in requirements.txt has.
ZIG = "0.15.2"
MUSL, UNWIND = "1.2.5", "20.1.2"


class Artifact(NamedTuple):
    """What an artifact is: the sources of our own crates, or what is built from them for some targets."""

    kind: str
    purl: str
    builds: Sequence[tuple[tuple[str, ...], list[str]]] = ()
    sources: Sequence[str] = ()
    parts: Sequence[str] = ()
    """The artifacts that are packed into this one."""


def artifacts() -> dict[str, Artifact]:
    """Every artifact of a release, by name."""
    swift, java = "pkg:swift/github.com/proxymesh/proxymesh-sdk", "pkg:maven/com.proxymesh/proxymesh"
    published = ["proxymesh", "proxymesh-sandbox"]
    # The program for Linux is linked with musl, and runs on all distributions.
    programs = {
        name: platform.triple.replace("linux-gnu", "linux-musl")
        for name, platform in PLATFORMS.items()
        if name not in WHEELS_ONLY and "musl" not in name
    }
    linux = [PLATFORMS[name].triple for name in ("linux-x86_64", "linux-aarch64")]
    found = {
        "sdist": Artifact("library", "pkg:pypi/proxymesh", sources=["proxymesh-python", *published]),
        "crates": Artifact(
            "library", "pkg:cargo/proxymesh", sources=[*published, "proxymesh-gateway", "proxymesh-cli"]
        ),
        "aar": Artifact("library", f"{java}-android", [(FFI, [triple for triple, _ in ABIS.values()])]),
        "xcframework": Artifact("library", swift, [(FFI, [*APPLE])]),
        "artifactbundle": Artifact("library", swift, [(FFI, linux)]),
    }
    for name, platform in PLATFORMS.items():
        names = [] if name in CLI_ONLY else [f"wheel-{platform.wheel}"]
        if name not in WHEELS_ONLY:
            names.append(f"wheel-{platform.wheel}-3.14t")
        for each in names:
            found[each] = Artifact("library", "pkg:pypi/proxymesh", [(PYTHON, [platform.triple])])
        found[f"cli-wheel-{platform.wheel}"] = Artifact(
            "application", "pkg:pypi/proxymesh-cli", [(CLI, [platform.triple])]
        )
        if name not in WHEELS_ONLY:
            found[f"native-{name}"] = Artifact("library", f"{java}-native", [(FFI, [platform.triple])])
        if name in programs:
            found[f"sandbox-{name}"] = Artifact(
                "application", "pkg:cargo/proxymesh-sandbox", [(SANDBOX, [programs[name]])]
            )
            found[f"cli-{name}"] = Artifact("application", "pkg:cargo/proxymesh-cli", [(CLI, [programs[name]])])
    parts = [f"native-{name}" for name in maven.libraries()] + [f"sandbox-{name}" for name in maven.programs()]
    found["maven"] = Artifact("library", java, parts=parts)
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


def component(name: str, version: str | None, licence: str, purl: str, source: str) -> dict[str, Any]:
    purl += f"@{version}" if version else ""
    about = {"type": "library", "bom-ref": purl, "name": name} | ({"version": version} if version else {})
    return about | {
        "purl": purl,
        "licenses": [{"expression": licence}],
        "externalReferences": [{"type": "website", "url": source}],
    }


def linked(name: str, package: tuple[str, ...], target: str) -> Iterator[dict[str, Any]]:
    """What is linked into an artifact besides its crates."""
    rust = output("rustc", "--version").split()[1]
    licence, source = "MIT OR Apache-2.0", "https://github.com/rust-lang/rust"
    yield component("rust-std", rust, licence, "pkg:generic/rust-std", source)
    program = package in (SANDBOX, CLI)
    # A static library has nothing from the linker. zig.py says which libraries use the system's libgcc_s.
    unwinds = program or "musl" in target or target.startswith("arm") or name == "aar"
    if "linux" in target and unwinds and name != "artifactbundle":
        version = None if name == "aar" else UNWIND  # the NDK has its own
        licence, source = "Apache-2.0 WITH LLVM-exception", "https://github.com/llvm/llvm-project"
        yield component("libunwind", version, licence, "pkg:generic/llvm-libunwind", source)
    if program and "musl" in target:
        yield component("musl", MUSL, "MIT", "pkg:generic/musl", "https://musl.libc.org")
        yield component("compiler_rt", ZIG, "MIT", "pkg:generic/zig-compiler-rt", "https://ziglang.org")


def merged(parts: Sequence[str], folder: Path) -> tuple[dict[str, dict[str, Any]], dict[str, set[str]], set[str]]:
    """The components of an artifact's parts, what each needs, and those that the parts themselves need."""
    if lacking := [part for part in parts if not (folder / f"{part}.cdx.json").exists()]:
        raise Missing(f'dist/ lacks the SBOMs of its parts: first run make dist ONLY="{" ".join(lacking)}"')
    components: dict[str, dict[str, Any]] = {}
    uses: dict[str, set[str]] = {}
    roots: set[str] = set()
    for part in parts:
        bom = json.loads((folder / f"{part}.cdx.json").read_text(encoding="utf-8"))
        components |= {each["bom-ref"]: each for each in bom["components"]}
        for each in bom["dependencies"]:
            top = each["ref"] == bom["metadata"]["component"]["bom-ref"]
            (roots if top else uses.setdefault(each["ref"], set())).update(each["dependsOn"])
    return components, uses, roots


def sbom(name: str, parts: Path = DIST / "sbom") -> dict[str, Any]:
    """The SBOM of an artifact. Those of its parts are in the folder `parts`."""
    artifact = artifacts()[name]
    crates = described()
    version = next(about["version"] for about in crates.values() if about["name"] == "proxymesh")
    found, uses, roots = merged(artifact.parts, parts)
    for crate in artifact.sources:
        about = crates[f"{crate} {version}"]
        found[about["bom-ref"]] = about
        roots.add(about["bom-ref"])
    for package, targets in artifact.builds:
        roots.add(crates[f"{package[0]} {version}"]["bom-ref"])
        for target in targets:
            for crate, needed in tree(package, target).items():
                ref = crates[crate]["bom-ref"]
                found[ref] = crates[crate]
                uses.setdefault(ref, set()).update(crates[each]["bom-ref"] for each in needed)
            for about in linked(name, package, target):
                found[about["bom-ref"]] = about
                roots.add(about["bom-ref"])
    if artifact.parts:
        declared, between = poms()
        found |= {about["bom-ref"]: about for about in declared}
        uses |= {each["ref"]: set(each["dependsOn"]) for each in between}
        roots |= {about["bom-ref"] for about in declared if about["group"] == "com.proxymesh"}
    top = f"{artifact.purl}@{version}#{name}"
    uses |= {ref: uses.get(ref, set()) for ref in found} | {top: roots}
    components = [found[ref] for ref in sorted(found)]
    dependencies = [{"ref": ref, "dependsOn": sorted(uses[ref])} for ref in sorted(uses)]
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


def write(name: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(sbom(name), indent=2, ensure_ascii=False) + "\n"
    file.write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    (name,) = sys.argv[1:]
    if name not in artifacts():
        raise SystemExit(f"{name} is not an artifact: {', '.join(sorted(artifacts()))}")
    json.dump(sbom(name), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
