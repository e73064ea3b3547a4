"""The package works only in the main interpreter. Importing it again there returns the same classes."""

from __future__ import annotations

import subprocess
import sys

import pytest

OTHER = """
import sys
sys.path[:] = {path!r}
try:
    import proxymesh
except ImportError as error:
    assert "WSGIApplicationGroup %{{GLOBAL}}" in str(error), error
    print("refused", flush=True)
"""
SEVERAL = """
import sys
try:
    import _interpreters as interpreters
    config = sys.argv[1]
    make = lambda: interpreters.create(config)
    run = lambda made, code: print(interpreters.exec(made, code) or "", end="", flush=True)
except ImportError:
    import _xxsubinterpreters as interpreters
    make = lambda: interpreters.create(isolated=sys.argv[1] == "isolated")
    run = interpreters.run_string
code = sys.argv[3]
order = {"before": ["other", "other", "main"], "after": ["main", "other", "other"]}[sys.argv[2]]
for one in order:
    if one == "main":
        import proxymesh
    else:
        other = make()
        run(other, code)
        interpreters.destroy(other)
import asyncio
import proxymesh.sandbox
with proxymesh.sandbox.Sandbox() as sandbox, sandbox.client() as client:
    try:
        client.ips.delete("203.0.113.7")
    except proxymesh.ProxyMeshError:
        print("caught")
    async def main():
        async with sandbox.async_client() as client:
            return await client.proxies.list()
    print(len(asyncio.run(main())))
"""
AGAIN = """
import importlib, sys
import proxymesh, proxymesh.sandbox
first, error = proxymesh, proxymesh.BadRequestError
importlib.reload(proxymesh)
assert proxymesh.BadRequestError is error
for name in [name for name in sys.modules if name.split(".")[0] == "proxymesh"]:
    del sys.modules[name]
import proxymesh, proxymesh.sandbox
assert proxymesh is not first
assert proxymesh.BadRequestError is error and proxymesh.Client is first.Client
with proxymesh.sandbox.Sandbox() as sandbox, sandbox.client() as client:
    try:
        client.ips.delete("203.0.113.7")
    except proxymesh.BadRequestError:
        print("caught")
"""


def run(code: str, *arguments: str) -> str:
    options = {"capture_output": True, "text": True, "timeout": 60, "check": False}
    ended = subprocess.run([sys.executable, "-c", code, *arguments], **options)  # type: ignore[call-overload]
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return str(ended.stdout)


@pytest.mark.skipif(not (3, 10) <= sys.version_info[:2] <= (3, 14), reason="uses a private module of these versions")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_a_subinterpreter_is_rejected_and_the_main_one_still_works(kind: str, when: str) -> None:
    said = run(SEVERAL, kind, when, OTHER.format(path=sys.path))
    assert said == "refused\nrefused\ncaught\n3\n"


def test_importing_it_again_returns_the_same_classes() -> None:
    assert run(AGAIN) == "caught\n"
