"""Our own door: its three kinds of members, its batches and its answers."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.event import Event
from service.ingest.base import Answer, Handled, InvalidEventError, Parsed, Problem
from service.ingest.native import BATCH, parse, refuse, reply
from tests.ingest.captured import CAPTURES, NOW, REQUEST, load
from tests.ingest.test_texts import WRITTEN, text_of

ID = "9ec79c33ec9942ab8353589fcb2e04dc"
TEXT = (CAPTURES / "text" / "python-chained.txt").read_text()
CHAIN = ["ValueError", "DatabaseError"]


def one(member: object) -> Event:
    (event,) = parse(json.dumps(member).encode(), REQUEST).events
    return event


def refused(body: bytes) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        parse(body, REQUEST)
    return caught.value


def test_an_event_that_an_sdk_would_send_is_read_alike() -> None:
    (event,) = parse(load("sentry-go/01").body, REQUEST).events
    assert event.exceptions[-1].frames[-1].abs_path == "/srv/monolith/release-7/go/main.go"


def test_a_traceback_is_read_with_what_stands_beside_it() -> None:
    told = {"environment": "staging", "tags": {"queue": "q"}, "level": "warn", "event_id": ID}
    event = one({"traceback": TEXT, **told})
    assert [exception.type for exception in event.exceptions] == CHAIN
    assert (event.platform, event.environment, event.level) == ("python", "staging", "warning")
    assert (event.event_id, event.tags) == (ID, {"queue": "q"})


def test_a_text_body_is_a_traceback() -> None:
    request = msgspec.structs.replace(REQUEST, content_type="text/plain")
    (event,) = parse(TEXT.encode(), request).events
    assert [exception.type for exception in event.exceptions] == CHAIN


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case["text"])
def test_a_text_of_any_runtime_gives_its_platform(case: dict[str, Any]) -> None:
    request = msgspec.structs.replace(REQUEST, content_type="text/plain")
    (event,) = parse(text_of(case).encode(), request).events
    assert (event.platform, len(event.exceptions)) == (case["platform"], len(case["exceptions"]))
    assert one({"traceback": text_of(case), "platform": "nonsense"}).platform == case["platform"]


@pytest.mark.parametrize(
    "member", [{"traceback": TEXT}, {"frames": ["a.py"]}, {"exceptions": [{"type": "E"}]}]
)
@pytest.mark.parametrize("said", ["\ud800", float("nan")])
def test_a_member_of_each_kind_may_say_what_is_no_text_or_number(
    member: dict[str, Any], said: object
) -> None:
    assert one(member | {"message": said}).exceptions


def test_half_a_character_in_a_traceback_harms_none_of_it() -> None:
    event = one({"traceback": f"{TEXT}\ud800"})
    assert [exception.type for exception in event.exceptions] == CHAIN


@pytest.mark.parametrize("short", [{"frames": ["a.py"]}, {"exceptions": [{"frames": ["a.py"]}]}])
def test_an_event_in_short_is_expanded(short: dict[str, Any]) -> None:
    event = one({**short, "event_id": ID, "timestamp": "2026-11-23T06:00:00Z", "what": "else"})
    assert event.exceptions[0].frames[0].filename == "a.py"
    assert (event.event_id, event.timestamp.hour, event.received_at) == (ID, 6, NOW)


@pytest.mark.parametrize(
    ("project", "taken"),
    [(7, "7"), ("api", "api"), (None, "42"), ("", "42"), ([], "42"), (True, "42")],
)
@pytest.mark.parametrize("kind", [{"message": "m"}, {"traceback": TEXT}, {"frames": ["a.py"]}])
def test_a_member_may_name_its_project(kind: dict[str, Any], project: object, taken: str) -> None:
    assert one({**kind, "project": project}).project == taken


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"", "malformed_json", "1:1"),
        (b"{", "malformed_json", "1:2"),
        (b"[", "malformed_json", "1:2"),
        (b'"x"', "not_an_object", None),
        (b"{}", "empty_event", None),
        (b'{"event_id": "x", "unknown": 1}', "empty_event", None),
        (b'{"traceback": "nothing"}', "no_traceback", None),
        (b'{"traceback": null}', "no_traceback", "traceback"),
        (b'{"frames": [5]}', "empty_event", None),
        (b"[" + b"{}," * BATCH + b"{}]", "batch_too_long", None),
    ],
)
def test_a_bad_body_is_refused_by_name(body: bytes, code: str, place: str | None) -> None:
    error = refused(body)
    assert (error.code, error.place) == (code, place)


GOOD, BAD = b'{"message": "m"}', b'{"frames": [5]}'


@pytest.mark.parametrize(
    ("body", "events", "problems"),
    [
        (b"[]", 0, []),
        (b"[%s, %s]" % (GOOD, GOOD), 2, []),
        (b"[%s, %s, 5, %s]" % (GOOD, BAD, GOOD), 2, [(1, "empty_event"), (2, "not_an_object")]),
        (b" [%s]" % BAD, 0, [(0, "empty_event")]),
        (b'[%s, {"message": NaN}, %s]' % (BAD, GOOD), 2, [(0, "empty_event")]),
        (b'[%s, {"message": "\xff\\ud800"}]' % BAD, 1, [(0, "empty_event")]),
    ],
)
def test_a_batch_is_answered_member_by_member(
    body: bytes, events: int, problems: list[tuple[int, str]]
) -> None:
    parsed = parse(body, REQUEST)
    assert len(parsed.events) == events
    assert [(problem.index, problem.code) for problem in parsed.problems] == problems


def test_the_answer_names_events_and_problems() -> None:
    parsed = Parsed(problems=(Problem(index=1, code="c", detail="d"),))
    handled = Handled(id=ID, group="g", owner="payments", step="frame")
    assert reply(parsed, (handled,), REQUEST) == Answer(
        202,
        {
            "events": [{"id": ID, "group": "g", "owner": "payments", "step": "frame"}],
            "problems": [{"index": 1, "code": "c", "detail": "d"}],
        },
    )


def test_a_refusal_is_a_problem_document() -> None:
    answer = refuse(413, "too much", REQUEST)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body == {
        "type": "about:blank",
        "title": "Request Entity Too Large",
        "status": 413,
        "detail": "too much",
    }


@given(
    st.binary(max_size=60)
    | st.lists(
        st.sampled_from([b"[", b"]", b"{", b"}", b'"frames":', b'"traceback":', b'"x"', b",", b"1"])
    ).map(b"".join)
)
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with suppress(InvalidEventError):
        parse(body, REQUEST)


def test_one_bad_frame_loses_no_event_and_an_unknown_key_is_passed_over() -> None:
    event = one({"frames": ["a.py", 5, None, {"path": "b.py", "lineno": "12", "thread": 1}]})
    kept = event.exceptions[0].frames
    assert [(frame.filename, frame.lineno) for frame in kept] == [("a.py", None), ("b.py", 12)]


STACK = {"frames": [{"filename": "b.py"}, {"filename": "a.py"}]}


@pytest.mark.parametrize(
    "event", [{"frames": ["b.py", "a.py"]}, {"exception": [{"stacktrace": STACK}]}]
)
def test_frames_that_stand_newest_first_are_turned(event: dict[str, Any]) -> None:
    def last(**more: Any) -> str | None:
        return one({**event, **more}).exceptions[0].frames[-1].filename

    assert (last(), last(frame_order="newest_first")) == ("a.py", "b.py")
    assert (
        refused(json.dumps({**event, "frame_order": "up"}).encode()).code == "unknown_frame_order"
    )
