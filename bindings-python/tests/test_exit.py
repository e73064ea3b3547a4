"""A program may exit while calls are in progress. It ends at once and prints nothing."""

from __future__ import annotations

import os
import random
import statistics
import time

import pytest

from .conftest import StartServer
from .support import exiting
from .support.program import succeeds
from .support.server import Answer, Instead, Reply, Request, Server, answer

# `make test-soak` runs more rounds, because this looks for races.
ROUNDS = int(os.environ.get("EXITS", "20"))


def script(request: Request) -> Reply:
    match request.path:
        case "/api/ips/":
            return Instead.HANG
        case "/api/proxies/":
            return Answer(429, headers={"retry-after": "60"})
        case "/api/geoips/world/":
            # Some responses arrive while the interpreter shuts down.
            time.sleep(random.uniform(0, 0.03))
    return answer({"US": 1})


@pytest.mark.parametrize("case", exiting.CASES)
def test_a_program_that_exits_while_calls_are_in_progress_ends_at_once_and_silently(
    case: str, start_server: StartServer
) -> None:
    took = []
    for _ in range(ROUNDS):
        server: Server = start_server(script)
        start = time.monotonic()
        # Calls without a response would last half a minute.
        assert succeeds("exiting", server.base_url, case, limit=10) == ""
        took.append(time.monotonic() - start)
        if case == "threads":
            assert server.count == 1 + exiting.CALLS, "Python waits for threads that are not daemons"
        server.stop()
    low, middle, high = min(took), statistics.median(took), max(took)
    print(  # noqa: T201
        f"\n{ROUNDS} programs ended with calls under way ({case}): 0 failures, 0 bytes of output; "
        f"whole programs took min {low:.2f}, median {middle:.2f}, max {high:.2f} s"
    )
