"""Pairs of events that are one error, and pairs that are two: tests/data/grouping.yaml."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from matchers.event import Event
from matchers.fingerprint import fingerprint, group_id
from tests.builders import an_event

TABLE = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "grouping.yaml").read_text(encoding="utf-8")
)
PLATFORMS = {"modules": "java"}


def failing(key: str, value: str) -> Mapping[str, Any]:
    frame = {"path": "app/web.py", "function": "view"}
    if key == "modules":
        frame = {"module": value, "function": "rate", "filename": "Tax.java"}
    elif key == "files":
        frame |= {"path": value}
    elif key == "functions":
        frame |= {"function": value}
    said = value if key == "messages" else "boom"
    return {"exceptions": [{"type": "E", "value": said, "frames": [frame]}]}


def pairs(verdict: str) -> Iterator[Any]:
    for section, cases in TABLE.items():
        for name, two in cases[verdict].items():
            shorts = two if section == "events" else [failing(section, one) for one in two]
            yield pytest.param(*(an_event(**short) for short in shorts), id=f"{section}: {name}")


def group(event: Event) -> str:
    return group_id(event.project, fingerprint(event))


@pytest.mark.parametrize(("one", "other"), list(pairs("one")))
def test_one_error_is_one_group(one: Event, other: Event) -> None:
    assert group(one) == group(other)


@pytest.mark.parametrize(("one", "other"), list(pairs("two")))
def test_two_errors_are_two_groups(one: Event, other: Event) -> None:
    assert group(one) != group(other)
