"""Builds what the Swift package links.

    swift.py bundle FOLDER MACHINE=LIBRARY…   lays out an artifact bundle for Linux; MACHINE is x86_64 or aarch64

On Apple's platforms, the library is in an XCFramework. On Linux, it is in an artifact bundle, which Swift 6.2 and later
link.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from dist import (
    HOST,
    PLATFORMS,
    ROOT,
    TARGET,
    Missing,
    add_target,
    archive,
    cargo_build,
    environment,
    objcopy,
    run,
    version,
)

NAME = "ProxyMeshFFI"
LIBRARY = "libproxymesh_ffi.a"
BUNDLE = f"{NAME}.artifactbundle"
APPLE = (
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "aarch64-apple-ios",
    "aarch64-apple-ios-sim",
    "x86_64-apple-ios",
)


def artifact_bundle(folder: Path) -> None:
    """For Linux with glibc, which Swift's own libraries need."""
    libraries = {}
    for machine in ("x86_64", "aarch64"):
        built = cargo_build(PLATFORMS[f"linux-{machine}"], "proxymesh-ffi", options=("--no-default-features",))
        libraries[machine] = TARGET / "staticlib" / machine / LIBRARY
        libraries[machine].parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(built / LIBRARY, libraries[machine])
        # The linker of a program needs the symbols.
        objcopy("--strip-debug", libraries[machine])
    archive(lay_out(TARGET / "staticlib", libraries), folder / f"{BUNDLE}.zip")


def xcframework(folder: Path) -> None:
    if HOST != "macos":
        raise Missing("xcodebuild makes the XCFramework, and the linker needs Xcode's SDKs: this needs macOS")
    for triple in APPLE:
        add_target(triple)
    run(ROOT / "bindings-ffi/swift/xcframework.sh", **environment(PLATFORMS["macos-aarch64"]))
    archive(ROOT / f"target/xcframework/{NAME}.xcframework", folder / f"{NAME}.xcframework.zip")


def lay_out(folder: Path, libraries: dict[str, Path]) -> Path:
    bundle = folder / BUNDLE
    shutil.rmtree(bundle, ignore_errors=True)
    # A folder of its own, because a program can have several bundles whose headers are on one search path.
    headers = bundle / "include" / NAME
    headers.mkdir(parents=True)
    for file in (f"{NAME}.h", "module.modulemap"):
        shutil.copy(ROOT / "bindings-ffi/swift/Sources" / NAME / file, headers)
    for license in ("LICENSE-MIT", "LICENSE-APACHE", "bindings-ffi/THIRD-PARTY-NOTICES"):
        shutil.copy(ROOT / license, bundle)
    variants = []
    for machine, library in libraries.items():
        path = f"linux-{machine}/{LIBRARY}"
        (bundle / path).parent.mkdir()
        shutil.copy(library, bundle / path)
        variants.append(
            {
                "path": path,
                # The toolchains of swift.org and of Debian name the vendor differently.
                "supportedTriples": [f"{machine}-{vendor}-linux-gnu" for vendor in ("unknown", "pc")],
                "staticLibraryMetadata": {
                    "headerPaths": [f"include/{NAME}"],
                    "moduleMapPath": f"include/{NAME}/module.modulemap",
                },
            }
        )
    artifact = {"type": "staticLibrary", "version": version(), "variants": variants}
    info = {"schemaVersion": "1.0", "artifacts": {NAME: artifact}}
    (bundle / "info.json").write_text(json.dumps(info, indent=2) + "\n")
    return bundle


def main() -> int:
    match sys.argv[1:]:
        case ["bundle", folder, *libraries] if libraries:
            pairs = (library.partition("=") for library in libraries)
            lay_out(Path(folder), {machine: Path(path) for machine, _, path in pairs})
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
