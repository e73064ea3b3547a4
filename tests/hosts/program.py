"""The program that the hosts run. It creates a client before any fork, and makes calls after the fork."""

from __future__ import annotations

import os
import tempfile

import proxymesh
from celery import Celery

client = proxymesh.Client()
"""Configured by the environment."""
client.proxies.list()
pool = client.proxies.pool()
parent = os.getpid()

broker = os.environ.get("BROKER", tempfile.gettempdir())
tasks = Celery("program", broker="filesystem://", backend=f"file://{broker}/results")
tasks.conf.broker_transport_options = {
    "data_folder_in": f"{broker}/queue",
    "data_folder_out": f"{broker}/queue",
    "control_folder": f"{broker}/control",
}
tasks.conf.broker_connection_retry_on_startup = True


def work() -> str:
    """Makes calls. Checks that this process is not the one that imported this module."""
    client.ips.list()
    pool.report(pool.get(), 200)
    assert os.getpid() != parent
    return f"{len(client.proxies.list())} proxies"


@tasks.task  # type: ignore[untyped-decorator]
def task() -> str:
    """The same as a Celery task."""
    return work()


def application(environ: object, start_response: object) -> list[bytes]:
    """The same as a WSGI application."""
    start_response("200 OK", [("Content-Type", "text/plain")])  # type: ignore[operator]
    return [work().encode()]
