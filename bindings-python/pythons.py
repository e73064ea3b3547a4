"""Runs tests on the other CPython versions (3.10 or later) that this machine has, all with the same wheel.

`python bindings-python/pythons.py WHEEL` looks for interpreters on the PATH and in pyenv. It leaves out the version
that runs this script, because `make test-python` tests that one. If there is no other, it runs nothing. With
`--adapters`, it uses only the newest version and runs only the tests of the HTTP libraries, because Python itself
has exposed a proxy's response only since 3.12. The environment variable `UV` is the path of uv.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Prints what decides which wheel fits.
ABOUT = (
    "import sys, sysconfig;"
    "free = sysconfig.get_config_var('Py_GIL_DISABLED');"
    "print(sys.implementation.name, *sys.version_info[:2], int(bool(free)))"
)


def candidates() -> list[Path]:
    """The files that may be interpreters. A shim of pyenv is not one, because its version may not be active."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [*sorted(pyenv.glob("versions/*/bin")), *map(Path, os.get_exec_path())]
    named = (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()))
    return [
        path for path in named if re.fullmatch(r"python3\.\d+t?(\.exe)?", path.name) and path.parent != pyenv / "shims"
    ]


def interpreters() -> dict[str, Path]:
    """The first interpreter found for each version. `3.14t` is the free-threaded one."""
    found: dict[tuple[int, str], Path] = {}
    for path in candidates():
        said = subprocess.run([path, "-c", ABOUT], capture_output=True, text=True, check=False).stdout.split()
        if said[:2] == ["cpython", "3"] and int(said[2]) >= 10:
            found.setdefault((int(said[2]), "t" if said[3] == "1" else ""), path)
    return {f"3.{minor}{free}": path for (minor, free), path in sorted(found.items())}


@dataclass
class Suite:
    """A set of tests, its requirements, and the folder in which it runs."""

    name: str
    requirements: Path
    folder: Path
    options: tuple[str, ...]


# The package's tests wait more than they compute, so there are more workers than cores.
PACKAGE = Suite("tests", ROOT / "bindings-python/requirements-test.txt", ROOT, ("-n", "4"))
ADAPTERS = Suite("adapters", ROOT / "tests/adapters/requirements.txt", ROOT / "tests/adapters", ("test_http.py",))


def test(python: Path, suite: Suite, folder: Path, wheel: str) -> int:
    """Runs the tests in a virtual environment, which is kept. Returns pytest's exit status."""
    inner = folder / "bin/python"
    uv = os.environ["UV"]
    pip = [uv, "pip", "install", "--quiet", "--python", str(folder)]
    stamp = folder / "requirements.txt"
    wanted = suite.requirements.read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", python, folder], check=True)
        subprocess.run([*pip, "-r", str(suite.requirements)], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    subprocess.run([*pip, "--no-deps", "--reinstall", wheel], check=True)
    return subprocess.run([inner, "-m", "pytest", "-q", *suite.options], cwd=suite.folder, check=False).returncode


def main(wheel: str, suite: Suite) -> int:
    """Tests all interpreters, or only the newest. Returns how many of them failed."""
    # A free-threaded CPython needs its own wheel (`make test-freethreaded`).
    running = f"3.{sys.version_info.minor}"
    others = {version: path for version, path in interpreters().items() if version != running and version[-1] != "t"}
    if suite is ADAPTERS:
        others = dict([*others.items()][-1:])
    failed = 0
    for version, path in others.items():
        print(f"CPython {version}: {path}", flush=True)
        failed += test(path, suite, ROOT / f"target/venvs/{suite.name}-{version}", wheel) != 0
    print(f"{len(others) - failed} passed, {failed} failed, of the CPythons besides {running}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], ADAPTERS if "--adapters" in sys.argv else PACKAGE))
