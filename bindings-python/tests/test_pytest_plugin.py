"""The pytest plugin, in a separate pytest process. `tests/downstream` shows how it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# The second test checks that the fixtures of the first are gone.
LIFE = """
import os
import proxymesh, pytest

kept = []

def test_alive(proxymesh_sandbox, proxymesh_client):
    kept[:] = [proxymesh_sandbox, proxymesh_client]
    assert os.environ["PROXYMESH_BASE_URL"] == proxymesh_sandbox.base_url
    assert "PROXYMESH_TOKEN" not in os.environ
    assert proxymesh_client.ips.list() == []

def test_gone():
    sandbox, client = kept
    assert os.environ["PROXYMESH_BASE_URL"] == "http://127.0.0.1:9"
    assert os.environ["PROXYMESH_TOKEN"] == "pm_of_the_user"
    with pytest.raises(proxymesh.ConfigError, match="the client is closed"):
        client.ips.list()
    with sandbox.client(max_retries=0) as late, pytest.raises(proxymesh.ConnectionError):
        late.ips.list()
"""
WRONG = """
import pytest

@pytest.mark.proxymesh_sandbox("10")
def test_by_position(proxymesh_sandbox): ...

@pytest.mark.proxymesh_sandbox(plan="11")
def test_of_no_plan(proxymesh_sandbox): ...

@pytest.mark.proxymesh_sandbox(plam="10")
def test_misspelt(proxymesh_client): ...
"""


def run(folder: Path, *arguments: str, code: str = "", **environment: str) -> str:
    """Runs pytest in a separate process and returns its output."""
    (folder / "test_it.py").write_text(code, encoding="utf-8")
    options = ["-q", "--strict-markers", "--color=no", "-p", "no:cacheprovider", "-W", "error", f"--rootdir={folder}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=folder,
        env={"PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_the_fixtures_end_with_their_test(tmp_path: Path) -> None:
    said = run(tmp_path, code=LIFE, PROXYMESH_BASE_URL="http://127.0.0.1:9", PROXYMESH_TOKEN="pm_of_the_user")
    assert "2 passed" in said, said


def test_the_error_for_an_invalid_marker_says_why(tmp_path: Path) -> None:
    said = run(tmp_path, code=WRONG)
    assert "3 errors" in said, said
    assert "test_it.py::test_by_position: the marker proxymesh_sandbox accepts only keyword arguments" in said
    assert "ValueError: unknown plan '11'" in said
    assert "got an unexpected keyword argument 'plam'" in said


def test_the_fixtures_and_the_marker_have_descriptions(tmp_path: Path) -> None:
    said = " ".join(run(tmp_path, "--markers").split())
    assert "@pytest.mark.proxymesh_sandbox(**settings): settings for the sandbox of the fixture" in said
    said = " ".join(run(tmp_path, "--fixtures").split())
    assert "An emulation of the ProxyMesh service. Each test gets a new one, which is stopped after the test." in said
    assert "A `proxymesh.Client` for the fixture `proxymesh_sandbox`" in said


def test_a_project_can_disable_the_plugin(tmp_path: Path) -> None:
    said = run(tmp_path, "-p", "no:proxymesh", code="def test_it(proxymesh_client): ...")
    assert "fixture 'proxymesh_client' not found" in said
