"""The places in which `prove.py` uses the artifacts: this machine's own and, on Linux x86-64, roots and emulators.

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
FOLDER = Path(__file__).parent
# The emulators by the machine's name in a wheel, and what Debian calls the machine.
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386"}
EMULATORS = {"aarch64": "qemu-aarch64-static", "armv7l": "qemu-arm-static"}


# How many seconds a program may run, and how many it may take to make a place.
LIMIT, MAKING = 900, 3600


class Missing(Exception):
    """Something that a place needs is not on this machine."""


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def script(name: str, *arguments: str | Path, **environment: str) -> None:
    """Runs a script of this folder. If it fails, the place counts as failed, not as missing."""
    command = [str(FOLDER / name), *map(str, arguments)]
    subprocess.run(command, env=os.environ | environment, check=True, timeout=MAKING)


def made(path: Path, name: str, *arguments: str | Path) -> None:
    """Runs a script that makes a folder or a file, unless that is there."""
    if not path.exists():
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
        command = [str(self.interpreter), "-m", "compileall", "-qq", str(pip_folder())]
        subprocess.run(command, check=False, timeout=LIMIT)

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
                BULLSEYE[self.version].prepare_python()
                helper = [BULLSEYE[self.version].cpython / f"bin/python{self.version}"]
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
        subprocess.run([*command, "-qq", "-x", "/(test|idlelib)/", "/compiled"], check=False, timeout=LIMIT)

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
        subprocess.run(command, env=dict(environment), stdin=null, stdout=null, stderr=null, check=False, timeout=LIMIT)

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
        library = PLACES / "wine/drive_c/windows/system32/bcryptprimitives.dll"
        made(library, "bcryptprimitives.sh", library)

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
BULLSEYE = {
    version: Root("Debian 11", "manylinux", "x86_64", version, "bullseye", ("libc6",), OLDEST)
    for version in ("3.13", "3.14t")
}
NATIVE = [
    Root("Debian 13", "manylinux", "x86_64", "3.13", packages=("python3.13",)),
    Root("Debian sid", "manylinux", "x86_64", "3.14", "sid", ("python3.14", "python3.15")),
    Root("Debian sid", "manylinux", "x86_64", "3.15", "sid", ("python3.14", "python3.15")),
]
WINE = Wine("wine", "windows", "x86_64", "3.14")
COMPILER = {place.version: place for place in [*BULLSEYE.values(), *NATIVE]}
# What can run on this Linux if it is x86-64.
LINUX = [
    *BULLSEYE.values(),
    *NATIVE,
    Root("Debian 13", "manylinux", "i686", "3.13", packages=("python3.13", "libgcc-s1")),
    Root("Debian 13, qemu", "manylinux", "aarch64", "3.13", packages=("python3.13", "libgcc-s1")),
    Root("Debian 13, qemu", "manylinux", "armv7l", "3.13", packages=("python3.13", "libgcc-s1")),
    *(
        Root(name, "musllinux", machine, version, packages=("musl",), target=f"{machine}-linux-musl")
        for version in BULLSEYE
        for name, machine in (("musl alone", "x86_64"), ("musl alone, qemu", "aarch64"))
    ),
    WINE,
]


@dataclass(frozen=True)
class Project:
    """A user's project, which a script builds with an artifact and runs."""

    artifact: str
    name: str
    """Of the place."""
    script: Path
    arguments: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    system: str = ""
    """Where it can run, as Python calls it. Empty if everywhere."""
    here: bool = True
    """Whether it runs on this machine as it is, rather than in a root or an emulator."""

    def __str__(self) -> str:
        return self.name

    def prepare(self) -> None:
        """Raises `Missing` if this machine lacks something."""
        if not sys.platform.startswith(self.system):
            raise Missing(f"it needs {self.system}")
        for name in self.tools:
            tool(name)
        if "wine" in self.tools:
            WINE.prepare()

    @property
    def environment(self) -> dict[str, str]:
        return WINE.environment if "wine" in self.tools else {}


JVM = FOLDER / "jvm.sh"
PROJECTS = [
    Project("sdist", "pip", ROOT / "tests/packaging/sdist.sh"),
    Project("crates", "cargo", FOLDER / "crates.sh"),
    Project("maven", "this machine's JVM", JVM, ("here",), ("mvn",)),
    Project("maven", "Debian 11", JVM, ("glibc",), ("mvn", "bwrap"), "linux", here=False),
    Project("maven", "Debian 11, qemu", JVM, ("arm64",), ("mvn", "qemu-aarch64-static"), "linux", here=False),
    Project("maven", "wine", JVM, ("windows",), ("mvn", "wine"), "linux", here=False),
    Project("aar", "Gradle", FOLDER / "android.sh", (), ("gradle",)),
    Project("artifactbundle", "Swift 6.2", FOLDER / "swift.sh", (), (), "linux"),
    Project("xcframework", "Swift", FOLDER / "swift.sh", (), (), "darwin"),
]
# No package registry has a JVM for musl.
if "MUSL_JAVA_ROOT" in os.environ:
    PROJECTS.append(Project("maven", "musl", JVM, ("musl",), ("mvn", "bwrap"), "linux", here=False))


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
