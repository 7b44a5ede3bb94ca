"""`tests:` of the rules file: an event in short, and who must own it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict

from matchers.errors import Origin
from matchers.event import Event
from matchers.ownership import Step
from matchers.sketch import SketchError, sketch
from matchers.sources.checker import Checker
from matchers.sources.document import Path

_NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # a test's event has no time that matters


class Case(msgspec.Struct, frozen=True, kw_only=True):
    origin: Origin
    event: Event
    owner: str | None  # the slug; None: it must be nobody's
    step: str | None = None  # None: any


class Expected(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    owner: str | None
    step: Step | None = None


def read_cases(section: object, checker: Checker, names: Mapping[str, str]) -> Iterator[Case]:
    for index, value in enumerate(checker.listing(section, ("tests",))):
        path: Path = ("tests", index)
        expected = checker.model(Expected, value, path)
        if expected is None:
            continue
        if expected.owner is not None and expected.owner not in names:
            checker.unknown((*path, "owner"), expected.owner, "team", names)
            continue
        event = _event(expected.model_extra or {}, checker, path)
        if event is not None:
            yield Case(
                origin=checker.document.origin(path),
                event=event,
                owner=names[expected.owner] if expected.owner else None,
                step=expected.step,
            )


def _event(value: Mapping[str, Any], checker: Checker, path: Path) -> Event | None:
    try:
        return sketch(value, event_id="0" * 32, project="1", received_at=_NEVER)
    except SketchError as error:
        checker.problem((*path, *error.path), error.message, key="unknown key" in error.message)
        return None
