"""What a forked process inherits, as multiprocessing's workers do on Linux: it cannot disturb its parent."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

PROGRAM = """
import os, sys, traceback
import proxymesh
from proxymesh.sandbox import Sandbox

sandbox = Sandbox()
client = sandbox.client(max_retries=0, timeout=5.0)
handle = client.geo
client.geo.open()
child = os.fork()
if child == 0:
    try:
        {child}
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
for _ in range(20):
    client.ips.list()
_, status = os.waitpid(child, 0)
for _ in range(20):
    assert "US" in client.geo.open()
assert sandbox.open_connections == 1, "its connection is still the same"
sys.stderr.flush()
os._exit(status)
"""


def run(child: str) -> tuple[int, str]:
    """Runs `child` in a forked process, while the parent makes calls."""
    program = PROGRAM.replace("{child}", textwrap.indent(textwrap.dedent(child), " " * 8).strip())
    # Python 3.12 warns of every fork where there are threads, and the sandbox has one.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return ended.returncode, ended.stderr


def test_an_inherited_client_says_so_instead_of_mixing_up_answers() -> None:
    child = """
        for act in (client.geo.open, handle.open, client.ips.list, client.with_options):
            try:
                act()
            except proxymesh.ConfigError as error:
                assert error.reason == (
                    "the client was made before this process was forked; make one in each process"
                ), error
            else:
                raise AssertionError("it went on")
    """
    assert run(child) == (0, "")


def test_a_client_of_its_own_works() -> None:
    child = """
        with sandbox.client() as own:
            for _ in range(20):
                assert "US" in own.geo.open()
    """
    assert run(child) == (0, "")


@pytest.mark.parametrize(
    "child",
    [
        "client.close(); client.close(); sandbox.stop(); sandbox.stop()",
        "del client, handle, sandbox",
        "with sandbox, client: pass",
    ],
)
def test_what_ends_in_the_child_goes_on_in_the_parent(child: str) -> None:
    assert run(child) == (0, "")
