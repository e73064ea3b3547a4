"""Runs tests on other CPythons from 3.10 on that are on this machine, all from the one wheel.

`python bindings-python/pythons.py WHEEL` looks on the PATH and among pyenv's. It leaves out the version that runs it,
which `make test-python` tests. If there is no other, nothing is run. With `--adapters`, only the newest runs, and only
what HTTP libraries make of a `Proxy`: from 3.12 on, Python itself tells what a proxy answers. The environment variable
`UV` names uv.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What the wheel is for: a free-threaded CPython needs one of its own (`make test-freethreaded`).
ABOUT = (
    "import sys, sysconfig;"
    "free = sysconfig.get_config_var('Py_GIL_DISABLED');"
    "print(sys.implementation.name, *sys.version_info[:2], int(bool(free)))"
)


def candidates() -> list[Path]:
    """What may be an interpreter; a shim of pyenv's is one of a version that is not switched on."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [*sorted(pyenv.glob("versions/*/bin")), *map(Path, os.get_exec_path())]
    named = (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()))
    return [path for path in named if re.fullmatch(r"python3\.\d+", path.name) and path.parent != pyenv / "shims"]


def interpreters() -> dict[int, Path]:
    """The first of each minor version."""
    found: dict[int, Path] = {}
    for path in candidates():
        said = subprocess.run([path, "-c", ABOUT], capture_output=True, text=True, check=False).stdout.split()
        if said[:2] == ["cpython", "3"] and int(said[2]) >= 10 and said[3] == "0":
            found.setdefault(int(said[2]), path)
    return dict(sorted(found.items()))


@dataclass
class Suite:
    """Tests, what they need, and where they run."""

    name: str
    requirements: Path
    folder: Path
    options: tuple[str, ...]


# The package's tests wait more than they work, so more of them than there are cores run at a time.
PACKAGE = Suite("tests", ROOT / "bindings-python/requirements-test.txt", ROOT, ("-n", "4"))
ADAPTERS = Suite("adapters", ROOT / "tests/adapters/requirements.txt", ROOT / "tests/adapters", ("test_http.py",))


def test(python: Path, suite: Suite, folder: Path, wheel: str) -> int:
    """Runs the tests in a virtual environment, which is kept; gives pytest's exit status."""
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
    """Tests all, or the newest; gives the number of those on which a test failed."""
    others = {minor: path for minor, path in interpreters().items() if minor != sys.version_info.minor}
    if suite is ADAPTERS:
        others = dict([*others.items()][-1:])
    failed = 0
    for minor, path in others.items():
        print(f"CPython 3.{minor}: {path}", flush=True)
        failed += test(path, suite, ROOT / f"target/venvs/{suite.name}-3.{minor}", wheel) != 0
    print(f"{len(others) - failed} passed, {failed} failed, of the CPythons besides 3.{sys.version_info.minor}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], ADAPTERS if "--adapters" in sys.argv else PACKAGE))
