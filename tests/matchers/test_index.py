"""The index equals a slow, obvious reference, on whatever patterns and paths."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.index import PathIndex
from tests.conformance import cases
from tests.reference.patterns import compile_pattern

NAMES = ["a", "b", "ab", "ba", "aab", "a.py", "b.py", ".x", "x-y"]
GLOBS = ["*", "?", "a*", "*b", "*.py", "a*b", "*a*", "?b", "a?*", "*a*b*", "\\*", "x\\ y", "\\*a*"]
segments = st.sampled_from([*NAMES, *GLOBS, "**"])
patterns = st.builds(
    lambda first, middle, last: first + "/".join(middle) + last,
    st.sampled_from(["", "/"]),
    st.lists(segments, min_size=1, max_size=4),
    st.sampled_from(["", "/", "/*", "/**"]),
).filter(lambda text: "***" not in text)
paths = st.lists(st.sampled_from([*NAMES, "*", "x y", "*ab"]), min_size=1, max_size=5).map("/".join)


def reference(wanted: Sequence[str], path: str) -> tuple[int, ...]:
    """All that own the path, the last first."""
    owns = [compile_pattern(pattern)(path) for pattern in wanted]
    return tuple(number for number in reversed(range(len(wanted))) if owns[number])


@given(st.lists(patterns, min_size=1, max_size=12), st.lists(paths, min_size=1, max_size=8))
@settings(max_examples=2000)
def test_the_index_equals_the_reference(wanted: list[str], asked: list[str]) -> None:
    built = PathIndex((pattern, number) for number, pattern in enumerate(wanted))
    for path in [*asked, *asked]:  # the second time from the memos
        assert built.matches(path) == reference(wanted, path)


@pytest.mark.parametrize("case", cases("patterns.yaml"), ids=lambda case: case["id"])
def test_the_reference_itself_is_right(case: dict[str, object]) -> None:
    if case["github"] != "error":
        assert compile_pattern(str(case["pattern"]))(str(case["path"])) is case["github"]
