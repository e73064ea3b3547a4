"""A program that test_auth.py runs in a separate process. Many processes make a call at the same moment.

`python -m tests.support.workers BASE_URL PASSWORD METHOD` prints how many calls ended in which way. METHOD is one of
multiprocessing. Forked processes use a client of their parent, others create one.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import signal
import sys
from collections import Counter
from typing import Any

import proxymesh
from proxymesh import Client

from .credentials import USERNAME
from .server import PATIENCE

PROCESSES = 16


def call(client: Client | None, base_url: str, password: str, together: Any, told: Any) -> None:
    client = client or Client(USERNAME, password, base_url=base_url)
    together.wait(PATIENCE)
    try:
        client.ips.list()
    except proxymesh.ProxyMeshError as error:
        told.put(type(error).__name__)
    else:
        told.put("answer")


def main(base_url: str, password: str, method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    together, told = context.Barrier(PROCESSES), context.SimpleQueue()
    inherited = Client(USERNAME, password, base_url=base_url) if method == "fork" else None
    arguments = (inherited, base_url, password, together, told)
    processes = [context.Process(target=call, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    kinds = Counter(told.get() for _ in processes)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    sys.stdout.write(json.dumps(kinds))


if __name__ == "__main__":
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(int(2 * PATIENCE))
    main(*sys.argv[1:])
