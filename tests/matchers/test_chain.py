"""In which order exceptions are walked: chains, groups, and whatever else is said of parents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.chain import walked_exceptions
from matchers.event import ExceptionValue

Told = tuple[str | None, int | None, int | None]  # source, exception_id, parent_id


def chain(*told: Told) -> list[ExceptionValue]:
    return [
        ExceptionValue(source=source, exception_id=own, parent_id=parent)
        for source, own, parent in told
    ]


CASES: dict[str, tuple[list[Told], list[int], list[int]]] = {
    "a lone one": ([(None, None, None)], [0], [0]),
    "a chain by causes": ([(None, None, None)] * 3, [0, 1, 2], [2, 1, 0]),
    "cut at a context": (
        [("__cause__", None, None), ("__context__", None, None), (None, None, None)],
        [2, 0, 1],
        [2, 1, 0],
    ),
    "cut at two contexts, outward": (
        [
            ("__context__", None, None),
            ("__cause__", None, None),
            ("__context__", None, None),
            (None, None, None),
        ],
        [3, 1, 2, 0],
        [3, 2, 1, 0],
    ),
    "a group, its members in its own order": (
        [("exceptions[1]", 2, 0), ("exceptions[0]", 1, 0), (None, 0, None)],
        [1, 0, 2],
        [2, 1, 0],
    ),
    "a group's member with a cause and a context": (
        [
            ("__context__", 4, 1),
            ("__cause__", 3, 1),
            ("exceptions[1]", 2, 0),
            ("exceptions[0]", 1, 0),
            (None, 0, None),
        ],
        [1, 3, 2, 4, 0],
        [4, 3, 1, 2, 0],
    ),
    "a group that caused what was thrown": (
        [("exceptions[0]", 2, 1), ("__cause__", 1, 0), (None, 0, None)],
        [0, 1, 2],
        [2, 1, 0],
    ),
    "a parent that is not there": ([(None, 5, 9), (None, 6, None)], [1, 0], [1, 0]),
    "one that is its own parent": ([(None, 0, 0), (None, 1, None)], [1, 0], [1, 0]),
    "a cycle": ([(None, 0, 1), (None, 1, 2), (None, 2, 0)], [0, 1, 2], [2, 1, 0]),
    "the same number twice": ([(None, 1, 0), (None, 1, 0), (None, 0, None)], [0, 1, 2], [2, 0, 1]),
}


@pytest.mark.parametrize("name", CASES)
def test_exceptions_are_walked(name: str) -> None:
    told, cause_first, thrown_first = CASES[name]
    assert walked_exceptions(chain(*told)) == cause_first
    assert walked_exceptions(chain(*told), "thrown_first") == thrown_first


numbers = st.none() | st.integers(0, 6)
sources = st.sampled_from([None, "__cause__", "__context__", "exceptions[0]"])


@given(st.lists(st.tuples(sources, numbers, numbers), max_size=8))
def test_each_is_walked_once_whatever_is_said_of_parents(told: list[Told]) -> None:
    for order in ("root_cause_first", "thrown_first"):
        assert sorted(walked_exceptions(chain(*told), order)) == list(range(len(told)))


def test_five_hundred_in_one_cycle_are_walked() -> None:
    told = [(None, number, (number + 1) % 500) for number in range(500)]
    assert len(walked_exceptions(chain(*told))) == 500
