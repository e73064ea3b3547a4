"""Installs the artifacts of `dist/` in empty places, and uses them there: prove.py [OPTION] [PATTERN…]

`make test-dist ONLY="wheel-*"` runs it. Without a pattern, it tries everything in `dist/`, in each place that fits it.
It prints a table, and fails if something does not work, or if nothing could be tried. What cannot run on this machine
is listed.

  --here            uses no other places than this machine's own
  --place PATTERN   uses the places with such a name: "Debian 13*"
  --dist FOLDER     tries what is in this folder

A wheel is installed with pip, and `smoke.py` uses it. Neither an index of packages nor a compiler nor this repository
can help: pip is told not to look for an index, and the environment and the folder are empty. A sandbox is started and
called. With everything else, a script builds a project as a user would, and runs it.
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import http.server
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from elftools.elf.elffile import ELFFile  # type: ignore[import-not-found]  # it is installed by `make test-dist`

from places import LIMIT, PROJECTS, Missing, Place, Project, places

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Artifact:
    """A file in `dist/`."""

    name: str
    """As `dist.py` calls it."""
    file: Path
    system: str = ""
    machine: str = ""
    version: str = ""
    """The CPython for which a wheel is; empty if it is for the stable ABI."""

    @property
    def glibc(self) -> tuple[int, ...]:
        """The newest version of glibc that it may need. Empty if it may need none."""
        if "musl" in self.name:
            return ()
        found = re.search(r"manylinux_(\d+_\d+)", self.file.name)
        return tuple(map(int, (found[1] if found else "2_17").split("_")))

    @property
    def wheel(self) -> bool:
        return self.file.suffix == ".whl"

    def fits(self, place: Place | Project) -> bool:
        """Whether it should work in a place."""
        if isinstance(place, Project):
            return self.name == place.artifact
        if self.wheel:
            version = place.version if place.version.endswith("t") else ""
            return (self.system, self.machine, self.version) == (place.system, place.machine, version)
        # These are programs for the system, whatever its libc is.
        system = place.system.replace("manylinux", "linux").replace("musllinux", "linux")
        machine = place.machine.replace("arm64", "aarch64")
        return self.name.startswith(("sandbox-", "cli-")) and (self.system, self.machine) == (system, machine)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    artifact: str
    place: str
    result: str
    installation: float | None = None
    program: float | None = None

    @property
    def failed(self) -> bool:
        return self.result.startswith("FAILED")

    @property
    def skipped(self) -> bool:
        return self.result.startswith("not tried")

    def __str__(self) -> str:
        seconds = (f"{value:.1f}" if value is not None else "" for value in (self.installation, self.program))
        return "{:30} {:38} {:>8} {:>8}  {}".format(self.artifact, self.place, *seconds, self.result)


HEADING = "{:30} {:38} {:>8} {:>8}  {}".format("artifact", "place", "install", "program", "result")


def artifacts(folder: Path) -> Iterator[Artifact]:
    """What is in a folder."""
    for file in sorted(folder.glob("*.whl")):
        kind = "cli-wheel" if file.name.startswith("proxymesh_cli-") else "wheel"
        *_, abi, platforms = file.stem.split("-")
        found = re.match(r"(manylinux|musllinux|macosx|win)(?:_?\d+)*_(\w+?)(?:\.|$)", platforms)
        assert found, file
        system = {"macosx": "macos", "win": "windows"}.get(found[1], found[1])
        machine = found[2].replace("amd64", "x86_64")
        version = f"3.{abi[3:]}" if abi.endswith("t") else ""
        yield Artifact("-".join(filter(None, [kind, system, machine, version])), file, system, machine, version)
    for file in sorted([*folder.glob("proxymesh-sandbox-*"), *folder.glob("proxymesh-cli-*")]):
        found = re.search(r"-(sandbox|cli)-.*-((?:linux|macos|windows)-(?:x86_64|aarch64))\.", file.name)
        if found:
            yield Artifact(f"{found[1]}-{found[2]}", file, *found[2].split("-"))
    for file in sorted(folder.glob("native/*/*")):
        system, _, machine = file.parent.name.rpartition("-")
        yield Artifact(f"native-{file.parent.name}", file, system, machine)
    for name, pattern in {
        "sdist": "proxymesh-[0-9]*.tar.gz",
        "crates": "proxymesh-[0-9]*.crate",
        "maven": "proxymesh-[0-9]*-bundle.zip",
        "aar": "proxymesh-android-*-bundle.zip",
        "artifactbundle": "*.artifactbundle.zip",
        "xcframework": "*.xcframework.zip",
    }.items():
        yield from (Artifact(name, file) for file in sorted(folder.glob(pattern)))


def run(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Runs a command, and returns how many seconds that took. If it fails, the error has what it printed."""
    start = time.monotonic()
    # The streams are pipes: see `places.Wine`.
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"exit status {done.returncode}: {done.stdout.decode(errors='replace')[-2000:]}")
    return time.monotonic() - start


class Answer(http.server.BaseHTTPRequestHandler):
    """Serves the files of a folder. It answers any other request as the API does to `ips.list`."""

    protocol_version = "HTTP/1.1"

    def __init__(self, folder: Path, *arguments: Any) -> None:
        self.folder = folder
        super().__init__(*arguments)

    def do_GET(self) -> None:
        file = self.folder / Path(self.path).name
        body = file.read_bytes() if file.is_file() else b'{"ips": ["192.0.2.1"]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if file.is_file() else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Does nothing: a client that does not trust the certificate ends the handshake."""


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Answers with TLS, at the returned URL. The certificate of its CA is the file ca.pem in the folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Server(("127.0.0.1", 0), functools.partial(Answer, folder)) as listening:
        # The handshake belongs to the thread that answers.
        listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def use_wheel(artifact: Artifact, place: Place, folder: Path, url: str) -> tuple[float, float]:
    """Installs a wheel and runs the program."""
    shutil.copy(artifact.file, folder)
    options = ("--no-index", "--no-cache-dir", "--disable-pip-version-check", "--target", "site")
    installation = run(place.pip(folder, "install", *options, artifact.file.name), folder, place.environment)
    if artifact.name.startswith("cli-"):
        (program,) = (folder / "site/bin").glob("proxymesh*")
        return installation, run_sandbox(place, folder, program, "sandbox")
    for file in ("packaging/smoke.py", "examples/quickstart.py"):
        shutil.copy(ROOT / file, folder / "site")
    return installation, run(place.python(folder, "site/smoke.py", url, "ca.pem"), folder, place.environment)


def use_sandbox(artifact: Artifact, place: Place, folder: Path) -> tuple[float, float]:
    """Unpacks the sandbox or the command line, starts the sandbox, makes a request and stops it."""
    start = time.monotonic()
    if artifact.file.suffix == ".zip":
        with zipfile.ZipFile(artifact.file) as packed:
            packed.extractall(folder)
    else:
        with tarfile.open(artifact.file) as packed:
            packed.extractall(folder, filter="data")
    unpacked = time.monotonic()
    cli = artifact.name.startswith("cli-")
    (program,) = (file for file in folder.glob("*/proxymesh*" if cli else "*/proxymesh-sandbox*") if file.is_file())
    return unpacked - start, run_sandbox(place, folder, program, *(("sandbox",) if cli else ()))


def run_sandbox(place: Place, folder: Path, program: Path, *words: str) -> float:
    """Starts a sandbox, makes a request and stops it. Returns how many seconds that took."""
    start = time.monotonic()
    command = place.command(folder, program.relative_to(folder).as_posix(), *words, "--until-eof")
    with subprocess.Popen(
        command,
        cwd=folder,
        env=place.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdin
        assert running.stdout
        # Reading has no limit of its own.
        watch = threading.Timer(LIMIT, running.kill)
        watch.start()
        said = running.stdout.readline().strip()
        assert said.startswith("listening on http://127.0.0.1:"), said + running.stdout.read()
        url = said.removeprefix("listening on ")
        login = urllib.request.HTTPPasswordMgrWithPriorAuth()
        login.add_password(None, url, "parent", "parent-password", is_authenticated=True)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(login)
        )
        with opener.open(f"{url}/api/proxies/", timeout=60) as response:
            assert json.load(response)["proxies"]
        running.stdin.close()
        assert running.wait(60) == 0, running.returncode
        watch.cancel()
    return time.monotonic() - start


def use_project(artifact: Artifact, project: Project, folder: Path, url: str, served: Path) -> tuple[None, float]:
    """Lets the project's script do everything. It gets the artifact, its own arguments, the URL and the folder."""
    shell = shutil.which("bash")
    assert shell
    words = [project.script.as_posix(), artifact.file.as_posix(), *project.arguments, url, served.as_posix()]
    return None, run([shell, *words], folder, os.environ | project.environment)


def use(artifact: Artifact, place: Place | Project, url: str, served: Path) -> Row:
    """Uses an artifact in a place."""
    where = str(place) if artifact.wheel else place.name
    seconds: tuple[float | None, float]
    try:
        if isinstance(place, Place) and artifact.wheel:
            place.prepare_python()
        else:
            place.prepare()
    except Missing as error:
        return Row(artifact.name, where, f"not tried: {error}")
    except subprocess.SubprocessError as error:
        return Row(artifact.name, where, f"FAILED: the place could not be made: {error}")
    with tempfile.TemporaryDirectory(prefix="proxymesh-") as made:
        folder = Path(made)
        shutil.copy(served / "ca.pem", folder)
        try:
            if isinstance(place, Project):
                seconds = use_project(artifact, place, folder, url, served)
            elif artifact.wheel:
                seconds = use_wheel(artifact, place, folder, url)
            else:
                seconds = use_sandbox(artifact, place, folder)
        except (AssertionError, OSError, RuntimeError, subprocess.SubprocessError) as error:
            return Row(artifact.name, where, f"FAILED: {error}")
    return Row(artifact.name, where, "works", *seconds)


def needs(library: bytes, limit: tuple[int, ...]) -> list[str]:
    """The libraries that an ELF file needs, and the version of glibc, which must not exceed the limit."""
    with tempfile.TemporaryFile() as file:
        file.write(library)
        elf = ELFFile(file)
        dynamic = elf.get_section_by_name(".dynamic")
        libraries = [tag.needed for tag in dynamic.iter_tags("DT_NEEDED")] if dynamic else []
        versions = elf.get_section_by_name(".gnu.version_r")
        names = [auxiliary.name for _, each in versions.iter_versions() for auxiliary in each] if versions else []
    numbers = [tuple(map(int, name[6:].split("."))) for name in names if re.fullmatch(r"GLIBC_[\d.]+", name)]
    if not numbers:
        return libraries
    newest = max(numbers)
    assert newest <= limit, f"it needs GLIBC_{'.'.join(map(str, newest))}"
    return [*libraries, f"GLIBC_{'.'.join(map(str, newest))}"]


def inspect(artifact: Artifact) -> Row:
    """Looks at what an artifact for Linux needs, and lets the tools of the registries look at a wheel."""
    try:
        library = artifact.file.read_bytes()
        if artifact.wheel:
            program = artifact.name.startswith("cli-")
            for tool in (
                ["twine", "check", "--strict"],
                # W007: there is no Python module next to a program.
                ["check-wheel-contents", *["--ignore=W007"] * program],
                *[["abi3audit", "--strict"]] * (not artifact.version and not program),
            ):
                run([str(Path(sys.executable).parent / tool[0]), *tool[1:], str(artifact.file)], ROOT, dict(os.environ))
            with zipfile.ZipFile(artifact.file) as packed:
                library = next(
                    packed.read(name)
                    for name in packed.namelist()
                    if name.endswith((".so", ".pyd")) or ".data/scripts/" in name
                )
        found = needs(library, artifact.glibc) if library.startswith(b"\x7fELF") else []
        # Two unwinders in one process may crash it: zig.py.
        linked = not artifact.name.startswith(("wheel-manylinux", "native-linux")) or "libgcc_s.so.1" in found
        assert linked or "libc.so.6" not in found, "it has an unwinder of its own"
    except (AssertionError, RuntimeError) as error:
        return Row(artifact.name, "on paper", f"FAILED: {error}")
    return Row(artifact.name, "on paper", f"needs {', '.join(found)}" if found else "in order")


def main() -> int:
    """Prints the table, and returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--place", default="*")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    parser.add_argument("patterns", nargs="*", default=["*"])
    options = parser.parse_args()
    present = list(artifacts(options.dist.resolve()))
    for pattern in options.patterns:
        if not any(fnmatch.fnmatch(each.name, pattern) for each in present):
            parser.error(f"{options.dist} has no artifact that is called {pattern}")
    chosen = [each for each in present if any(fnmatch.fnmatch(each.name, pattern) for pattern in options.patterns)]
    everywhere: list[Place | Project] = [*places(here=options.here)]
    everywhere += [each for each in PROJECTS if each.here or not options.here]
    everywhere = [each for each in everywhere if fnmatch.fnmatch(str(each), options.place)]
    rows: list[Row] = []

    def add(row: Row) -> None:
        rows.append(row)
        print(row, flush=True)

    print(HEADING)
    with tempfile.TemporaryDirectory(prefix="proxymesh-") as made, server(Path(made)) as url:
        for artifact in chosen:
            if artifact.wheel or artifact.name.startswith("native-"):
                add(inspect(artifact))
            fitting = [place for place in everywhere if artifact.fits(place)]
            if not artifact.wheel:
                # A program runs once in each system, whatever CPythons that has.
                fitting = [*{place.name: place for place in fitting}.values()]
            for place in fitting:
                add(use(artifact, place, url, Path(made)))
            if not fitting and not artifact.name.startswith("native-"):
                add(Row(artifact.name, "", "not tried: none of the places here fits it"))
    failed = sum(row.failed for row in rows)
    skipped = sum(row.skipped for row in rows)
    print(f"{len(rows) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    # To look at a wheel is not to use it. A native library is used in a jar.
    used = any(row.result == "works" for row in rows) or all(each.name.startswith("native-") for each in chosen)
    if not used:
        print("nothing was used", file=sys.stderr)
    return 1 if failed or not used else 0


if __name__ == "__main__":
    sys.exit(main())
