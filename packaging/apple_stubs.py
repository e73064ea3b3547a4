"""Makes enough of Apple's SDK to link for macOS with zig on Linux: apple_stubs.py FOLDER

The headers and libSystem come from zig. The frameworks are lists of the names that the crates declare: Security and
CoreFoundation, which have the system's certificates. This shows that everything compiles and links. A release is built
on a Mac, with Apple's SDK.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ziglang  # type: ignore[import-not-found]  # it is installed by `make dist`

ROOT = Path(__file__).resolve().parents[1]
FRAMEWORKS = {"Security": "security-framework-sys", "CoreFoundation": "core-foundation-sys"}
DECLARED = re.compile(r"pub (?:fn|static(?: mut)?) (\w+)")
STUB = """\
--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos, arm64-macos, arm64-ios ]
install-name:    '{name}'
current-version: 1
compatibility-version: 1
exports:
  - targets:     [ x86_64-macos, arm64-macos, arm64-ios ]
    symbols:     [ {symbols} ]
...
"""


def sources() -> dict[str, Path]:
    """The folder of each crate's source code."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    found = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return {package["name"]: Path(package["manifest_path"]).parent / "src" for package in found["packages"]}


def main() -> None:
    """Writes the stubs."""
    sdk = Path(sys.argv[1])
    darwin = Path(ziglang.__file__).parent / "lib/libc"
    shutil.rmtree(sdk, ignore_errors=True)
    shutil.copytree(darwin / "include/any-macos-any", sdk / "usr/include")
    (sdk / "usr/lib").mkdir()
    shutil.copy(darwin / "darwin/SDKSettings.json", sdk)
    for library in ("System", "c", "m", "iconv", "objc"):
        shutil.copy(darwin / "darwin/libSystem.tbd", sdk / f"usr/lib/lib{library}.tbd")
    crates = sources()
    for framework, crate in FRAMEWORKS.items():
        names = {name for file in crates[crate].rglob("*.rs") for name in DECLARED.findall(file.read_text())}
        folder = sdk / f"System/Library/Frameworks/{framework}.framework"
        folder.mkdir(parents=True)
        installed = f"/System/Library/Frameworks/{framework}.framework/Versions/A/{framework}"
        symbols = ", ".join(f"_{name}" for name in sorted(names))
        (folder / f"{framework}.tbd").write_text(STUB.format(name=installed, symbols=symbols))


main()
