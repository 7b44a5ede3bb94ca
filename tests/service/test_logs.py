"""What a line of the log looks like, as text and as JSON."""

import json
import logging
import sys
from typing import Any

import pytest

from service.logs import FORMATS, REQUEST


def record(said: str = "delivered", error: Exception | None = None, **about: Any) -> Any:
    made = logging.getLogger("service.worker").makeRecord(
        "service.worker", logging.WARNING, "worker.py", 1, said, (), None, extra=about
    )
    if error is not None:
        made.exc_info = (type(error), error, error.__traceback__)
    return made


def line(form: str, *arguments: Any, **about: Any) -> str:
    return FORMATS[form]().format(record(*arguments, **about))


def test_a_line_in_json_is_one_object_with_what_it_is_about() -> None:
    said = json.loads(line("json", event_id="a" * 32, channel="hook", attempts=2, team=None))
    assert said.pop("at").endswith("+00:00")
    assert said == {
        "level": "warning",
        "message": "delivered",
        "logger": "service.worker",
        "event_id": "a" * 32,
        "channel": "hook",
        "attempts": 2,
        "team": None,
    }


@pytest.mark.parametrize(("form", "said"), [("text", "request_id=r-1"), ("json", '"r-1"')])
def test_a_line_names_the_request_it_was_said_in(form: str, said: str) -> None:
    token = REQUEST.set("r-1")
    inside = line(form)
    REQUEST.reset(token)
    assert said in inside
    assert said not in line(form)


@pytest.mark.parametrize("form", FORMATS)
def test_an_error_stands_in_its_line_without_its_secrets(form: str) -> None:
    try:
        raise ValueError("password=hunter2 of ada@example.com")
    except ValueError as error:
        said = line(form, "failed", error, reason="token=abc\ndef", value=sys)
    assert "ValueError" in said
    assert "Traceback" in said
    assert "hunter2" not in said
    assert "ada@" not in said


def test_a_line_in_json_is_one_line() -> None:
    assert "\n" not in line("json", reason="one\ntwo")
