"""The types: what an editor and a type checker are told is what there is, and typical code passes a strict check."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import proxymesh
import pytest
from proxymesh import _proxymesh

STUB = Path(proxymesh.__file__).with_name("_proxymesh.pyi")
TREE = ast.parse(STUB.read_text(encoding="utf-8"))
CLASSES = {node.name: node for node in TREE.body if isinstance(node, ast.ClassDef)}

USER_CODE = '''
"""What users write."""

import ipaddress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import assert_type

import proxymesh
from proxymesh import Client, LabeledIp, NewToken, Proxy, SubAccount, Token
from proxymesh.sandbox import RecordedRequest, Sandbox


def scrape(client: Client) -> list[str]:
    assert_type(client.proxies.list(), list[Proxy])
    assert_type(client.proxies.add("us-ca"), str)
    assert_type(client.ips.add(ipaddress.ip_address("203.0.113.7"), label="office"), str)
    assert_type(client.ips.list(username="x"), list[str])
    assert_type(client.ips.labels(), list[LabeledIp])
    assert_type(client.hostnames.add("a.example"), str)
    assert_type(client.hostnames.list(), list[str])
    assert_type(client.geo.world(), dict[str, int])
    assert_type(client.sub_accounts.create("x", password="p", monthly_limit=5), SubAccount)
    assert_type(client.sub_accounts.get("x").monthly_bandwidth, float)
    assert_type(client.sub_accounts.get("x").email, str | None)
    assert_type(client.tokens.list(), list[Token])
    assert_type(client.tokens.create(label="ci", expires_at=date.today() + timedelta(days=30)), NewToken)
    assert_type(client.tokens.activate(1).created_at, datetime)
    assert_type(client.with_options(timeout=5), Client)
    client.ips.delete("203.0.113.7")
    return [proxy.url("me", "secret") for proxy in sorted(client.proxies.list())]


def main() -> str | None:
    with Client("me", "secret", timeout=5, ca_file=Path("ca.pem")) as client:
        try:
            scrape(client)
        except proxymesh.ValidationError as error:
            return error.field + error.reason
        except proxymesh.AuthenticationBlockedError as error:
            return f"{error.retry_after:.0f}"
        except proxymesh.RateLimitedError as error:
            assert_type(error.retry_after, float | None)
            assert_type(error.field_errors, dict[str, list[str]])
        except (proxymesh.TimeoutError, proxymesh.ConnectionError) as error:
            return f"{error.reason} {error.attempts}"
        except proxymesh.OutcomeUnknownError as error:
            return error.advice
        except proxymesh.ProxyMeshError as error:
            assert_type(error.call, str | None)
    return None


def test_main() -> None:
    with Sandbox(plan="10") as sandbox, sandbox.client(max_retries=0) as client:
        sandbox.fault("status", status=503, headers={"Retry-After": "0"})
        assert_type(sandbox.requests(), list[RecordedRequest])
        assert_type(sandbox.requests()[0].form, dict[str, str])
        assert_type(sandbox.now, datetime)
        scrape(client)


def matched(value: object) -> str:
    match value:
        case Proxy(host, port):
            return f"{host}{port}"
        case SubAccount(username=username, active=True):
            return username
        case Token(number, label):
            return f"{number + 1}{label.upper()}"
    return ""
'''
WRONG = """
from proxymesh import Client, Proxy
from proxymesh.sandbox import Sandbox

client = Client("me", "secret")
client.sub_accounts.create("x", monthly_limit="5")
client.sub_accounts.create("x", 5)
client.ips.add(5)
client.tokens.activate("1")
client.proxies.list()[0].port = 5
client.timeout
Client(timeout=None)
number: int = client.ips.list()
class Mine(Proxy): ...
Sandbox("parent")
"""


def check(code: str, folder: Path) -> tuple[int, str]:
    """Runs the strict type checker over `code`, as a user's project would."""
    (folder / "user.py").write_text(code, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-version=3.11", "user.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("user")


def test_typical_code_passes_the_strictest_check(folder: Path) -> None:
    assert check(USER_CODE, folder) == (0, "Success: no issues found in 1 source file\n")


def test_every_mistake_is_found(folder: Path) -> None:
    status, said = check(WRONG, folder)
    assert status == 1
    found = {int(line.split(":")[1]) for line in said.splitlines() if ": error:" in line}
    lines = WRONG.splitlines()
    first = lines.index('client = Client("me", "secret")') + 2
    assert found == set(range(first, len(lines) + 1)), said


def public(names: Any) -> set[str]:
    return {name for name in names if not name.startswith("_") or name in {"__version__", "__match_args__"}}


def members(node: ast.ClassDef) -> dict[str, ast.FunctionDef | None]:
    """The members that a class has by its stub, with the node that holds the docstring."""
    found: dict[str, ast.FunctionDef | None] = {}
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef):
            found[inner.name] = inner
        elif isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
            found[inner.targets[0].id] = None
    return found


def test_the_stub_names_what_the_module_has() -> None:
    functions = {node.name for node in TREE.body if isinstance(node, ast.FunctionDef)}
    assert set(CLASSES) | functions | {"__version__"} == public(vars(_proxymesh))
    assert public(_proxymesh.__all__) == public(vars(_proxymesh))


@pytest.mark.parametrize("name", CLASSES)
def test_the_stub_of_a_class_has_its_members_and_no_others(name: str) -> None:
    kind = getattr(_proxymesh, name)
    assert public(members(CLASSES[name])) == public(vars(kind))
    for special in members(CLASSES[name]):
        assert hasattr(kind, special)


@pytest.mark.parametrize("name", CLASSES)
def test_the_docstrings_of_the_stub_are_those_at_run_time(name: str) -> None:
    kind = getattr(_proxymesh, name)
    assert ast.get_docstring(CLASSES[name]) == inspect.cleandoc(kind.__doc__)
    for member, node in members(CLASSES[name]).items():
        if node is not None and not member.startswith("_"):
            assert ast.get_docstring(node) == inspect.cleandoc(getattr(kind, member).__doc__), member


@pytest.mark.parametrize("name", CLASSES)
def test_the_signatures_of_the_stub_are_those_at_run_time(name: str) -> None:
    kind = getattr(_proxymesh, name)
    for member, node in members(CLASSES[name]).items():
        attribute = getattr(kind, member)
        if node is None or member.startswith("_") or not callable(attribute):
            continue
        given = [name for name in inspect.signature(attribute).parameters if name != "self"]
        arguments = node.args
        promised = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
        assert [argument.arg for argument in [*promised, *rest] if argument.arg != "self"] == given, member


def test_the_package_says_that_it_is_typed() -> None:
    assert STUB.with_name("py.typed").exists()


def test_the_package_exports_what_it_documents() -> None:
    for name in proxymesh.__all__:
        assert hasattr(proxymesh, name)
    assert public(vars(proxymesh)) - set(proxymesh.__all__) <= {"sandbox"}
    assert proxymesh.__version__.count(".") == 2
