"""Builds the artifacts of a release into `dist/`: dist.py [PATTERN…]

`make dist ONLY="wheel-* sdist"` runs it. Without a pattern, it builds everything that this machine can build. It writes
the checksums to `dist/SHA256SUMS`, and prints the size of each artifact and how long the build took.

On Linux, zig is the C compiler and the linker for Linux and macOS. It has their C libraries, including old versions of
glibc. On macOS and Windows, the platform's own tools build what runs there.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
TARGET = ROOT / "target/dist"
HOST = {"linux": "linux", "darwin": "macos", "win32": "windows"}[sys.platform]
# Linux has no compiler of Microsoft, but one for the same processor.
WINDOWS = "msvc" if HOST == "windows" else "gnu"
# The interpreters of wheels for the stable ABI and of those for free-threaded CPython, which has no stable ABI.
STABLE, FREE_THREADED = sys.executable if HOST == "windows" else "python3.10", "python3.14t"


@dataclass(frozen=True)
class Platform:
    """A platform, and what others call it."""

    triple: str
    """Rust's name."""
    wheel: str
    """The name of its wheel."""
    tag: str
    """The oldest system on which the wheel runs, as maturin writes it."""
    glibc: str = ""
    """The oldest glibc."""

    @property
    def system(self) -> str:
        systems = {"linux": "linux", "apple": "macos", "windows": "windows"}
        return next(system for part, system in systems.items() if part in self.triple)

    @property
    def library(self) -> str:
        names = {"linux": "lib{}.so", "macos": "lib{}.dylib", "windows": "{}.dll"}
        return names[self.system].format("proxymesh_ffi")

    @property
    def zig(self) -> bool:
        """Whether zig links it. It also does so on the same platform, because only zig has an older glibc."""
        return HOST == "linux" and self.system != "windows"


PLATFORMS = {
    "linux-x86_64": Platform("x86_64-unknown-linux-gnu", "manylinux-x86_64", "manylinux2014", "2.17"),
    "linux-aarch64": Platform("aarch64-unknown-linux-gnu", "manylinux-aarch64", "manylinux2014", "2.17"),
    "linux-armv7l": Platform("armv7-unknown-linux-gnueabihf", "manylinux-armv7l", "manylinux2014", "2.17"),
    "linux-i686": Platform("i686-unknown-linux-gnu", "manylinux-i686", "manylinux2014", "2.17"),
    "linux-musl-x86_64": Platform("x86_64-unknown-linux-musl", "musllinux-x86_64", "musllinux_1_2"),
    "linux-musl-aarch64": Platform("aarch64-unknown-linux-musl", "musllinux-aarch64", "musllinux_1_2"),
    "macos-aarch64": Platform("aarch64-apple-darwin", "macos-arm64", "pypi"),
    "macos-x86_64": Platform("x86_64-apple-darwin", "macos-x86_64", "pypi"),
    "windows-x86_64": Platform(f"x86_64-pc-windows-{WINDOWS}", "windows-x86_64", "pypi"),
    "windows-aarch64": Platform("aarch64-pc-windows-msvc", "windows-arm64", "pypi"),
}
# Too rare for a library in the jar, which each user downloads for all platforms.
WHEELS_ONLY = {"linux-armv7l", "linux-i686"}


def run(*command: str | Path, **environment: str) -> None:
    print("$", *command, flush=True)
    subprocess.run([str(word) for word in command], cwd=ROOT, check=True, env=os.environ | environment)


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def version() -> str:
    manifest = (ROOT / "Cargo.toml").read_text()
    return manifest.partition('\nversion = "')[2].partition('"')[0]


def add_target(triple: str) -> None:
    if not Path(output("rustc", "--print", "target-libdir", "--target", triple)).is_dir():
        run("rustup", "target", "add", triple)


def environment(platform: Platform, *flags: str) -> dict[str, str]:
    """Makes the build the same on every machine: it has no path of this one, and no time but that of the commit."""
    add_target(platform.triple)
    cargo = os.environ.get("CARGO_HOME", str(Path.home() / ".cargo"))
    places = {str(ROOT): "proxymesh", cargo: "cargo"}
    sdk = {}
    if platform.system == "macos" and platform.zig:
        stubs = TARGET / "apple"
        run(sys.executable, ROOT / "packaging/apple_stubs.py", stubs)
        sdk = {"SDKROOT": str(stubs)}
    return {
        "CARGO_TARGET_DIR": str(TARGET),
        "CARGO_INCREMENTAL": "0",
        # The symbols are kept beside what ships.
        "CARGO_PROFILE_RELEASE_STRIP": "none",
        "CARGO_PROFILE_RELEASE_DEBUG": "line-tables-only",
        "RUSTFLAGS": " ".join([*(f"--remap-path-prefix={path}={name}" for path, name in places.items()), *flags]),
        "CFLAGS": " ".join(f"-ffile-prefix-map={path}={name}" for path, name in places.items()),
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "SOURCE_DATE_EPOCH": output("git", "log", "-1", "--format=%ct"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        **sdk,
    }


def cargo_build(platform: Platform, package: str, *flags: str, options: tuple[str, ...] = ()) -> Path:
    """Builds a package and returns the folder with the result."""
    suffix = f".{platform.glibc}" if platform.glibc else ""
    run(
        *("cargo", "zigbuild" if platform.zig else "build", "--release", "--locked", "--package", package, *options),
        *("--target", platform.triple + (suffix if platform.zig else "")),
        **environment(platform, *flags),
    )
    return TARGET / platform.triple / "release"


def strip(binary: Path, symbols: Path) -> None:
    """Moves the debug information out of a binary. A debugger finds it by the build's id, or is told where it is."""
    compiler = Path(output("rustc", "--print", "sysroot"))
    tool = next((compiler / "lib/rustlib").glob("*/bin/rust-objcopy*"))
    objcopy = partial(run, tool, LD_LIBRARY_PATH=str(compiler / "lib"))
    symbols.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(binary, symbols)
    if binary.read_bytes().startswith(b"\x7fELF"):
        objcopy("--only-keep-debug", "--compress-debug-sections=zlib", symbols)
    objcopy("--strip-debug" if binary.suffix == ".dylib" else "--strip-all", binary)


def wheel(name: str, platform: Platform, interpreter: str) -> Iterator[Path]:
    built = TARGET / "wheels" / f"{platform.wheel}-{Path(interpreter).stem}"
    shutil.rmtree(built, ignore_errors=True)
    components = TARGET / "sbom/proxymesh.cdx.json"
    components.parent.mkdir(parents=True, exist_ok=True)
    run(sys.executable, ROOT / "packaging/sbom.py", name, components)
    run(
        *("maturin", "build", "--locked", "--release", "--interpreter", interpreter, "--out", built),
        *(("--zig",) if platform.zig else ()),
        *("--target", platform.triple, "--compatibility", platform.tag, "--sbom-include", components),
        **environment(platform),
    )
    (packed,) = built.iterdir()
    yield repack(packed)


def repack(path: Path) -> Path:
    """Writes a wheel to `dist/` with a stripped module. It is compressed well, and always in the same way."""
    made = DIST / path.name
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        files = {entry.filename: old.read(entry) for entry in old.infolist()}
        module = next(name for name in files if name.endswith((".so", ".pyd")))
        record = next(name for name in files if name.endswith(".dist-info/RECORD"))
        stripped = TARGET / "stripped" / path.stem / Path(module).name
        stripped.parent.mkdir(parents=True, exist_ok=True)
        stripped.write_bytes(files[module])
        strip(stripped, DIST / "symbols" / f"{path.stem}.debug")
        files[module] = stripped.read_bytes()
        digest = urlsafe_b64encode(hashlib.sha256(files[module]).digest()).rstrip(b"=").decode()
        lines = files[record].decode().splitlines()
        recorded = f"{module},sha256={digest},{len(files[module])}"
        lines = [recorded if line.startswith(f"{module},") else line for line in lines]
        files[record] = ("\n".join(lines) + "\n").encode()
        for entry in old.infolist():
            written = zipfile.ZipInfo(entry.filename, (2020, 1, 1, 0, 0, 0))
            written.external_attr, written.compress_type = entry.external_attr, zipfile.ZIP_DEFLATED
            new.writestr(written, files[entry.filename])
    compress(made)
    return made


def compress(path: Path) -> None:
    """Compresses a zip file with zopfli, which is slow and saves 3 %. Only Linux distributions have the program."""
    if shutil.which("advzip"):
        run("advzip", "--recompress", "--shrink-extra", "--quiet", path)


def native(name: str, platform: Platform) -> Iterator[Path]:
    # A dynamic library needs the system's libc, also where Rust would link musl statically.
    flags = ("-Ctarget-feature=-crt-static",) if "musl" in platform.triple else ()
    folder = cargo_build(platform, "proxymesh-ffi", *flags, options=("--no-default-features",))
    made = DIST / "native" / name / platform.library
    made.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / platform.library, made)
    strip(made, DIST / "symbols" / f"native-{name}.debug")
    yield made


def sandbox(name: str, platform: Platform) -> Iterator[Path]:
    # A program that is linked statically with musl runs on every Linux.
    if platform.glibc:
        platform = PLATFORMS[name.replace("linux-", "linux-musl-")]
    folder = cargo_build(platform, "proxymesh-sandbox")
    program = "proxymesh-sandbox" + (".exe" if platform.system == "windows" else "")
    stem = f"proxymesh-sandbox-{version()}-{name}"
    staged = TARGET / "staged" / stem
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    shutil.copy(folder / program, staged)
    strip(staged / program, DIST / "symbols" / f"sandbox-{name}.debug")
    for file in ("LICENSE-MIT", "LICENSE-APACHE", "bindings-python/THIRD-PARTY-NOTICES", "sandbox/README.md"):
        shutil.copy(ROOT / file, staged)
    yield archive(staged)


def archive(folder: Path) -> Path:
    """Packs a folder for its platform, always in the same way."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if "windows" in folder.name:
        made = DIST / f"{folder.name}.zip"
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in files:
                entry = zipfile.ZipInfo(str(file.relative_to(folder.parent)), (2020, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(entry, file.read_bytes())
        return made
    made = DIST / f"{folder.name}.tar.xz"
    with tarfile.open(made, "w:xz") as packed:
        for file in files:
            info = packed.gettarinfo(file, str(file.relative_to(folder.parent)))
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            info.mode = 0o755 if os.access(file, os.X_OK) else 0o644
            with file.open("rb") as content:
                packed.addfile(info, content)
    return made


def sdist() -> Iterator[Path]:
    run("maturin", "sdist", "--out", DIST, SOURCE_DATE_EPOCH=output("git", "log", "-1", "--format=%ct"))
    yield DIST / f"proxymesh-{version()}.tar.gz"


def crates() -> Iterator[Path]:
    for package in ("proxymesh-sandbox", "proxymesh"):
        run("cargo", "package", "--locked", "--no-verify", "--package", package, CARGO_TARGET_DIR=str(TARGET))
        yield Path(shutil.copy(TARGET / f"package/{package}-{version()}.crate", DIST))


Build = Callable[[], Iterator[Path]]


def artifacts() -> dict[str, Build]:
    """Every artifact by its name."""
    found: dict[str, Build] = {"sdist": sdist, "crates": crates}
    for name, platform in PLATFORMS.items():
        if HOST not in {"linux", platform.system} or (HOST == "linux" and platform.triple.endswith("msvc")):
            continue
        packed = f"wheel-{platform.wheel}"
        found[packed] = partial(wheel, packed, platform, STABLE)
        if name not in WHEELS_ONLY:
            found[f"{packed}-3.14t"] = partial(wheel, f"{packed}-3.14t", platform, FREE_THREADED)
            found[f"native-{name}"] = partial(native, name, platform)
            if "musl" not in name:
                found[f"sandbox-{name}"] = partial(sandbox, name, platform)
    import android
    import maven
    import swift

    if HOST == "linux":
        found["artifactbundle"] = partial(swift.artifact_bundle, DIST)
    # The jars contain the libraries and the sandboxes of all platforms, and no machine can build all of these.
    if "maven" in sys.argv:
        found["maven"] = partial(maven.build, DIST)
    # What this machine lacks the tools for is built only if it is named, and then says what is missing.
    if HOST == "macos" or "xcframework" in sys.argv:
        found["xcframework"] = partial(swift.xcframework, DIST)
    if not android.lacking() or "aar" in sys.argv:
        found["aar"] = partial(android.build, DIST)
    return found


def main() -> int:
    patterns = sys.argv[1:] or ["*"]
    known = artifacts()
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            print(f"no artifact is called {pattern}:", *sorted(known), file=sys.stderr)
            return 2
    chosen = {name: build for name, build in known.items() if any(fnmatch.fnmatch(name, each) for each in patterns)}
    DIST.mkdir(exist_ok=True)
    rows = []
    for name, build in chosen.items():
        start = time.monotonic()
        files = list(build())
        seconds = time.monotonic() - start
        rows += [(name, file, file.stat().st_size, seconds) for file in files]
    sums = DIST / "SHA256SUMS"
    packed = sorted(file for file in DIST.rglob("*") if file.is_file() and file != sums)
    sums.write_text(
        "".join(
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(DIST).as_posix()}\n" for file in packed
        )
    )
    for name, file, size, seconds in rows:
        print(f"{name:32} {size:>12,} bytes {seconds:>6.0f} s  {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
