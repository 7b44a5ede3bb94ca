"""Python 3.11 before 3.11.5, Debian 12's among them, loses its place in a possessive group.

Where a round of `(?:…)*+` goes on before it fails, the match ends there, and not where the round
began: https://github.com/python/cpython/issues/106052. `(?>(?:…)*)` says the same and is right.
Such a group stands in no pattern of ours, but for rounds that fail at once or not at all.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

import pytest

import matchers
import routers
import service

Items = Any  # of a parsed pattern: pairs of an operation and what it is of
ONE = frozenset((code.LITERAL, code.NOT_LITERAL, code.IN, code.ANY))  # character
REPEATS = frozenset((code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT))


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for module in modules():
        for name, found in vars(module).items():
            if isinstance(found, re.Pattern):
                yield f"{module.__name__}.{name}", found


def modules() -> Iterator[ModuleType]:
    for package in (matchers, routers, service):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in found.name and not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def late_groups(pattern: str | bytes, flags: int = 0) -> list[Items]:
    """The possessive groups in which a round may go on before it fails."""
    flags &= ~re.UNICODE if isinstance(pattern, bytes) else ~0
    groups = inside(parser.parse(pattern, flags))
    return [group for group in groups if not fails_at_once(group)]


def inside(items: Items) -> Iterator[Items]:
    """What is repeated possessively, wherever it stands."""
    for op, of in items:
        if op is code.POSSESSIVE_REPEAT:
            yield of[-1]
        for part in parts(op, of):
            yield from inside(part)


def parts(op: Any, of: Any) -> list[Items]:
    if op is code.BRANCH:
        return list(of[1])
    if op is code.ATOMIC_GROUP:
        return [of]
    if op is code.GROUPREF_EXISTS:
        return [part for part in of[1:] if part]
    grouped = (*REPEATS, code.SUBPATTERN, code.ASSERT, code.ASSERT_NOT)
    return [of[-1]] if op in grouped else []


def fails_at_once(items: Items) -> bool:
    """All but the last are one character each, and so is the last, or it cannot fail there."""
    *before, (op, of) = items
    if any(each not in ONE for each, _ in before):
        return False
    if op is code.BRANCH and not before:
        return all(map(fails_at_once, of[1]))
    least = 0 if before else 1  # times: what stands alone fails where it began
    return op in ONE or (op in REPEATS and of[0] <= least)


PATTERNS = dict(patterns())


@pytest.mark.parametrize("name", PATTERNS)
def test_no_group_loses_its_place(name: str) -> None:
    assert late_groups(PATTERNS[name].pattern, PATTERNS[name].flags) == []


@pytest.mark.parametrize(
    ("pattern", "is_late"),
    [
        (r"'(?:[^']|(?<=\w)'(?=\w))*+'", True),
        (r"\d++(?:[ -]\d++(?![A-Z]))*+", True),
        (r"(?>[0-9]+(?:\.[0-9]+)*s)++", True),
        (r"(?:\w*+@\w*+)*+", True),
        (r"(?>(?:[ -]\d++(?![A-Z]))*)", False),
        (r'"(?:[^"\\]++|\\.)*+"', False),
        (r"\w++", False),
    ],
)
def test_what_loses_its_place_is_known(pattern: str, is_late: bool) -> None:
    assert bool(late_groups(pattern)) is is_late
