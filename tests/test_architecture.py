"""Who may import whom (the house, section 1). An import that runs upwards fails here."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"matchers", "routers", "service"}
# What each package may import besides itself and the standard library; None: anything.
ALLOWED: dict[str, set[str] | None] = {
    "matchers": {"msgspec", "pydantic", "pydantic_core", "yaml"},
    "routers": {"matchers", "httpx", "httpcore", "pydantic", "msgspec", "jinja2", "apprise"},
    "service": None,
}
MODULES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def refused(package: str, tree: ast.AST) -> list[str]:
    allowed = ALLOWED[package]
    tops = {name.partition(".")[0] for name in imports(tree)}
    foreign = tops - {package} - set(sys.stdlib_module_names)
    if allowed is None:
        return sorted(foreign & {"tests", "examples", "benchmarks", ""})
    return sorted(foreign - allowed)


def nested_imports(tree: ast.Module) -> list[int]:
    top = set(map(id, tree.body))
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in top
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_package_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert refused(package, ast.parse(path.read_text())) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_stand_at_the_top(path: Path) -> None:
    assert nested_imports(ast.parse(path.read_text())) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_past_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("matchers", "import routers"),
        ("matchers", "from service.app import create_app"),
        ("matchers", "import httpx"),
        ("routers", "from service import store"),
        ("routers", "import sqlalchemy"),
        ("service", "from tests import builders"),
        ("service", "from . import app"),
    ],
)
def test_an_import_that_runs_upwards_is_seen(package: str, line: str) -> None:
    assert refused(package, ast.parse(line)) != []


def test_an_import_inside_a_function_is_seen() -> None:
    assert nested_imports(ast.parse("def f():\n    import json")) == [2]
