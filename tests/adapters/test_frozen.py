"""PyInstaller finds everything that the package imports, including what only its native module imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PASSWORD, USERNAME
from proxymesh.sandbox import Sandbox
from support import Site

PROGRAM = Path(__file__).with_name("frozen.py")


@pytest.mark.skipif(sys.platform == "win32", reason="the paths are those of Unix")
def test_a_program_in_one_file_uses_every_adapter(sandbox: Sandbox, site: Site, tmp_path: Path) -> None:
    freeze: list[str | Path] = [
        sys.executable,
        "-m",
        "PyInstaller",
        "--onefile",
        "--log-level",
        "ERROR",
        "--distpath",
        tmp_path,
    ]
    places: list[str | Path] = ["--workpath", tmp_path / "work", "--specpath", tmp_path]
    subprocess.run([*freeze, *places, PROGRAM], check=True, cwd=tmp_path, timeout=300)
    arguments = [sandbox.base_url, USERNAME, PASSWORD, site.http, site.https, site.ca]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    ran = subprocess.run(
        [tmp_path / "frozen", *arguments], capture_output=True, text=True, env=environment, timeout=120
    )
    assert ran.stdout == "used 10\n", ran.stderr
    assert ran.returncode == 0
