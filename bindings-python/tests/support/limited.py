"""A program that has run out of file descriptors, threads or memory when it makes its first call.

`limited.py BASE_URL KIND RESOURCE LIMIT...`

For each limit, a process forked from this one prints the exception of the call in one line, or `fine`. Then it lifts
the limit and makes the same call again, which must work.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import proxymesh

base_url, kind, what = sys.argv[1:4]

# The limit on processes does not apply to root.
if what == "threads" and os.getuid() == 0:
    import datetime  # noqa: F401 - other users may not be allowed to read the file

    os.setuid(65534)

# This tests the errors, so logging is off.
logging.disable()


def calls() -> dict[str, Callable[[], Any]]:
    client = proxymesh.Client("me", "pw", base_url=base_url, max_retries=0)
    aclient = proxymesh.AsyncClient("me", "pw", base_url=base_url, max_retries=0)
    proxy = proxymesh.Proxy("us-ca.localhost", 9)
    loop = asyncio.new_event_loop()

    def run(call: Callable[[], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            return await call()

        return loop.run_until_complete(main())

    async def several() -> Any:
        results = await asyncio.gather(*(aclient.geo.open() for _ in range(3)), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def new() -> Any:
        return proxymesh.Client("me", "pw", base_url=base_url, max_retries=0).geo.open()

    def authorized() -> None:
        with client.ips.authorized():
            pass

    async def aauthorized() -> None:
        async with aclient.ips.authorized():
            pass

    return {
        "sync": client.geo.open,
        "new": new,
        "async": lambda: run(aclient.geo.open),
        "gather": lambda: run(several),
        "write": lambda: client.tokens.create(label="x"),
        "check": lambda: proxy.check(timeout=5),
        "authorized": authorized,
        "aauthorized": lambda: run(aauthorized),
        "acheck": lambda: run(lambda: proxy.acheck(timeout=5)),
    }


def main(limit: int) -> None:
    act = calls()[kind]
    number = {"descriptors": resource.RLIMIT_NOFILE, "threads": resource.RLIMIT_NPROC, "memory": resource.RLIMIT_AS}[
        what
    ]
    before = resource.getrlimit(number)
    if what == "memory":
        with open("/proc/self/statm") as statm:
            limit += int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(number, (limit, before[1]))
    try:
        act()
        result = "fine"
    except proxymesh.ProxyMeshError as error:
        result = f"{type(error).__name__}: {error}"
    except BaseException as error:  # this is a bug
        result = f"WRONG {type(error).__module__}.{type(error).__name__}: {error}"
    resource.setrlimit(number, before)
    print(" ".join(result.split()), flush=True)  # noqa: T201
    act()


for each in sys.argv[4:]:
    child = os.fork()
    if not child:
        main(int(each))
        sys.exit()
    if os.waitpid(child, 0)[1]:
        sys.exit(1)
