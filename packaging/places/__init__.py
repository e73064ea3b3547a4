"""The places in which `prove.py` uses the artifacts: this machine's CPythons and, on Linux x86-64, roots and emulators.

A place is made when it is first used, under `target/places/`, and kept.
"""

from __future__ import annotations

import atexit
import functools
import os
import platform
import runpy
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pip  # type: ignore[import-not-found]  # it is installed by `make test-dist`

ROOT = Path(__file__).resolve().parents[2]
PLACES = ROOT / "target/places"
# The emulators by the machine's name in a wheel, and what Debian calls the machine.
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386"}
EMULATORS = {"aarch64": "qemu-aarch64-static", "armv7l": "qemu-arm-static"}


class Missing(Exception):
    """Something that a place needs is not on this machine."""


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def script(name: str, *arguments: str | Path, **environment: str) -> None:
    """Runs a script of this folder. If it fails, the place counts as failed, not as missing."""
    command = [str(Path(__file__).parent / name), *map(str, arguments)]
    subprocess.run(command, env=os.environ | environment, check=True)


def made(folder: Path, name: str, *arguments: str | Path) -> None:
    """Runs a script that makes a folder, unless the folder is there."""
    if not folder.exists():
        script(name, *arguments)


@functools.cache
def pip_folder() -> Path:
    """A copy of pip, which no place has to bring. Each CPython keeps the compiled files of its version there."""
    folder = PLACES / f"pip-{pip.__version__}"
    if not folder.exists():
        shutil.copytree(Path(pip.__file__).parent, folder / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@dataclass(frozen=True)
class Place:
    """A CPython, or none, and the system around it."""

    name: str
    system: str
    """Whose wheels run there: manylinux, musllinux, macos or windows."""
    machine: str
    """The machine, as in the name of a wheel."""
    version: str
    """The CPython's, such as 3.14t."""

    def __str__(self) -> str:
        return f"{self.name}, CPython {self.version}"

    def prepare(self) -> None:
        """Makes the place, unless it is there. If that is not possible, it raises `Missing`."""

    def prepare_python(self) -> None:
        """The same with its CPython."""

    def command(self, folder: Path, program: str, *arguments: str) -> list[str]:
        """The command that runs a program that is in a folder. The folder is the working directory."""
        raise NotImplementedError

    def python(self, folder: Path, *arguments: str) -> list[str]:
        """The command that runs Python."""
        raise NotImplementedError

    def pip(self, folder: Path, *arguments: str) -> list[str]:
        """The command that runs pip."""
        return self.python(folder, str(pip_folder() / "pip"), *arguments)

    @property
    def environment(self) -> dict[str, str]:
        """As little as the system allows. If there were no PATH, Python would look where compilers usually are."""
        return {"PATH": str(PLACES / "nothing")}


@dataclass(frozen=True)
class Host(Place):
    """A CPython of this machine."""

    interpreter: Path = Path()

    def prepare_python(self) -> None:
        subprocess.run([self.interpreter, "-m", "compileall", "-qq", pip_folder()], check=False)

    def command(self, folder: Path, program: str, *arguments: str) -> list[str]:
        return [str(folder / program), *arguments]

    def python(self, folder: Path, *arguments: str) -> list[str]:  # noqa: ARG002
        return [str(self.interpreter), "-s", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        # Windows needs it for sockets.
        return {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ} | super().environment


@dataclass(frozen=True)
class Root(Place):
    """A root that has only a Debian's libc and a CPython, and of this machine only the kernel and the network."""

    suite: str = "trixie"
    packages: tuple[str, ...] = ()
    target: str = ""
    """If Debian has no such CPython, the target for which zig builds one."""

    @property
    def folder(self) -> Path:
        return PLACES / f"{self.suite}-{DEBIAN[self.machine]}-{self.system}"

    @property
    def cpython(self) -> Path:
        return PLACES / f"cpython-{self.version}-{self.target}"

    def prepare(self) -> None:
        tool("bwrap")
        if self.machine in EMULATORS:
            tool(EMULATORS[self.machine])
        made(self.folder, "debian.sh", self.suite, DEBIAN[self.machine], self.folder, *self.packages)

    def prepare_python(self) -> None:
        self.prepare()
        standard = self.folder / f"usr/lib/python{self.version}"
        if self.target:
            helper = []
            if self.system == "musllinux":
                # It does not run here, so one that does builds its standard library.
                BULLSEYE.prepare_python()
                helper = [BULLSEYE.cpython / f"bin/python{self.version}"]
            made(self.cpython, "cpython.sh", self.version, self.target, self.cpython, *helper)
            standard = self.cpython / f"lib/python{self.version}"
        # An emulator would take minutes for this.
        compiler = COMPILER.get(self.version, self)
        if compiler is not self:
            compiler.prepare_python()
        compiler.compile(standard)
        compiler.compile(pip_folder())

    def compile(self, folder: Path) -> None:
        """Compiles the Python files of a folder."""
        command = [*self.bubble(["--bind", str(folder), "/compiled"]), self.interpreter, "-m", "compileall"]
        subprocess.run([*command, "-qq", "-x", "/(test|idlelib)/", "/compiled"], check=False)

    @property
    def interpreter(self) -> str:
        return f"/opt/python/bin/python{self.version}" if self.target else f"/usr/bin/python{self.version}"

    def bubble(self, more: list[str]) -> list[str]:
        """The command with which a program runs in the root."""
        own = "--unshare-all --share-net --die-with-parent --clearenv --dev /dev --proc /proc --tmpfs /tmp"
        command = [tool("bwrap"), *own.split(), "--ro-bind", str(self.folder / "usr"), "/usr"]
        for name in ("bin", "lib", "lib32", "lib64", "sbin"):
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        if self.target:
            command += ["--ro-bind-try", str(self.cpython), "/opt/python"]
        command += ["--ro-bind", str(pip_folder()), "/opt/pip", *more]
        if self.machine in EMULATORS:
            command += ["--ro-bind", tool(EMULATORS[self.machine]), "/emulator", "/emulator"]
        return command

    def command(self, folder: Path, program: str, *arguments: str, home: tuple[str, ...] = ()) -> list[str]:
        return [*self.bubble(["--bind", str(folder), "/work", "--chdir", "/work", *home]), program, *arguments]

    def python(self, folder: Path, *arguments: str) -> list[str]:
        return self.command(folder, self.interpreter, *arguments)

    def pip(self, folder: Path, *arguments: str) -> list[str]:
        # pip looks for the home folder, although it caches nothing here.
        return self.command(folder, self.interpreter, "/opt/pip/pip", *arguments, home=("--setenv", "HOME", "/tmp"))


@functools.cache
def start_wine(environment: tuple[tuple[str, str], ...]) -> None:
    """Starts wine's services, until this program ends. Otherwise a program starts them, and they keep its pipes."""

    def run(*command: str) -> None:
        null = subprocess.DEVNULL
        subprocess.run(command, env=dict(environment), stdin=null, stdout=null, stderr=null, check=False)

    run(tool("wineserver"), "--persistent")
    atexit.register(run, tool("wineserver"), "--kill")
    run(tool("wine"), "wineboot")


@dataclass(frozen=True)
class Wine(Place):
    """A CPython for Windows under wine."""

    folder: Path = PLACES / "windows"

    def prepare(self) -> None:
        tool("wine")
        PLACES.mkdir(parents=True, exist_ok=True)
        start_wine(tuple(self.environment.items()))

    def prepare_python(self) -> None:
        self.prepare()
        for name in ("mvn", "unzip", "objdump"):
            tool(name)
        made(self.folder, "windows.sh", self.folder)
        compiler = COMPILER[self.version]
        compiler.prepare_python()
        compiler.compile(self.folder / "lib")
        compiler.compile(pip_folder())

    def command(self, folder: Path, program: str, *arguments: str) -> list[str]:
        # For CPython 3.14, a standard stream has to be a pipe under wine 8: a file or /dev/null is an invalid handle.
        return [tool("wine"), str(folder / program), *arguments]

    def python(self, folder: Path, *arguments: str) -> list[str]:  # noqa: ARG002
        return [tool("wine"), str(self.folder / "python.exe"), "-s", *arguments]

    def pip(self, folder: Path, *arguments: str) -> list[str]:
        return self.python(folder, f"Z:{pip_folder()}/pip", *arguments)

    @property
    def environment(self) -> dict[str, str]:
        # wine's own: its data, no messages of it, and none of the programs that it would install.
        return {"WINEPREFIX": str(PLACES / "wine"), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="} | {
            "PATH": os.environ["PATH"]
        }


OLDEST = "x86_64-linux-gnu.2.17"
BULLSEYE = Root("Debian 11", "manylinux", "x86_64", "3.13", "bullseye", ("libc6",), OLDEST)
NATIVE = [
    Root("Debian 13", "manylinux", "x86_64", "3.13", packages=("python3.13",)),
    Root("Debian sid", "manylinux", "x86_64", "3.14", "sid", ("python3.14", "python3.15")),
    Root("Debian sid", "manylinux", "x86_64", "3.15", "sid", ("python3.14", "python3.15")),
]
COMPILER = {place.version: place for place in NATIVE}
# What can run on this Linux if it is x86-64.
LINUX = [
    BULLSEYE,
    Root("Debian 11", "manylinux", "x86_64", "3.14t", "bullseye", ("libc6",), OLDEST),
    *NATIVE,
    Root("Debian 13", "manylinux", "i686", "3.13", packages=("python3.13", "libgcc-s1")),
    Root("Debian 13, qemu", "manylinux", "aarch64", "3.13", packages=("python3.13", "libgcc-s1")),
    Root("Debian 13, qemu", "manylinux", "armv7l", "3.13", packages=("python3.13", "libgcc-s1")),
    Root("musl alone", "musllinux", "x86_64", "3.13", packages=("musl",), target="x86_64-linux-musl"),
    Root("musl alone, qemu", "musllinux", "aarch64", "3.13", packages=("musl",), target="aarch64-linux-musl"),
    Wine("wine", "windows", "x86_64", "3.14"),
]


def hosts() -> Iterator[Host]:
    """The CPythons of this machine: the one that runs this, and others on the PATH and in pyenv."""
    found: dict[str, Path] = runpy.run_path(str(ROOT / "bindings-python/pythons.py"))["interpreters"]()
    running = f"3.{sys.version_info.minor}" + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
    found.setdefault(running, Path(getattr(sys, "_base_executable", sys.executable)))
    name, system = {"linux": ("Linux", "manylinux"), "darwin": ("macOS", "macos"), "win32": ("Windows", "windows")}[
        sys.platform
    ]
    machine = platform.machine().lower().replace("amd64", "x86_64")
    return (Host(name, system, machine, version, interpreter) for version, interpreter in found.items())


def places(*, here: bool) -> list[Place]:
    """All places, or only this machine's CPythons."""
    roots = [] if here or (sys.platform, platform.machine()) != ("linux", "x86_64") else LINUX
    return [*hosts(), *roots]
