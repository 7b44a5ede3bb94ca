"""Small printed stack traces: the forms that the texts of data/texts.yaml do not have."""

from typing import Any

import pytest
import yaml

from matchers.chain import walked_exceptions
from service.ingest.base import InvalidEventError
from service.ingest.tracebacks import parse_traceback, recognise
from tests.ingest.captured import DATA
from tests.ingest.test_texts import as_spelt, spelt

JAVA = "com.acme.Fault: no\n\tat com.acme.A.f(A.java:3)\n"
NODE = "TypeError: no\n    at f (/srv/a.js:3:4)\n"
FORMS: list[dict[str, Any]] = yaml.safe_load((DATA / "traceback_forms.yaml").read_text())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["text"].split("\n")[0][:40])
def test_a_form_is_read_as_it_was_meant(form: dict[str, Any]) -> None:
    named, parsed = recognise(form["text"])
    told = [[each.type, each.value, [spelt(frame) for frame in each.frames]] for each in parsed]
    expected = [
        [name, value, list(map(as_spelt, frames))] for name, value, frames in form["exceptions"]
    ]
    assert (named, told) == (form["platform"], expected)


@pytest.mark.parametrize("text", [NODE + "\n" + NODE, JAVA + "\n" + JAVA])
def test_an_earlier_error_of_the_log_does_not_decide_before_the_later(text: str) -> None:
    assert walked_exceptions(parse_traceback(text)) == [1, 0]


@pytest.mark.parametrize(
    ("platform", "named"),
    [("nodejs", "nodejs"), ("NODE", "NODE"), ("python", "node"), ("", "node"), (None, "node")],
)
def test_the_senders_word_stands_where_it_is_one_for_the_runtime(
    platform: str | None, named: str
) -> None:
    assert recognise(NODE, platform)[0] == named


def test_the_named_platform_is_read_where_the_text_holds_two() -> None:
    both = f'{NODE}Traceback (most recent call last):\n  File "a.py", line 3, in f\nKeyError: 1\n'
    assert parse_traceback(both, "python")[-1].type == "KeyError"
    assert parse_traceback(both, "nodejs")[-1].type == "TypeError"


@pytest.mark.parametrize(
    "text",
    [
        "at the moment (12:30) nothing works",
        "    at home (see: 3)",
        "Caused by: the weather\nSuppressed: laughter\n... 3 more",
        "don't panic: it is fine",
        "Next stop: Rome in 5\nStack trace:\n",
        "thread 'main' has stopped",
        "Error: no\n\nCaused by:\n    rain",
        "[cause]: TypeError: x",
        "goroutine 1 [running]:",
        "a user@example.com:25:3 wrote",
        "--- End of inner exception stack trace ---\n ---> A: b",
        "from here to there",
        "#1 in the charts (2026): a song",
    ],
)
def test_a_text_of_no_frames_is_refused(text: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse_traceback(text)
    assert caught.value.code == "no_traceback"
