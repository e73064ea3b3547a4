"""The package inside programs that host Python code: gunicorn, Celery, uWSGI, gevent, eventlet."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from proxymesh.sandbox import Sandbox

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
LIMIT = 40


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    with Sandbox() as sandbox:
        yield {
            **os.environ,
            "PROXYMESH_BASE_URL": sandbox.base_url,
            "PROXYMESH_USERNAME": sandbox.username,
            "PROXYMESH_PASSWORD": sandbox.password,
            "BROKER": str(tmp_path),
        }


@contextlib.contextmanager
def running(environment: dict[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=HERE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def page(url: str) -> tuple[int, str]:
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            assert time.monotonic() < deadline, "nothing is listening"
            time.sleep(0.1)


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_gunicorn_with_preload(environment: dict[str, str], worker: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    options = [
        "--preload",
        "--workers",
        "2",
        "--worker-class",
        worker,
        "--threads",
        "4" if worker == "gthread" else "1",
    ]
    with running(environment, str(BIN / "gunicorn"), *options, "--bind", address, "program:application"):
        assert page(f"http://{address}/") == (200, "3 proxies")
        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(page, [f"http://{address}/"] * 40)) == {(200, "3 proxies")}


def test_celery_with_prefork(environment: dict[str, str], tmp_path: Path) -> None:
    for folder in ("queue", "control", "results"):
        (tmp_path / folder).mkdir()
    options = [
        "--pool",
        "prefork",
        "--concurrency",
        "2",
        "--loglevel",
        "warning",
        "--without-gossip",
        "--without-mingle",
    ]
    ask = "import program; print({r.get(timeout=30) for r in [program.task.delay() for _ in range(20)]})"
    with running(environment, str(BIN / "celery"), "-A", "program:tasks", "worker", *options):
        asked = [sys.executable, "-c", ask]
        done = subprocess.run(asked, cwd=HERE, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "{'3 proxies'}\n"), done.stderr


@pytest.mark.skipif(not (BIN / "uwsgi").exists(), reason="no uWSGI")
def test_uwsgi_with_two_applications(environment: dict[str, str]) -> None:
    """Each application has its own interpreter. In the second, the import fails and the error says what to do."""
    address = f"127.0.0.1:{free_port()}"
    options = ["--master", "--die-on-term", "--http-socket", address]
    options += ["--mount", "/a=program.py", "--mount", "/b=program.py"]
    environment["PYTHONPATH"] = os.pathsep.join(sys.path[1:])
    said = b""
    with running(environment, str(BIN / "uwsgi"), *options) as process:
        assert process.stdout is not None
        while b"single-interpreter = true" not in said:
            line = process.stdout.readline()
            assert line, said.decode()
            said += line
    assert b"WSGI app 0 (mountpoint='/a') ready" in said


@pytest.mark.skipif(not (BIN / "uwsgi").exists(), reason="no uWSGI")
def test_uwsgi_with_a_single_interpreter(environment: dict[str, str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    options = ["--master", "--die-on-term", "--single-interpreter", "--manage-script-name", "--http-socket", address]
    options += ["--mount", "/a=program.py", "--mount", "/b=program.py"]
    environment["PYTHONPATH"] = os.pathsep.join(sys.path[1:])
    with running(environment, str(BIN / "uwsgi"), *options):
        assert [page(f"http://{address}/{name}") for name in "ab"] == [(200, "3 proxies")] * 2


GREEN = """
import sys, time
{patch}
import proxymesh
client = proxymesh.Client(timeout=5)
client.geo.open()
ticks = [0]
def tick():
    while True:
        ticks[0] += 1
        {sleep}(0.01)
{spawn}(tick)
{sleep}(0)
before = ticks[0]
began = time.monotonic()
{call}
print(time.monotonic() - began > 0.9, "blocked" if ticks[0] - before < 5 else "went on")
"""
GEVENT = {
    "patch": "from gevent import monkey; monkey.patch_all(); import gevent",
    "sleep": "gevent.sleep",
    "spawn": "gevent.spawn",
}
EVENTLET = {"patch": "import eventlet; eventlet.monkey_patch()", "sleep": "eventlet.sleep", "spawn": "eventlet.spawn"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("hub", "call", "others"),
    [
        (GEVENT, "client.proxies.list()", "blocked"),
        (GEVENT, "gevent.get_hub().threadpool.apply(client.proxies.list)", "went on"),
        (EVENTLET, "client.proxies.list()", "blocked"),
        (EVENTLET, "import eventlet.tpool; eventlet.tpool.execute(client.proxies.list)", "went on"),
    ],
)
def test_green_threads(hub: dict[str, str], call: str, others: str) -> None:
    """A call blocks the hub, as docs/python.md says. A call in the hub's own thread pool does not."""
    with Sandbox() as sandbox:
        sandbox.fault("delay", seconds=1, path="/api/proxies/")
        environment = {
            **os.environ,
            "PROXYMESH_BASE_URL": sandbox.base_url,
            "PROXYMESH_USERNAME": sandbox.username,
            "PROXYMESH_PASSWORD": sandbox.password,
        }
        code = GREEN.format(call=call, **hub)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout.strip()) == (0, f"True {others}"), done.stderr
