"""A program that test_fork.py runs in a separate process. It makes calls and forks.

`python -m tests.support.forked BASE_URL CLIENT CASE`. Every process asks for sub-accounts whose names begin with its
own process id, and checks that the responses are about them. So the server knows which process uses which connection.
"""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import proxymesh
from proxymesh import AsyncClient, Client

from .credentials import PASSWORD, USERNAME
from .server import PATIENCE

CALLS = 200


class Account(Protocol):
    """An account, and a client of one of the two kinds."""

    client: Any
    base_url: str

    def __init__(self, base_url: str, password: str = PASSWORD) -> None: ...

    def ask(self, calls: int) -> None: ...


class Blocking:
    def __init__(self, base_url: str, password: str = PASSWORD) -> None:
        self.base_url = base_url
        self.client: Any = Client(USERNAME, password, base_url=base_url, timeout=20.0)

    def ask(self, calls: int) -> None:
        for _ in range(calls):
            name = next_name()
            assert self.client.sub_accounts.get(name).username == name


class Awaited:
    def __init__(self, base_url: str, password: str = PASSWORD) -> None:
        self.base_url = base_url
        self.client: Any = AsyncClient(USERNAME, password, base_url=base_url, timeout=20.0)

    def ask(self, calls: int) -> None:
        asyncio.run(self.asked(calls))

    async def asked(self, calls: int) -> None:
        for _ in range(calls):
            name = next_name()
            assert (await self.client.sub_accounts.get(name)).username == name


_numbers = itertools.count()


def next_name() -> str:
    return f"{os.getpid()}-{next(_numbers)}"


def fork(act: Callable[[], object]) -> int:
    """Runs `act` in a forked process, which then exits at once, as the processes of multiprocessing do."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            signal.alarm(int(PATIENCE))
            act()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return process


def join(process: int) -> None:
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the forked process failed"


def fork_and_both_call(account: Account) -> None:
    process = fork(lambda: account.ask(CALLS))
    account.ask(CALLS)
    join(process)
    account.ask(1)


def fork_unused(account: Account) -> None:
    """Prefork servers do this: the master creates the client, and only the workers make calls."""
    workers = [fork(lambda: account.ask(CALLS)) for _ in range(3)]
    for worker in workers:
        join(worker)


def child_of_a_child(account: Account) -> None:
    def child() -> None:
        account.ask(CALLS // 2)
        grandchild = fork(lambda: account.ask(CALLS // 2))
        account.ask(CALLS // 2)
        join(grandchild)

    process = fork(child)
    account.ask(CALLS)
    join(process)


def grandchild_alone(account: Account) -> None:
    """Daemons are started like this: the process in the middle makes no call."""
    join(fork(lambda: join(fork(lambda: account.ask(CALLS)))))
    account.ask(CALLS)


def with_options_and_handles(account: Account) -> None:
    """Uses clones and handles that were created before the fork."""
    whole = account.client
    clones = [whole.with_options(timeout=10.0), whole.with_options(max_retries=0)]
    for clone in clones:
        account.client = clone
        account.ask(1)
    handle = whole.sub_accounts

    def child() -> None:
        for clone in (*clones, clones[0].with_options(max_retries=1)):
            account.client = clone
            account.ask(CALLS // 4)
        account.client = type("Held", (), {"sub_accounts": handle})
        account.ask(CALLS // 4)

    process = fork(child)
    account.ask(CALLS)
    join(process)


def while_threads_call(account: Account) -> None:
    """Forks at random moments of other threads' calls, whatever locks these hold."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def call() -> None:
        try:
            while not stop.is_set():
                account.ask(5)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(CALLS // 10):
        join(fork(lambda: account.ask(10)))
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed, failed


def in_a_running_loop(account: Account) -> None:
    """Forks on the thread of an event loop, while calls are awaited on it."""

    async def main() -> None:
        tasks = [asyncio.ensure_future(account.asked(20)) for _ in range(10)] if isinstance(account, Awaited) else []
        await asyncio.sleep(0.005)
        process = fork(lambda: account.ask(CALLS))
        await asyncio.gather(*tasks)
        await asyncio.to_thread(join, process)

    asyncio.run(main())
    account.ask(1)


def with_a_call_from_before(account: Account) -> None:
    """A coroutine that was created before the fork belongs to the parent, and so does its connection."""
    made = account.client.sub_accounts.get(next_name())

    async def awaited() -> None:
        await made

    def child() -> None:
        try:
            asyncio.run(awaited())
        except RuntimeError as error:
            assert str(error) == "the call was created before this process was forked; create it in this process"  # noqa: PT017
        else:
            raise AssertionError("the call was sent")
        account.ask(CALLS)

    process = fork(child)
    join(process)
    asyncio.run(awaited())


def in_a_signal_handler(account: Account) -> None:
    """The handler forks in the middle of a call. The child must leave that call to its parent."""
    children = []

    def handle(*_: object) -> None:
        if process := os.fork():
            children.append(process)

    signal.signal(signal.SIGUSR1, handle)
    parent = os.getpid()
    timer = threading.Timer(0.1, os.kill, (parent, signal.SIGUSR1))
    timer.start()
    slow = f"{next_name()}-slow"
    try:
        assert account.client.sub_accounts.get(slow).username == slow
        assert os.getpid() == parent, "the child has its parent's answer"
    except proxymesh.ConfigError:
        assert os.getpid() != parent
        account.ask(CALLS)
        os._exit(0)
    timer.join()
    account.ask(CALLS)
    join(children[0])
    account.ask(1)


def ends_like_a_program(account: Account) -> None:
    """The child closes or drops the inherited client and ends with sys.exit. The parent's client is not affected."""

    def close() -> None:
        if isinstance(account, Blocking):
            account.client.close()
        else:
            asyncio.run(account.client.aclose())

    def forget() -> None:
        account.client = None

    def use_and_close() -> None:
        account.ask(1)
        close()

    for ending in (close, forget, use_and_close, lambda: None):
        process = os.fork()
        if process == 0:
            ending()
            sys.exit(0)
        account.ask(CALLS // 4)
        join(process)
    account.ask(1)


def failures_are_inherited(account: Account) -> None:
    """The service counts failed authentications from all processes together."""

    def refused(number: int) -> type[BaseException]:
        try:
            type(account)(account.base_url, f"wrong-{number}").ask(1)
        except proxymesh.ProxyMeshError as error:
            return type(error)
        raise AssertionError("the service accepted the password")

    for number in range(3):
        assert refused(number) is proxymesh.AuthenticationError

    def child() -> None:
        assert refused(3) is proxymesh.AuthenticationBlockedError

    join(fork(child))
    account.ask(1)


_inherited: list[Account] = []


def ask_with_the_inherited(calls: int) -> None:
    _inherited[0].ask(calls)


def pool_of_forks(account: Account) -> None:
    _inherited.append(account)
    in_a_pool("fork", ask_with_the_inherited, account)


def ask_with_its_own(make: Callable[[str], Account], base_url: str, calls: int) -> None:
    make(base_url).ask(calls)


def pool_of_spawned(account: Account) -> None:
    """Spawned processes inherit nothing, and a client cannot be sent to them, so they create their own."""
    in_a_pool("spawn", partial(ask_with_its_own, type(account), account.base_url), account)


def pool_of_a_fork_server(account: Account) -> None:
    in_a_pool("forkserver", partial(ask_with_its_own, type(account), account.base_url), account)


def in_a_pool(method: str, ask: Callable[[int], None], account: Account) -> None:
    context: Any = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        asked = pool.map_async(ask, [CALLS // 8] * 16, chunksize=1)
        account.ask(CALLS)
        asked.get(PATIENCE)


# Each of these processes makes one call at a time, so it needs only one connection.
ONE_BY_ONE = (
    fork_and_both_call,
    fork_unused,
    child_of_a_child,
    grandchild_alone,
    with_options_and_handles,
    ends_like_a_program,
)
AT_ONCE = (while_threads_call, in_a_running_loop, pool_of_forks, pool_of_spawned, pool_of_a_fork_server)
CASES: dict[str, Callable[[Account], None]] = {
    case.__name__: case
    for case in (
        *ONE_BY_ONE,
        *AT_ONCE,
        failures_are_inherited,
        with_a_call_from_before,
        in_a_signal_handler,
    )
}
CLIENTS: dict[str, Callable[[str], Account]] = {"blocking": Blocking, "awaited": Awaited}
# In the other cases, the process makes calls before it forks.
COLD = {fork_unused, grandchild_alone}

if __name__ == "__main__":
    # A process that hangs prints where it hangs.
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(int(2 * PATIENCE))
    case = CASES[sys.argv[3]]
    account = CLIENTS[sys.argv[2]](sys.argv[1])
    if case not in COLD:
        account.ask(3)
    case(account)
