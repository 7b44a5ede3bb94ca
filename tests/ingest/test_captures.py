"""What real SDKs sent, against what was written down about it by eye."""

from typing import Any

import msgspec
import pytest

from matchers.event import Event, Frame
from service.ingest import sentry_envelope
from service.ingest.sentry_shapes import SentryEvent
from tests.ingest.captured import EXPECTED, load, names, parsed

PLAIN = (
    *("platform", "level", "environment", "release", "server_name"),
    *("logger", "message", "transaction", "url", "trace_id"),
)


def where(frame: Frame) -> list[object]:
    return [frame.filename, frame.abs_path, frame.function, frame.lineno]


def in_app(event: Event) -> list[object] | None:
    frames = [frame for frame in event.exceptions[-1].frames if frame.in_app]
    return where(frames[-1]) if frames else None


def written(event: Event, expected: dict[str, Any]) -> dict[str, Any]:
    """The event in the words of captures.yaml, as far as those say anything."""
    told: dict[str, Any] = {
        **{name: getattr(event, name) for name in PLAIN if getattr(event, name) is not None},
        "tags": len(event.tags),
        "exceptions": [exception.type for exception in event.exceptions],
    }
    if event.exceptions:
        told["frames"] = [len(exception.frames) for exception in event.exceptions]
        told["in_app"] = in_app(event)
    if "id" in expected:
        told["id"] = event.event_id
    for name in ("handled", "source"):
        values = [getattr(exception, name) for exception in event.exceptions]
        if any(value is not None for value in values):
            told["sources" if name == "source" else name] = values
    if "id" in expected:
        told["id"] = event.event_id
    if "raised" in expected:
        told["raised"] = where(event.exceptions[-1].frames[-1])
    return told


def test_every_capture_is_written_down() -> None:
    assert [case["capture"] for case in EXPECTED] == list(names())


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["capture"])
def test_a_capture_is_what_was_written_down(case: dict[str, Any]) -> None:
    events, expected = parsed(case["capture"]).events, case.get("events", [])
    assert [written(*pair) for pair in zip(events, expected, strict=True)] == expected


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["capture"])
def test_what_is_not_an_event_is_counted(case: dict[str, Any]) -> None:
    assert parsed(case["capture"]).dropped == case.get("dropped", {})


@pytest.mark.parametrize(
    "name", [case["capture"] for case in EXPECTED if case["capture"].startswith("sentry-")]
)
def test_what_a_current_sdk_sends_needs_no_repair(name: str) -> None:
    captured = load(name)
    bodies = [captured.body]
    if not captured.path.endswith("/store/"):
        bodies = [item.payload for item in sentry_envelope.read_envelope(captured.body)[1]]
    for body in bodies:
        msgspec.json.decode(body, type=SentryEvent)


@pytest.mark.parametrize("private", ["testclient", "sentry.python", "breadcrumbs", "vars"])
def test_what_is_not_asked_for_stays_at_the_door(private: str) -> None:
    name = "sentry-python-fastapi/01"
    assert private.encode() in load(name).body
    assert private.encode() not in msgspec.json.encode(parsed(name).events)
