"""What `prove.py` runs with each wheel that it has installed: smoke.py URL CA_FILE

It needs nothing but the wheel, and `quickstart.py` from `examples/`. All of them are in this file's folder. A server
with a certificate from that CA answers at the URL.
"""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
import time
from pathlib import Path

import proxymesh
import quickstart
from proxymesh.sandbox import Sandbox


def calls(sandbox: Sandbox) -> None:
    """Calls the sandbox, blocking and with asyncio, and is refused with a wrong password."""
    quickstart.main()

    async def main() -> None:
        async with proxymesh.AsyncClient(sandbox.username, sandbox.password, base_url=sandbox.base_url) as client:
            added, countries = await asyncio.gather(client.ips.add("203.0.113.8"), client.geo.world())
            assert added in await client.ips.list()
            assert countries

    asyncio.run(main())
    with proxymesh.Client(sandbox.username, "wrong", base_url=sandbox.base_url) as client:
        try:
            client.ips.list()
        except proxymesh.AuthenticationError as error:
            print("refused:", error)
        else:
            raise AssertionError("a wrong password was accepted")


def calls_with_tls(url: str, ca_file: str) -> None:
    """Calls a server with a certificate of a private CA: with the CA, blocking and with asyncio, and without it."""
    with proxymesh.Client("name", "password", base_url=url, ca_file=ca_file) as client:
        assert client.ips.list() == ["192.0.2.1"]

    async def main() -> None:
        async with proxymesh.AsyncClient("name", "password", base_url=url, ca_file=ca_file) as client:
            assert await client.ips.list() == ["192.0.2.1"]

    asyncio.run(main())
    with proxymesh.Client("name", "password", base_url=url) as client:
        try:
            client.ips.list()
        except proxymesh.ConnectionError as error:
            assert "certificate" in str(error), error
            print("refused:", error)
        else:
            raise AssertionError("a certificate of an unknown CA was accepted")


def leave_calls() -> None:
    """Leaves threads in calls. CPython before 3.14 ends them when the program exits, which must not crash."""

    def call_over_and_over(sandbox: Sandbox) -> None:
        client = sandbox.client()
        while True:
            client.geo.world()

    sandbox = Sandbox()
    for _ in range(32):
        threading.Thread(target=call_over_and_over, args=(sandbox,), daemon=True).start()
    time.sleep(0.5)


def main() -> None:
    """Runs everything, and names the interpreter."""
    assert Path(proxymesh.__file__).parents[1] == Path(__file__).parent, proxymesh.__file__
    print(sys.version)
    with Sandbox() as sandbox:
        calls(sandbox)
    calls_with_tls(*sys.argv[1:])
    if sys.version_info >= (3, 13) and sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert not sys._is_gil_enabled(), "the module has turned the GIL on"
    print("everything worked")
    leave_calls()


main()
