"""Regular expressions of silences: RE2's meaning, and never more than linear."""

import re
import time
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from routers.regex import LENGTH, compile_regex
from routers.regex_syntax import RegexError
from tests.documents import ROOT

CASES: dict[str, Any] = yaml.safe_load((ROOT / "tests/data/silences.yaml").read_text())
ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", "(?:)", "c"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,1}"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("case", CASES["regexes"], ids=lambda case: repr(case["pattern"]))
def test_an_expression_fits_what_re2_says(case: dict[str, Any]) -> None:
    regex = compile_regex(case["pattern"])
    assert [text for text in case["fits"] if not regex.fits(text)] == []
    assert [text for text in case["leaves"] if regex.fits(text)] == []


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: repr(case["pattern"]))
def test_what_is_no_expression_is_said_with_its_place(case: dict[str, Any]) -> None:
    with pytest.raises(RegexError, match=re.escape(case["says"])):
        compile_regex(case["pattern"])


@given(PATTERNS, st.text(alphabet="abc1\n", max_size=8))
def test_it_agrees_with_python_wherever_both_have_a_say(pattern: str, text: str) -> None:
    python = re.compile(pattern, re.DOTALL)
    assert compile_regex(pattern).fits(text) is (python.fullmatch(text) is not None)


@given(st.text(alphabet=r"()[]{}|*+?^$\.-,:=<!PD1abixs ", max_size=30))
def test_no_text_raises_anything_but_the_typed_error(pattern: str) -> None:
    with suppress(RegexError):
        assert compile_regex(pattern).fits("ab1") in (True, False)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|aa)+b",
        "(.*)*.*.*.*.*.*b",
        "(x?){400}a{0,80}b",
        "(" * 50 + "a*" + ")*" * 50 + "b",
    ],
)
def test_what_python_tries_for_years_is_done_at_once(pattern: str) -> None:
    started = time.thread_time()
    regex = compile_regex(pattern)
    assert not regex.fits("a" * 2000)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize(
    "pattern",
    ["a" * (LENGTH + 1), "a{1000}", "(((){1000}){1000}){1000}", "(" * 51 + ")" * 51],
)
def test_a_pattern_that_is_too_large_is_refused_at_once(pattern: str) -> None:
    started = time.thread_time()
    with pytest.raises(RegexError):
        compile_regex(pattern)
    assert time.thread_time() - started < 1
