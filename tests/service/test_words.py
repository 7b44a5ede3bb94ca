"""What a search finds, by words alone: tests/data/search.yaml, written first."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from service.words import ASKED, LONGEST, asked, words

DATA = Path(__file__).parent.parent / "data"
CASES: list[dict[str, Any]] = yaml.safe_load((DATA / "search.yaml").read_text())
HOSTILE = ['"' * 10_000, "*" * 10_000, "(" * 10_000, "a" * 10_000, "a OR " * 2_000, "\x00", "'; --"]


def finds(question: str, text: str) -> bool:
    told, wanted = words([text], 1000), asked(question)
    begins = [any(_fits(word, one) for one in told) for word in wanted]
    return bool(begins) and all(begins)


def _fits(word: str, told: str) -> bool:
    return told == word if len(word) == 1 else told.startswith(word)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["text"])[:30])
def test_a_text_is_found_by_what_was_written_down(case: dict[str, Any]) -> None:
    missed = [question for question in case["finds"] if not finds(question, case["text"])]
    too_much = [question for question in case["leaves"] if finds(question, case["text"])]
    assert (missed, too_much) == ([], [])


@pytest.mark.parametrize("question", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_asked_is_a_few_short_words(question: str) -> None:
    wanted = asked(question)
    assert len(wanted) <= ASKED
    assert all(word.isalnum() and len(word) <= LONGEST for word in wanted)


@given(st.text())
def test_every_word_is_letters_and_digits_and_finds_its_text(text: str) -> None:
    told = words([text], 10_000)
    assert all(word and " " not in word and '"' not in word for word in told)
    assert not asked(text) or finds(" ".join(asked(text)), text)
