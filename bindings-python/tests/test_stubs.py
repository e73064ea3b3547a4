"""The types that editors and type checkers see match the package. `make test-types` runs the checkers."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import proxymesh
import pytest
from proxymesh import _proxymesh
from proxymesh.sandbox import Sandbox

from . import typing_usage

STUB = Path(proxymesh.__file__).with_name("_proxymesh.pyi")
TREE = ast.parse(STUB.read_text(encoding="utf-8"))
CLASSES = {node.name: node for node in TREE.body if isinstance(node, ast.ClassDef)}


def test_the_types_are_correct_at_run_time() -> None:
    with Sandbox() as sandbox:
        typing_usage.every_call(sandbox)


def public(names: Any) -> set[str]:
    """The public names. pytest adds others, such as `@pytest_ar`, to the modules of packages that contain a plugin."""
    return {name for name in names if name[0] not in "_@" or name in {"__version__", "__match_args__"}}


def members(node: ast.ClassDef) -> dict[str, ast.FunctionDef | None]:
    """The members of a class according to its stub, with the node that holds the docstring."""
    found: dict[str, ast.FunctionDef | None] = {}
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef):
            found[inner.name] = inner
        elif isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
            found[inner.targets[0].id] = None
    return found


def test_the_stub_has_the_names_of_the_module() -> None:
    functions = {node.name for node in TREE.body if isinstance(node, ast.FunctionDef)}
    assert set(CLASSES) | functions | {"__version__"} == public(vars(_proxymesh))
    assert public(_proxymesh.__all__) == public(vars(_proxymesh))


@pytest.mark.parametrize("name", CLASSES)
def test_the_stub_of_a_class_has_exactly_its_members(name: str) -> None:
    kind = getattr(_proxymesh, name)
    assert public(members(CLASSES[name])) == public(vars(kind))
    for special in members(CLASSES[name]):
        assert hasattr(kind, special)


@pytest.mark.parametrize("name", CLASSES)
def test_the_docstrings_of_the_stub_match_those_at_run_time(name: str) -> None:
    kind = getattr(_proxymesh, name)
    assert ast.get_docstring(CLASSES[name]) == inspect.cleandoc(kind.__doc__)
    for member, node in members(CLASSES[name]).items():
        if node is not None and not member.startswith("_"):
            assert ast.get_docstring(node) == inspect.cleandoc(getattr(kind, member).__doc__), member


@pytest.mark.parametrize("name", CLASSES)
def test_the_signatures_of_the_stub_match_those_at_run_time(name: str) -> None:
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


def test_the_package_is_marked_as_typed() -> None:
    assert STUB.with_name("py.typed").exists()


def test_the_package_exports_what_it_documents() -> None:
    for name in proxymesh.__all__:
        assert hasattr(proxymesh, name)
    assert public(vars(proxymesh)) - set(proxymesh.__all__) <= {"sandbox", "TYPE_CHECKING"}
    assert proxymesh.__version__.count(".") == 2
