"""Checks the SBOM of every artifact: sboms.py [NAME…].

It must follow CycloneDX's schema, contain no path and no time, and list exactly the crates that cargo would compile for
the artifact's platforms, and what is linked besides. deny.toml must allow each licence.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import get_spdx_licensing

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import sbom  # noqa: E402

VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)
LICENSING = get_spdx_licensing()
ALLOWED = set(re.findall(r'"(\S.*)"', (ROOT / "deny.toml").read_text().partition("allow = [")[2].partition("]")[0]))


@functools.cache
def compiled(package: tuple[str, ...], target: str) -> set[str]:
    """The crates that cargo would compile for the target, rather than for the machine that builds."""
    # Cargo's plan of the build has no stable name yet.
    command = ["cargo", "build", "--unit-graph", "-Zunstable-options", "--locked", "--release", "--target", target]
    plan = subprocess.run(
        [*command, "--package", *package],
        cwd=ROOT,
        env={**os.environ, "RUSTC_BOOTSTRAP": "1"},
        check=True,
        stdout=subprocess.PIPE,
    )
    crates = set()
    for unit in json.loads(plan.stdout)["units"]:
        if unit["platform"] == target and unit["mode"] == "build":
            name, version = re.findall(r"(?:#|/)([\w-]+)[#@](\d\S+)$", unit["pkg_id"])[0]
            crates.add(f"{name} {version}")
    return crates


def allowed(choice: dict[str, Any]) -> bool:
    if "license" in choice:
        return choice["license"].get("id") in ALLOWED
    expression = LICENSING.parse(choice["expression"])
    true, false = LICENSING.TRUE, LICENSING.FALSE
    return bool(
        expression.subs({each: true if str(each) in ALLOWED else false for each in expression.symbols}).simplify()
        == true
    )


def others(name: str) -> set[str]:
    """What must be listed that is neither a crate nor in a POM."""
    if name in ("sdist", "crates"):
        return set()
    found = {"rust-std"}
    static = name.startswith(("sandbox-linux", "cli-linux", "cli-wheel-musllinux")) or name == "maven"
    if static or "musl" in name or name == "aar" or name.startswith("cli-wheel-manylinux"):
        found.add("libunwind")
    if static:
        found |= {"musl", "compiler_rt"}
    return found


def check(name: str, folder: Path) -> int:
    """Returns the number of components."""
    artifact = sbom.artifacts()[name]
    for part in artifact.parts:
        if not (folder / f"{part}.cdx.json").exists():
            check(part, folder)
    bom = sbom.sbom(name, folder)
    text = json.dumps(bom)
    assert (problem := VALIDATOR.validate_str(text)) is None, problem
    assert not re.search(r'"(serialNumber|timestamp)"|file:|/home/|/Users/', text)
    assert str(ROOT) not in text
    wanted = {f"{crate} {bom['metadata']['component']['version']}" for crate in artifact.sources}
    for part in [name, *artifact.parts]:
        for package, targets in sbom.artifacts()[part].builds:
            for target in targets:
                wanted |= compiled(package, target)
    crates = {f"{each['name']} {each['version']}" for each in bom["components"] if "pkg:cargo/" in each["purl"]}
    assert crates == wanted, f"missing {sorted(wanted - crates)}, not wanted {sorted(crates - wanted)}"
    assert {each["name"] for each in bom["components"] if "pkg:generic/" in each["purl"]} == others(name)
    for component in bom["components"]:
        assert any(map(allowed, component["licenses"])), f"{component['purl']} has {component['licenses']}"
    (folder / f"{name}.cdx.json").write_text(text)
    return len(bom["components"])


def main() -> None:
    assert f"ziglang=={sbom.ZIG}\n" in (ROOT / "packaging/requirements.txt").read_text(), "zig has another version"
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or sbom.artifacts():
            print(f"{name}: {check(name, Path(folder))} components", flush=True)


if __name__ == "__main__":
    main()
