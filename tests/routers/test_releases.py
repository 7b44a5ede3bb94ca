"""Which of two releases is newer, by their names: data/releases.yaml."""

from itertools import combinations
from pathlib import Path

import pytest
import yaml

from routers.releases import is_newer

_TEXT = (Path(__file__).parent.parent / "data" / "releases.yaml").read_text()
TABLE = yaml.load(_TEXT, yaml.BaseLoader)  # noqa: S506 the safest of them: everything is a string
RISING = [pair for row in TABLE["rising"] for pair in combinations(row, 2)]


@pytest.mark.parametrize(("older", "newer"), RISING)
def test_the_later_one_is_newer_and_the_other_is_not(older: str, newer: str) -> None:
    assert (is_newer(newer, older), is_newer(older, newer)) == (True, False)


@pytest.mark.parametrize(("one", "other"), TABLE["same"])
def test_of_two_that_are_the_same_none_is_newer(one: str, other: str) -> None:
    assert (is_newer(one, other), is_newer(other, one)) == (False, False)


@pytest.mark.parametrize(("one", "other"), TABLE["unknown"])
def test_names_that_do_not_say_say_so(one: str, other: str) -> None:
    assert (is_newer(one, other), is_newer(other, one)) == (None, None)


def test_a_hostile_name_is_none_and_costs_nothing() -> None:
    for name in (
        "1" * 200_000,
        "1." * 100_000 + "1",
        "1.1" + "-a" * 100_000,
        "1.1" + "\N{DEVANAGARI DIGIT TWO}",
    ):
        assert is_newer(name, "1.0") is None
