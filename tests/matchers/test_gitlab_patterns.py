"""GitLab's patterns in the index equal a slow, obvious fnmatch, on whatever patterns and paths."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.gitlab_patterns import parse_gitlab_pattern
from matchers.index import PathIndex
from matchers.patterns import Pattern, PatternError, parse_pattern
from tests.reference.fnmatch import owns

NAMES = ["a", "b", "ab", "a.py", ".x", "x-y", "x y"]
GLOBS = [
    "*",
    "?",
    "a*",
    "*b",
    "*a*",
    "***",
    "a**b",
    "**",
    "[ab]",
    "[!a]*",
    "*[a-c].py",
    "\\*",
    "[]",
]
patterns = st.builds(
    lambda first, middle, last: first + "/".join(middle) + last,
    st.sampled_from(["", "/"]),
    st.lists(st.sampled_from([*NAMES, *GLOBS]), min_size=1, max_size=4),
    st.sampled_from(["", "/", "/*", "/**"]),
)
paths = st.lists(st.sampled_from([*NAMES, "*", "c.py"]), min_size=1, max_size=5).map("/".join)


@given(st.lists(patterns, min_size=1, max_size=6), paths)
@settings(max_examples=2_000)
def test_the_index_equals_fnmatch(wanted: list[str], path: str) -> None:
    built = PathIndex(zip(wanted, range(len(wanted)), strict=True), parse_gitlab_pattern)
    expected = [number for number, pattern in enumerate(wanted) if owns(pattern, path)]
    assert sorted(built.matches(path)) == expected


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("[z-a]x", "zx", True),
        ("[z-a]x", "mx", False),
        ("[!]x", "qx", True),
        (r"[\]]x", "]x", True),
        (r"\[x\]", "[x]", True),
        ("[a/b].py", "a.py", True),
        ("/", "a/b.py", True),
        ("a/**/**/b", "a/b", True),
        ("a.py/", "a.py", False),
        (r"dir\/x", "dir/x", True),
        ("*.rb", "dir.rb/x", False),
    ],
)
def test_what_ruby_says_of_the_corners(pattern: str, path: str, owned: bool) -> None:
    assert bool(PathIndex([(pattern, 0)], parse_gitlab_pattern).matches(path)) is owned


@pytest.mark.parametrize("pattern", ["", " ", "[ab", "src/[x"])
def test_what_can_match_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        parse_gitlab_pattern(pattern)


HOSTILE = ["*[a]*[a]*[a]*[a]*[a]*b", "**/a/" * 20 + "[x]", r"*\**a*a*a*b"]


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("parse", [parse_gitlab_pattern, parse_pattern])
def test_a_hostile_glob_costs_no_time(pattern: str, parse: Callable[[str], Pattern]) -> None:
    built = PathIndex([(pattern, 0)], parse)
    begun = time.perf_counter()
    assert built.matches("a*" * 2_000 + "/a" * 1_000) == ()
    assert time.perf_counter() - begun < 1
