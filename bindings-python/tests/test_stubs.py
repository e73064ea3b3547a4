"""The types: what an editor and a type checker are told is what there is. `make test-types` runs the checkers."""

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


def test_what_type_checkers_are_told_comes_true() -> None:
    with Sandbox() as sandbox:
        typing_usage.every_call(sandbox)


def public(names: Any) -> set[str]:
    """Without what pytest adds to the modules of every package that brings it a plugin, such as `@pytest_ar`."""
    return {name for name in names if name[0] not in "_@" or name in {"__version__", "__match_args__"}}


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
    assert public(vars(proxymesh)) - set(proxymesh.__all__) <= {"sandbox", "TYPE_CHECKING"}
    assert proxymesh.__version__.count(".") == 2
