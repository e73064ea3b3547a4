"""Builds the artifacts of a release into `dist/`: dist.py [PATTERN…]

`make dist ONLY="wheel-* sdist"` runs it. Without a pattern, it builds everything that this machine can build. It
writes the artifacts and the lists of their components to `dist/`, and the checksums to `dist/SHA256SUMS`. At the end, a
table says for each artifact how large it is and how long the build took, or why it was not built. If one fails, the
others are built all the same.

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
import traceback
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
TARGET = ROOT / "target/dist"
HOST = {"linux": "linux", "darwin": "macos", "win32": "windows"}[sys.platform]
# Microsoft's compiler does not run on Linux. There, MinGW-w64 builds for Windows.
WINDOWS = "msvc" if HOST == "windows" else "gnu"
# The interpreters of wheels for the stable ABI and of those for free-threaded CPython, which has no stable ABI.
STABLE, FREE_THREADED = sys.executable if HOST == "windows" else "python3.10", "python3.14t"


class Missing(Exception):
    """What this machine lacks to build an artifact."""


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

    def check(self) -> None:
        """Raises `Missing` if this machine cannot build for it."""
        if HOST not in {"linux", self.system} or (HOST == "linux" and self.triple.endswith("msvc")):
            raise Missing(f"this needs {'macOS' if self.system == 'macos' else self.system.capitalize()}")


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
# zig.py cannot link with the system's unwinder for it, so a Python program might crash at exit.
CLI_ONLY = {"linux-armv7l"}


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
        **({"CARGO_ZIGBUILD_PYTHON_PATH": str(ROOT / "packaging/zig.py")} if platform.zig else {}),
    }


def cargo_build(platform: Platform, package: str, *flags: str, options: tuple[str, ...] = ()) -> Path:
    """Builds a package and returns the folder with the result."""
    platform.check()
    suffix = f".{platform.glibc}" if platform.glibc else ""
    run(
        *("cargo", "zigbuild" if platform.zig else "build", "--release", "--locked", "--package", package, *options),
        *("--target", platform.triple + (suffix if platform.zig else "")),
        **environment(platform, *flags),
    )
    return TARGET / platform.triple / "release"


def objcopy(*arguments: str | Path) -> None:
    compiler = Path(output("rustc", "--print", "sysroot"))
    tool = next((compiler / "lib/rustlib").glob("*/bin/rust-objcopy*"))
    run(tool, *arguments, LD_LIBRARY_PATH=str(compiler / "lib"))


def strip(binary: Path, built: Path, symbols: Path) -> None:
    """Moves the debug information of a binary, which cargo has built in the folder `built`, to the folder `symbols`.

    A debugger has to be told where it is.
    """
    symbols.mkdir(parents=True, exist_ok=True)
    start = binary.read_bytes()[:4]
    kept = symbols / f"{binary.name}.debug"
    if start == b"\x7fELF":
        objcopy("--only-keep-debug", "--compress-debug-sections=zlib", binary, kept)
    elif start.startswith(b"MZ") and WINDOWS == "msvc":
        # Microsoft's linker writes it to a file of its own.
        shutil.copy(built / f"{binary.name.partition('.')[0].replace('-', '_')}.pdb", symbols)
    elif start.startswith(b"MZ"):
        # GNU's tools cannot read what LLVM's objcopy writes.
        run("x86_64-w64-mingw32-objcopy", "--only-keep-debug", binary, kept)
    elif HOST == "macos":
        # Apple's linker leaves it in the object files. This collects it.
        run("dsymutil", binary, "-o", kept.with_suffix(".dSYM"))
    dynamic = binary.suffix in (".dylib", ".so") and start == b"\xcf\xfa\xed\xfe"
    objcopy("--strip-debug" if dynamic else "--strip-all", binary)


def wheel(name: str, platform: Platform, interpreter: str, folder: Path, *options: str) -> None:
    platform.check()
    packed = TARGET / "wheels" / name
    shutil.rmtree(packed, ignore_errors=True)
    # The name in the wheel.
    components = TARGET / "sbom/proxymesh.cdx.json"
    components.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / f"sbom/{name}.cdx.json", components)
    zig = ["--zig"] if platform.zig else []
    paths = ["--out", str(packed), "--sbom-include", str(components)]
    target = ["--target", platform.triple, "--compatibility", platform.tag, "--interpreter", interpreter]
    run("maturin", "build", "--locked", "--release", *paths, *target, *zig, *options, **environment(platform))
    (path,) = packed.iterdir()
    repack(path, folder / path.name, TARGET / platform.triple / "release", folder / "symbols" / name)


# The folder of a wheel with the programs.
SCRIPTS = ".data/scripts/"


def repack(path: Path, made: Path, built: Path, symbols: Path) -> None:
    """Packs a wheel again, with a stripped module or program."""
    with zipfile.ZipFile(path) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    module = next(name for name in contents if name.endswith((".so", ".pyd")) or SCRIPTS in name)
    record = next(name for name in contents if name.endswith(".dist-info/RECORD"))
    stripped = TARGET / "stripped" / path.stem / Path(module).name
    stripped.parent.mkdir(parents=True, exist_ok=True)
    stripped.write_bytes(contents[module])
    strip(stripped, built, symbols)
    contents[module] = stripped.read_bytes()
    digest = urlsafe_b64encode(hashlib.sha256(contents[module]).digest()).rstrip(b"=").decode()
    lines = contents[record].decode().splitlines()
    recorded = f"{module},sha256={digest},{len(contents[module])}"
    lines = [recorded if line.startswith(f"{module},") else line for line in lines]
    contents[record] = ("\n".join(lines) + "\n").encode()
    write_zip(made, contents.items())
    compress(made)


def cli_wheel(name: str, platform: Platform, folder: Path) -> None:
    wheel(name, platform, STABLE, folder, "--manifest-path", "cli/Cargo.toml")


def compress(path: Path) -> None:
    """Compresses a zip file with zopfli, which is slow and saves 3 %. Only Linux distributions have the program."""
    if shutil.which("advzip"):
        run("advzip", "--recompress", "--shrink-extra", "--quiet", path)


def write_zip(made: Path, contents: Iterable[tuple[str, bytes]]) -> None:
    """Writes a zip file that is the same on every machine: without times and owners, and with the modes of Unix."""
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in contents:
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (0o100755 if SCRIPTS in name else 0o100644) << 16
            # Some are compressed already.
            method = zipfile.ZIP_STORED if name.endswith((".jar", ".aar")) else zipfile.ZIP_DEFLATED
            packed.writestr(entry, content, method, 9)


def native(name: str, platform: Platform, folder: Path) -> None:
    # A dynamic library needs the system's libc, also where Rust would link musl statically.
    flags = ("-Ctarget-feature=-crt-static",) if "musl" in platform.triple else ()
    built = cargo_build(platform, "proxymesh-ffi", *flags, options=("--no-default-features",))
    made = folder / "native" / name / platform.library
    made.parent.mkdir(parents=True)
    shutil.copy(built / platform.library, made)
    strip(made, built, folder / f"symbols/native-{name}")


def program(package: str, name: str, platform: Platform, symbols: Path) -> tuple[Path, str]:
    """Builds a program into a folder that is to be an archive. Returns the folder, and the suffix of the archive."""
    # A program that is linked statically with musl runs on every Linux.
    if platform.glibc:
        platform = PLATFORMS[name.replace("linux-", "linux-musl-")]
    built = cargo_build(platform, package)
    windows = platform.system == "windows"
    file = package.removesuffix("-cli") + (".exe" if windows else "")
    staged = TARGET / "staged" / f"{package}-{version()}-{name}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    shutil.copy(built / file, staged)
    strip(staged / file, built, symbols)
    for license in ("LICENSE-MIT", "LICENSE-APACHE"):
        shutil.copy(ROOT / license, staged)
    return staged, "zip" if windows else "tar.xz"


def sandbox(name: str, platform: Platform, folder: Path) -> None:
    staged, suffix = program("proxymesh-sandbox", name, platform, folder / f"symbols/sandbox-{name}")
    for file in ("bindings-python/THIRD-PARTY-NOTICES", "sandbox/README.md"):
        shutil.copy(ROOT / file, staged)
    archive(staged, folder / f"{staged.name}.{suffix}")


def cli(name: str, platform: Platform, folder: Path) -> None:
    staged, suffix = program("proxymesh-cli", name, platform, folder / f"symbols/cli-{name}")
    for file in ("cli/THIRD-PARTY-NOTICES", "cli/README.md", "cli/schema.json"):
        shutil.copy(ROOT / file, staged)
    # The man pages and the completion scripts come from the program itself, built for this machine.
    here = ("cargo", "run", "--quiet", "--locked", "--package", "proxymesh-cli", "--")
    run(*here, "man", staged / "man/man1", CARGO_TARGET_DIR=str(TARGET))
    (staged / "completion").mkdir()
    scripts = {"bash": "proxymesh.bash", "zsh": "_proxymesh", "fish": "proxymesh.fish", "powershell": "proxymesh.ps1"}
    for shell, file in scripts.items():
        script = subprocess.run(
            [*here, "completion", shell],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            env=os.environ | {"CARGO_TARGET_DIR": str(TARGET)},
        )
        (staged / "completion" / file).write_bytes(script.stdout)
    archive(staged, folder / f"{staged.name}.{suffix}")


def files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def archive(folder: Path, made: Path) -> None:
    """Packs a folder, always in the same way."""
    members = [(file.relative_to(folder.parent).as_posix(), file) for file in files(folder)]
    if made.suffix == ".zip":
        write_zip(made, ((name, file.read_bytes()) for name, file in members))
        return
    with tarfile.open(made, "w:xz") as packed:
        for name, file in members:
            info = packed.gettarinfo(file, name)
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            info.mode = 0o755 if os.access(file, os.X_OK) else 0o644
            with file.open("rb") as content:
                packed.addfile(info, content)


def sdist(folder: Path) -> None:
    run("maturin", "sdist", "--out", folder, SOURCE_DATE_EPOCH=output("git", "log", "-1", "--format=%ct"))


def crates(folder: Path) -> None:
    packages = ("proxymesh-sandbox", "proxymesh", "proxymesh-gateway", "proxymesh-cli")
    # Together, because the last depends on the others, which may not be published yet.
    chosen = [word for package in packages for word in ("--package", package)]
    run("cargo", "package", "--locked", "--no-verify", *chosen, CARGO_TARGET_DIR=str(TARGET))
    for package in packages:
        shutil.copy(TARGET / f"package/{package}-{version()}.crate", folder)


Build = Callable[[Path], None]


def artifacts() -> dict[str, Build]:
    """Every artifact by its name, with what writes it to a folder."""
    import android
    import maven
    import swift

    found: dict[str, Build] = {"sdist": sdist, "crates": crates}
    for name, platform in PLATFORMS.items():
        packed = f"wheel-{platform.wheel}"
        if name not in CLI_ONLY:
            found[packed] = partial(wheel, packed, platform, STABLE)
        found[f"cli-{packed}"] = partial(cli_wheel, f"cli-{packed}", platform)
        if name not in WHEELS_ONLY:
            found[f"{packed}-3.14t"] = partial(wheel, f"{packed}-3.14t", platform, FREE_THREADED)
            found[f"native-{name}"] = partial(native, name, platform)
            if "musl" not in name:
                found[f"sandbox-{name}"] = partial(sandbox, name, platform)
                found[f"cli-{name}"] = partial(cli, name, platform)
    found |= {"artifactbundle": swift.artifact_bundle, "xcframework": swift.xcframework, "aar": android.build}
    # Last, because the jars contain the libraries and the sandboxes of all platforms.
    return found | {"maven": maven.build}


def build(name: str, write: Build) -> list[Path]:
    """Builds an artifact, and returns its files. Only what is complete and has passed its checks gets to `dist/`."""
    import sbom

    folder = TARGET / "made" / name
    # An earlier one must not be taken for this one.
    for file in files(folder):
        (DIST / file.relative_to(folder)).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sbom.write(name, folder / f"sbom/{name}.cdx.json")
    write(folder)
    shutil.copytree(folder, DIST, dirs_exist_ok=True)
    beside = (folder / "sbom", folder / "symbols")
    return [file for file in files(folder) if not any(each in file.parents for each in beside)]


def main() -> int:
    patterns = sys.argv[1:] or ["*"]
    known = artifacts()
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            print(f"no artifact is called {pattern}:", *sorted(known), file=sys.stderr)
            return 2
    chosen = [name for name in known if any(fnmatch.fnmatch(name, each) for each in patterns)]
    DIST.mkdir(exist_ok=True)
    rows = []
    built, failed = 0, 0
    for name in chosen:
        start = time.monotonic()
        try:
            made = build(name, known[name])
        except Missing as error:
            rows.append(f"{name:32} not built: {error}")
            # Nobody has asked for what only a wildcard names.
            failed += name in patterns
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            rows.append(f"{name:32} FAILED: {error}")
            failed += 1
        else:
            seconds = time.monotonic() - start
            rows += [f"{name:32} {file.stat().st_size:>12,} bytes {seconds:>6.0f} s  {file.name}" for file in made]
            built += 1
    sums = DIST / "SHA256SUMS"
    sums.write_text(
        "".join(
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(DIST).as_posix()}\n"
            for file in files(DIST)
            if file != sums
        )
    )
    print(*rows, sep="\n")
    return 1 if failed or not built else 0


if __name__ == "__main__":
    # The other modules import this one by its name. Its classes must be the same for them and for `main`.
    import dist

    sys.exit(dist.main())
