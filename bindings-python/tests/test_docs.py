"""The examples in the documentation work: those of the docstrings, the Python code of the README, the quickstart."""

from __future__ import annotations

import doctest
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import proxymesh
import proxymesh.sandbox
import pytest

from .conftest import StartSandbox
from .support.calls import ROOT
from .support.credentials import PASSWORD, USERNAME

MODULES: list[ModuleType] = [proxymesh, proxymesh.sandbox]


def public() -> dict[str, Any]:
    """All modules, classes, methods and properties that users see, by name."""
    found: dict[str, Any] = {}
    for module in MODULES:
        found[module.__name__] = module
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if not inspect.isclass(value):
                continue
            found[f"{module.__name__}.{name}"] = value
            for member, inner in sorted(vars(value).items()):
                if not member.startswith("_") and (callable(inner) or inspect.isdatadescriptor(inner)):
                    found[f"{module.__name__}.{name}.{member}"] = inner
    return found


PUBLIC = public()
PARSER = doctest.DocTestParser()
EXAMPLES = {
    name: test
    for name, value in PUBLIC.items()
    if (test := PARSER.get_doctest(inspect.cleandoc(value.__doc__ or ""), {}, name, None, 0)).examples
}


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_has_a_docstring(name: str) -> None:
    text = PUBLIC[name].__doc__
    assert text
    assert re.match(r"[A-Z`0-9]", inspect.cleandoc(text)), "a sentence"


def test_the_main_classes_have_examples() -> None:
    assert EXAMPLES.keys() >= {
        "proxymesh",
        "proxymesh.Client",
        "proxymesh.Proxy",
        "proxymesh.sandbox.Sandbox",
        "proxymesh.sandbox.Sandbox.fault",
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_in_docstrings_work(name: str) -> None:
    said: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(EXAMPLES[name], out=said.append)
    assert results.failed == 0, "".join(said)
    assert results.attempted > 0


def blocks(page: str) -> list[str]:
    """The Python code of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_code_of_a_page_works(
    page: str, start_sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All blocks run in one namespace, as a reader would type them, with the account that the page uses."""
    assert blocks(page)
    sandbox = start_sandbox(username="me@ex.com", password="secret")
    monkeypatch.setenv("PROXYMESH_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("PROXYMESH_USERNAME", "me@ex.com")
    monkeypatch.setenv("PROXYMESH_PASSWORD", "secret")
    namespace: dict[str, object] = {"__name__": "readme"}
    for number, block in enumerate(blocks(page), start=1):
        code = compile(block, f"{page}, block {number}", "exec")
        exec(code, namespace)
    assert sandbox.requests(), "the page made calls"
    assert "pm_" not in capsys.readouterr().out
    for value in namespace.values():
        if isinstance(value, proxymesh.Client):
            value.close()


def test_the_tests_of_the_readme_pass(tmp_path: Path) -> None:
    tests = [block for block in blocks("README.md") if "def test_" in block]
    for number, block in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(block, encoding="utf-8")
    options = ["-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout
    assert f"{''.join(tests).count('def test_')} passed" in run.stdout


def quickstart(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PROXYMESH_")}
    return subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples/quickstart.py")],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_quickstart_runs_without_an_account() -> None:
    run = quickstart()
    assert (run.returncode, run.stderr) == (0, "")
    for shown in (
        "No account is set up, so this talks to a sandbox at http://127.0.0.1:",
        "http://parent:parent-password@",
        "done: 203.0.113.7 is 'the office'",
        "it has used 0.0 of 5 GB this month",
        "deactivated: active is now False",
        "ValidationError: ip: must be an IP address",
        "NotFoundError: sub_accounts.get: not found (404): ",
    ):
        assert shown in run.stdout


def test_the_quickstart_only_reads_from_a_real_account(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox()
    run = quickstart(PROXYMESH_USERNAME=USERNAME, PROXYMESH_PASSWORD=PASSWORD, PROXYMESH_BASE_URL=sandbox.base_url)
    assert (run.returncode, run.stderr) == (0, "")
    assert f"Reading from the real service as {USERNAME}." in run.stdout
    assert PASSWORD not in run.stdout
    seen = [(request.method, request.status) for request in sandbox.requests()]
    assert len(seen) >= 3
    assert set(seen) == {("GET", 200)}
