"""Directories that must have exactly one owner."""

import pytest

from matchers.coverage import cover
from matchers.required import directories
from tests.builders import the_rules

RULES = the_rules(
    """
teams: {a: {}, b: {}}
rules:
  - {path: /app/, owner: a}
  - {path: /app/two/b.py, owner: b}
  - {path: /app/gen/, unowned: true}
  - {path: /app/one/stubs/, unowned: true}
"""
).ruleset
FILES = [
    "app/one/a.py",
    "app/one/stubs/x.py",
    "app/two/a.py",
    "app/two/b.py",
    "app/gen/x.py",
    "lib/free/a.py",
    "lib/a.py",
]


@pytest.mark.parametrize(
    ("glob", "failing", "passing"),
    [
        ("app/*", {"app/gen/": {None: 1}, "app/two/": {"a": 1, "b": 1}}, ["app/one/"]),
        ("app/*/", {"app/gen/": {None: 1}, "app/two/": {"a": 1, "b": 1}}, ["app/one/"]),
        ("/app", {"app/": {"a": 2, "b": 1}}, []),
        ("lib/**", {"lib/free/": {None: 1}}, []),
        ("lib", {"lib/": {None: 2}}, []),
        ("app/one/**", {"app/one/stubs/": {None: 1}}, []),
        ("app/*.py", {}, []),  # a file is no directory
        ("nowhere/*", {}, []),
    ],
)
def test_a_directory_has_exactly_one_owner(
    glob: str, failing: dict[str, dict[str | None, int]], passing: list[str]
) -> None:
    found = directories(cover(FILES, RULES), glob)
    assert {one.path: one.owners for one in found if not one.has_one_owner} == failing
    assert [one.path for one in found if one.has_one_owner] == passing
