"""Importing the package loads no other module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import proxymesh
import pytest

PACKAGE = str(Path(proxymesh.__file__).parent.parent)
# atexit is part of the interpreter, so loading it reads no file.
ITSELF = {"proxymesh", "proxymesh._errors", "proxymesh._proxymesh", "atexit"}
# Each of these takes longer to import than the package.
HEAVY = {"asyncio", "contextlib", "json", "logging", "pytest", "re", "socket", "ssl", "threading", "typing"}


def loaded_by(code: str) -> set[str]:
    """The modules that the code loads in a fresh interpreter."""
    program = f"""
import os, sys  # any interpreter that runs the site module has loaded both
before = set(sys.modules)
sys.path.insert(0, {PACKAGE!r})
{code}
print(*(set(sys.modules) - before))
"""
    run = [sys.executable, "-I", "-S", "-W", "error", "-c", program]
    return set(subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout.split())


def test_importing_the_package_loads_nothing_else() -> None:
    assert loaded_by("import proxymesh") == ITSELF


def test_importing_the_sandbox_loads_nothing_else() -> None:
    assert loaded_by("import proxymesh.sandbox") == ITSELF | {"proxymesh.sandbox"}


@pytest.mark.parametrize(
    "act",
    [
        "client.proxies.list()",
        "client.ips.add('203.0.113.7')",
        "client.sub_accounts.create('ant', monthly_limit=5)",
        "hash(client.proxies.list()[0]), repr(client.geo.world())",
        "try: client.ips.delete('203.0.113.7')\n    except proxymesh.BadRequestError: pass",
    ],
)
def test_a_call_loads_nothing_heavy(act: str) -> None:
    code = (
        f"import proxymesh.sandbox\nwith proxymesh.sandbox.Sandbox() as sandbox, sandbox.client() as client:\n    {act}"
    )
    assert not loaded_by(code) & HEAVY


def test_dir_lists_the_public_names_alone() -> None:
    names = {name for name in dir(proxymesh) if not name.startswith("__")}
    assert names == set(proxymesh.__all__) - {"__version__"}
    assert all(hasattr(proxymesh, name) for name in names)
