"""What is forgiven a Sentry event, and what is cut from it."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.event import Event, Frame
from service.ingest.base import InvalidEventError
from service.ingest.limits import TAGS
from service.ingest.sentry_event import parse_event, tags_of
from service.ingest.sentry_repair import mend
from service.ingest.sentry_shapes import SentryEvent
from tests.ingest.captured import NOW, REQUEST

LITTLE = [  # of JSON, and much of it in memory
    (400, {"stacktrace": {"frames": [{}] * 1000}}),
    (600, {"stacktrace": {"frames": [{"function": f"f{number}"} for number in range(1000)]}}),
    (3000, {"tags": {f"k{number}": f"v{number}" for number in range(100)}}),
]
ROOM = 32 * 2**20  # bytes, about, of what is remembered
NUL, HALF, UNKNOWN = "\0", "\ud800", "\ufffd"
GOOD = {"filename": "app/x.py", "lineno": 3}


def parse(**members: Any) -> Event:
    return parse_event(json.dumps(members).encode(), REQUEST)


def frames_of(*frames: Any) -> tuple[Frame, ...]:
    return parse(exception=[{"type": "E", "stacktrace": {"frames": frames}}]).exceptions[0].frames


FIELDS = [
    ({"level": "warn"}, "level", "warning"),
    ({"level": "CRITICAL"}, "level", "fatal"),
    ({"level": 40}, "level", "error"),
    ({"level": "loud"}, "level", "error"),
    ({"level": None}, "level", "error"),
    ({"level": {"a": 1}}, "level", "error"),
    ({"message": "m"}, "message", "m"),
    ({"message": 5}, "message", "5"),
    ({"message": ""}, "message", None),
    ({"message": {"formatted": "f", "message": "m"}}, "message", "f"),
    ({"message": {"message": "m", "params": [1]}}, "message", "m"),
    ({"message": ["m"]}, "message", None),
    ({"logentry": {"formatted": "", "message": "m"}, "message": "n"}, "message", "m"),
    ({"logentry": {"formatted": None}, "message": "n"}, "message", "n"),
    ({"message": "m" * 9000}, "message", "m" * 8192),
    ({"message": f"a{NUL}b"}, "message", f"a{UNKNOWN}b"),
    ({"message": f"a{HALF}b"}, "message", f"a{UNKNOWN}b"),
    ({"release": 12}, "release", "12"),
    ({"environment": ""}, "environment", None),
    ({"platform": None}, "platform", None),
    ({"logger": "l" * 501}, "logger", "l" * 500),
    ({"transaction": "t" * 2001}, "transaction", "t" * 2000),
    ({"request": {"url": "https://u:p@h/a?token=1#f", "data": {"a": 1}}}, "url", "https://h/a"),
    ({"request": {"url": "https://h/a@b"}}, "url", "https://h/a@b"),
    ({"request": {"url": None}}, "url", None),
    ({"request": "GET /"}, "url", None),
    ({"contexts": {"trace": {"trace_id": "abc"}, "os": 5}}, "trace_id", "abc"),
    ({"contexts": {"trace": None}}, "trace_id", None),
    ({"contexts": []}, "trace_id", None),
    (
        {"tags": {"a": 1, "b": True, "c": None, "d": "", "e": {"f": 1}}},
        "tags",
        {"a": "1", "b": "True"},
    ),
    ({"tags": [["a", "b"], ["c"], None, "d", ["e", None], [1, 2]]}, "tags", {"a": "b", "1": "2"}),
    ({"tags": [{"key": "a", "value": "b"}]}, "tags", {"a": "b"}),
    ({"tags": "a"}, "tags", {}),
    ({"tags": {"k" * 300: "v" * 300}}, "tags", {"k" * 200: "v" * 200}),
    ({"tags": {f"k{n}": "v" for n in range(200)}}, "tags", {f"k{n}": "v" for n in range(100)}),
    ({"fingerprint": ["{{ default }}", 5, None, ["x"]]}, "fingerprint", ("{{ default }}", "5")),
    ({"fingerprint": "one"}, "fingerprint", ("one",)),
    (
        {"event_id": "9EC79C33-ec99-42ab-8353-589fcb2e04dc"},
        "event_id",
        "9ec79c33ec9942ab8353589fcb2e04dc",
    ),
]
TIMES = [
    ("2026-11-23T06:25:51.632857784Z", datetime(2026, 11, 23, 6, 25, 51, 632857, tzinfo=UTC)),
    ("2026-11-23T06:25:48", datetime(2026, 11, 23, 6, 25, 48, tzinfo=UTC)),
    ("2026-11-23T07:25:48+01:00", datetime(2026, 11, 23, 6, 25, 48, tzinfo=UTC)),
    (1795415192.5, datetime(2026, 11, 23, 6, 26, 32, 500000, tzinfo=UTC)),
    ("1795415192.5", datetime(2026, 11, 23, 6, 26, 32, 500000, tzinfo=UTC)),
    ("2030-01-01T00:00:00Z", NOW + timedelta(minutes=1)),
    *((garbage, NOW) for garbage in (None, "", "yesterday", 1e300, float("nan"), [1], "9" * 400)),
    ("0001-01-01T00:00:00+14:00", NOW),
]
FRAMES = [
    ({"lineno": "12"}, {"lineno": 12}),
    ({"lineno": 12.0}, {"lineno": 12}),
    ({"lineno": "twelve"}, {}),
    ({"lineno": 0}, {}),
    ({"lineno": -1}, {}),
    ({"lineno": 10**30}, {}),
    ({"lineno": None, "function": None, "in_app": None}, {}),
    ({"colno": "4"}, {"colno": 4}),
    ({"in_app": 1}, {"in_app": True}),
    ({"in_app": "false"}, {"in_app": False}),
    ({"function": 5}, {"function": "5"}),
    ({"function": ["f"]}, {}),
    ({"function": f"f{NUL}{HALF}"}, {"function": f"f{UNKNOWN}{UNKNOWN}"}),
    ({"filename": "x" * 6000}, {"filename": "x" * 5000}),
    ({"context_line": "c" * 600, "pre_context": ["p"]}, {"context_line": "c" * 500}),
    ({"vars": {"password": "p"}, "lineno": 1}, {"lineno": 1}),
]


@pytest.mark.parametrize(("members", "field", "value"), FIELDS)
def test_a_field_is_read_leniently(members: dict[str, Any], field: str, value: object) -> None:
    assert getattr(parse(**members), field) == value


@pytest.mark.parametrize(("told", "taken"), TIMES)
def test_a_time_is_read_leniently(told: object, taken: datetime) -> None:
    assert parse(timestamp=told).timestamp == taken


@pytest.mark.parametrize(("told", "taken"), FRAMES)
def test_a_frame_is_read_leniently(told: dict[str, Any], taken: dict[str, Any]) -> None:
    assert frames_of(told, GOOD) == (Frame(**taken), Frame(**GOOD))


@pytest.mark.parametrize("bad", [None, "x", 5, [], True])
def test_a_bad_frame_never_loses_an_event(bad: object) -> None:
    assert frames_of(GOOD, bad) == (Frame(**GOOD),)


@pytest.mark.parametrize(
    "field",
    [
        {"values": [{"type": "E"}]},
        [{"type": "E"}],
        {"type": "E"},
        {"values": {"type": "E"}},
        [None, "x", {"type": "E", "mechanism": "m", "stacktrace": []}],
        {"values": [{"type": "E", "stacktrace": {"frames": {"a": 1}}}, {}]},
    ],
)
def test_exceptions_come_in_many_shapes(field: object) -> None:
    assert [exception.type for exception in parse(exception=field).exceptions] == ["E"]


def test_a_stack_too_long_is_cut_in_the_middle() -> None:
    frames = frames_of(*({"lineno": n} for n in range(1, 2001)))
    assert [frame.lineno for frame in frames] == [*range(1, 501), *range(1501, 2001)]


def test_a_chain_too_long_is_cut_in_the_middle() -> None:
    chain = parse(exception=[{"type": f"E{n}"} for n in range(80)]).exceptions
    assert (len(chain), chain[0].type, chain[-1].type) == (50, "E0", "E79")


def thread(name: str, **more: object) -> dict[str, object]:
    return {"stacktrace": {"frames": [{"function": name}]}, **more}


@pytest.mark.parametrize(
    ("members", "function"),
    [
        ({"threads": [thread("a"), thread("b", current=True), thread("c", crashed=True)]}, "c"),
        ({"threads": {"values": [thread("a"), thread("b", current=True)]}}, "b"),
        ({"threads": [thread("a")]}, "a"),
        ({"threads": [thread("a"), None]}, "a"),
        ({"stacktrace": {"frames": [{"function": "s"}]}, "threads": [thread("a")]}, "s"),
        ({"stacktrace": [{"function": "s"}]}, "s"),
    ],
)
def test_a_message_may_bring_a_stack(members: dict[str, Any], function: str) -> None:
    (exception,) = parse(message="m", **members).exceptions
    assert (exception.type, exception.frames[-1].function) == (None, function)


@pytest.mark.parametrize(
    "members",
    [
        {"threads": [thread("a"), thread("b")]},
        {"threads": [{"crashed": True, "stacktrace": None}]},
        {"threads": None, "stacktrace": None, "exception": None},
        {"exception": {"values": None}},
    ],
)
def test_without_a_telling_stack_there_is_no_exception(members: dict[str, Any]) -> None:
    assert parse(message="m", **members).exceptions == ()


def test_what_was_thrown_needs_no_thread() -> None:
    event = parse(exception=[{"type": "E"}], threads=[thread("a")])
    assert [exception.type for exception in event.exceptions] == ["E"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": "caf\xe9 NaN", "extra": [NaN, Infinity]}',
        b'\xef\xbb\xbf{"message": "caf\\u00e9 NaN", "extra": 1e999}',
        b'{"message": "caf\\u00e9 NaN", "extra": "\x00\n"}',
        b'{"message": "caf\\u00e9 NaN", "release": "\\ud800"}',
        b'{"message": "caf\\u00e9 NaN", "level": ' + b"9" * 5000 + b"}",
    ],
)
def test_json_that_is_nearly_good_is_read(body: bytes) -> None:
    message = parse_event(body, REQUEST).message
    assert message in ("café NaN", f"caf{UNKNOWN} NaN")


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"", "malformed_json", "1:1"),
        (b'{"a": 1,\n "b": }', "malformed_json", "2:7"),
        (b'{"a": ' + b"[" * 200_000, "malformed_json", None),
        (b"[]", "not_an_object", None),
        (b'"x"', "not_an_object", None),
        (b"null", "not_an_object", None),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, code: str, place: str | None) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse_event(body, REQUEST)
    assert (caught.value.code, caught.value.place) == (code, place)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["values", "frames", "stacktrace", "type", "lineno", "trace"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(SentryEvent.__struct_fields__), VALUES))
def test_whatever_was_sent_can_be_mended(tree: dict[str, Any]) -> None:
    msgspec.convert(mend(tree), SentryEvent)
    assert isinstance(parse(**tree), Event)


def test_tags_past_the_last_that_is_kept_are_not_looked_at() -> None:
    pairs = iter([(number, number) for number in range(1000)])
    assert len(tags_of(pairs)) == TAGS
    assert next(pairs) == (TAGS + 1, TAGS + 1)


def test_what_needs_cleaning_is_not_taken_for_what_looks_like_it() -> None:
    whole = {"type": f"E{NUL}", "value": "v"}
    for exception in ({"values": None, **whole}, whole):
        thrown = parse(exception=exception, message="m").exceptions
    assert [one.type for one in thrown] == [f"E{UNKNOWN}"]


@pytest.mark.parametrize(("times", "little"), LITTLE)
def test_what_is_remembered_of_events_keeps_to_its_room(times: int, little: dict[str, Any]) -> None:
    bodies = [json.dumps({"message": f"m {n}", **little}).encode() for n in range(times)]
    tracemalloc.start()
    for body in bodies:
        parse_event(body, REQUEST)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1.25 * ROOM
