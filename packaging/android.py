"""Builds the AAR for Android, and the bundle for Maven Central with it: `make dist ONLY=aar`.

It needs Android's NDK (ANDROID_NDK_HOME) and SDK (ANDROID_HOME), and Gradle 9 or later, which downloads the plugins for
Android.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import maven
from dist import ROOT, TARGET, Missing, Platform, environment, run, strip, version

PROJECT = ROOT / "bindings-ffi/kotlin/android"
LIBRARY = "libproxymesh_ffi.so"
# Each ABI with Rust's name for it and that of the NDK.
ABIS = {
    "arm64-v8a": ("aarch64-linux-android", "aarch64-linux-android"),
    "armeabi-v7a": ("armv7-linux-androideabi", "armv7a-linux-androideabi"),
    "x86_64": ("x86_64-linux-android", "x86_64-linux-android"),
    "x86": ("i686-linux-android", "i686-linux-android"),
}
# The same as minSdk in build.gradle.kts.
API = 26
# Devices with pages of 16 KB cannot load a library whose segments are aligned to 4 KB.
PAGE = 16 * 1024


def lacking() -> list[str]:
    """What this machine needs before it can build the AAR."""
    needed = {
        "Android's NDK (r27 or later): set ANDROID_NDK_HOME": Path(os.environ.get("ANDROID_NDK_HOME") or "/-").is_dir(),
        "Android's SDK: set ANDROID_HOME": Path(os.environ.get("ANDROID_HOME") or "/-").is_dir(),
        "Gradle 9 or later": shutil.which("gradle"),
    }
    return [what for what, found in needed.items() if not found]


def build(folder: Path) -> None:
    if missing := lacking():
        raise Missing(f"this needs {'; '.join(missing)}")
    built = PROJECT / "build"
    shutil.rmtree(built, ignore_errors=True)
    for abi in ABIS:
        build_library(abi, built / "jniLibs" / abi / LIBRARY, folder / f"symbols/aar/{abi}")
    licences = built / "licenses/META-INF/com.proxymesh"
    licences.mkdir(parents=True)
    for file in ("LICENSE-MIT", "LICENSE-APACHE", "bindings-ffi/THIRD-PARTY-NOTICES"):
        shutil.copy(ROOT / file, licences)
    run("gradle", "--no-daemon", "--project-dir", PROJECT, "publishReleasePublicationToStagingRepository")
    maven.pack(built / "staging", folder / f"proxymesh-android-{version()}-bundle.zip")
    aar = Path(shutil.copy(next((built / "staging").rglob("*.aar")), folder))
    if problems := list(check(aar)):
        raise SystemExit("\n".join(f"{aar.name} {problem}" for problem in problems))


def build_library(abi: str, made: Path, symbols: Path) -> None:
    triple, name = ABIS[abi]
    (tools,) = (Path(os.environ["ANDROID_NDK_HOME"]) / "toolchains/llvm/prebuilt").glob("*/bin")
    compiler = str(tools / f"{name}{API}-clang")
    variable = triple.replace("-", "_")
    settings = environment(Platform(triple, "", ""), f"-Clink-arg=-Wl,-z,max-page-size={PAGE}") | {
        f"CC_{variable}": compiler,
        f"AR_{variable}": str(tools / "llvm-ar"),
        f"CARGO_TARGET_{variable.upper()}_LINKER": compiler,
    }
    options = ("--release", "--locked", "--package", "proxymesh-ffi", "--no-default-features", "--target", triple)
    run("cargo", "build", *options, **settings)
    made.parent.mkdir(parents=True)
    release = TARGET / triple / "release"
    shutil.copy(release / LIBRARY, made)
    strip(made, release, symbols)


def check(aar: Path) -> Iterator[str]:
    """Returns what is wrong with an AAR."""
    with zipfile.ZipFile(aar) as packed:
        files = set(packed.namelist())
        with packed.open("classes.jar") as file, zipfile.ZipFile(file) as classes:
            for license in maven.FILES:
                if f"META-INF/com.proxymesh/{license}" not in classes.namelist():
                    yield f"lacks {license}"
        for abi in ABIS:
            name = f"jni/{abi}/{LIBRARY}"
            if name not in files:
                yield f"lacks {name}"
            elif min(alignments(packed.read(name)), default=0) < PAGE:
                yield f"has {name}, which is not aligned to {PAGE} bytes"


def alignments(library: bytes) -> list[int]:
    """How the segments of an ELF file that are loaded are aligned."""

    def number(at: int, size: int) -> int:
        return int.from_bytes(library[at : at + size], "little")

    # Where the file says the start, the size and the number of its program headers; where a header says the alignment.
    start, size, count, at, width = (32, 54, 56, 48, 8) if library[4] == 2 else (28, 42, 44, 28, 4)
    first = number(start, width)
    headers = [first + index * number(size, 2) for index in range(number(count, 2))]
    loaded = 1
    return [number(header + at, width) for header in headers if number(header, 4) == loaded]
