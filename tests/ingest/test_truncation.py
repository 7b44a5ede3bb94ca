"""Events past their limits: what they lose, in which order, and that they say so."""

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.engine import match
from matchers.event import Event, ExceptionValue, Frame
from matchers.ruleset import Ruleset
from service.ingest import native
from service.ingest.base import InvalidEventError
from service.ingest.json_members import members
from service.ingest.json_parts import strict
from service.ingest.limits import DEPTH, EVENT, EXCEPTIONS, FRAMES, MIB, TAGS
from service.ingest.sentry_event import parse_event
from service.ingest.truncation import shares, trimmed
from tests.ingest.captured import NOW, REQUEST

HUGE = "x" * (EVENT + 1)
FRAME = {"filename": "app/tax.py", "function": "rate", "lineno": 12, "in_app": True}
LIST = [
    ("[]", []),
    ("[ ]", []),
    ("{}", []),
    ("5", []),
    ('"a,b"', []),
    ("[1]", ["1"]),
    ("[1, [2, 3], {}]", ["1", " [2, 3]", " {}"]),
    ('["a,]", "\\"[", "\\\\"]', ['"a,]"', ' "\\"["', ' "\\\\"']),
    ('{"a": [1, 2], "b": {"c": "}"}}', ['"a": [1, 2]', ' "b": {"c": "}"}']),
]


def parse(tree: dict[str, Any]) -> Event:
    return parse_event(json.dumps(tree).encode(), REQUEST)


def raised(*frames: object, type_: str = "E", **more: object) -> dict[str, Any]:
    return {"type": type_, "value": "no", "stacktrace": {"frames": list(frames)}, **more}


def numbered(count: int, **more: object) -> Iterator[dict[str, object]]:
    return ({**FRAME, "lineno": n, **more} for n in range(1, count + 1))


@pytest.mark.parametrize(("text", "found"), LIST)
def test_a_text_is_cut_into_its_members(text: str, found: list[str]) -> None:
    assert [bytes(one).decode() for one in members(text.encode())] == found


@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=20))
def test_members_of_any_list_are_what_a_decoder_finds(tree: object) -> None:
    given = tree if isinstance(tree, list) else [tree]
    found = members(json.dumps(given).encode())
    assert [json.loads(bytes(one)) for one in found] == given


SMALL: dict[str, Any] = {
    "event_id": "9ec79c33ec9942ab8353589fcb2e04dc",
    "timestamp": 1795415192.5,
    "platform": "python",
    "level": "fatal",
    "logger": "shop",
    "logentry": {"formatted": "f", "message": "m"},
    "transaction": "/pay",
    "release": 12,
    "environment": "staging",
    "server_name": "web-1",
    "tags": {"a": 1, "b": None},
    "fingerprint": ["one", 2],
    "request": {"url": "https://u:p@h/a?b", "data": "d"},
    "contexts": {"trace": {"trace_id": "abc"}, "os": {"name": "x"}},
    "exception": {
        "values": [
            raised(FRAME, mechanism={"handled": False, "exception_id": 1, "parent_id": 0}),
            raised({**FRAME, "abs_path": "/app/x.py", "colno": 4, "context_line": "c", "vars": {}}),
        ]
    },
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"exception": raised(FRAME)},
        {"exception": [raised(FRAME), None, "x"]},
        {"exception": None, "stacktrace": {"frames": [FRAME]}},
        {"exception": None, "stacktrace": [FRAME]},
        {"exception": None, "threads": [{"crashed": True, **raised(FRAME)}, raised()]},
        {"exception": None, "threads": {"values": [{"current": True, **raised(FRAME)}, raised()]}},
        {"tags": [["a", "b"], {"key": "c", "value": "d"}, None, []], "fingerprint": "one"},
        {"message": "text", "logentry": None},
        {"message": {"formatted": "f"}, "logentry": None},
        {"request": None, "contexts": 5, "tags": 5, "fingerprint": None, "level": {}},
    ],
)
def test_a_large_event_is_read_as_a_small_one(more: dict[str, Any]) -> None:
    small = SMALL | more
    expected = msgspec.structs.replace(parse(small), truncated=("contexts",))
    assert parse(small | {"extra": {"x": HUGE}}) == expected


def test_a_large_event_keeps_the_frames_nearest_the_raise() -> None:
    stack = numbered(2000, vars={"x": "y" * 600})
    event = parse({"exception": [raised(*stack)]})
    lines = [frame.lineno for frame in event.exceptions[0].frames]
    assert lines == [*range(1, 501), *range(1501, 2001)]
    assert event.truncated == ("contexts", "frames")


def test_a_large_text_keeps_its_beginning() -> None:
    event = parse({"message": 'a\\"é' * EVENT, "transaction": ["x" * EVENT]})
    assert event.message == ('a\\"é' * EVENT)[:8192]
    assert event.transaction is None


@pytest.mark.parametrize("escape", ["\\u00e9", "\\ud83d\\ude00", "\\\\", '\\"', "é", "a"])
@pytest.mark.parametrize("shift", range(12))
def test_a_large_text_is_never_cut_within_a_character(escape: str, shift: int) -> None:
    text = "x" * shift + escape * (EVENT // len(escape) + 1)
    event = parse_event(b'{"message": "%s"}' % text.encode(), REQUEST)
    assert event.message == json.loads(f'"{text}"')[:8192]


@pytest.mark.parametrize(
    "wrong", [b"NaN", b"-Infinity", b'"\xff"', b'"\\ud800"', b'"\0\n"', b'"\\\\ud800"', b'"NaN\\""']
)
def test_a_large_event_may_be_no_strict_json(wrong: bytes) -> None:
    text = b'\xef\xbb\xbf{"a": %s, "message": "it failed", "extra": "%s"}' % (wrong, b"x" * EVENT)
    assert parse_event(text, REQUEST).message == "it failed"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (rb'{"a": "NaN \" NaN", "b": NaN}', rb'{"a": "NaN \" NaN", "b": "" }'),
        (rb'["\ud83d\ude00", "\ud83d", "\\ud83d"]', rb'["\ud83d\ude00", "\ufffd", "\\ud83d"]'),
        (rb'["\ude00\ud83d", -Infinity]', rb'["\ufffd\ufffd", ""       ]'),
        (b'["\0\t"]\n', b'["  "] '),
    ],
)
def test_what_is_wrong_is_mended_in_its_place(text: bytes, kept: bytes) -> None:
    assert bytes(strict(text)) == kept


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"extra": "%s"', "malformed_json"),
        ('["%s"]', "not_an_object"),
        ('{"extra": "%s", "a": ' + "[" * 99_999, "malformed_json"),
    ],
)
def test_a_large_event_has_to_be_json(text: str, code: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse_event((text % HUGE).encode(), REQUEST)
    assert (caught.value.code, "xxx" in str(caught.value)) == (code, False)


HOSTILE = {  # what stands before, what is repeated, what stands behind
    "objects as frames": ('{"exception": [{"stacktrace": {"frames": [', "{},", "{}]}}]}"),
    "exceptions": ('{"exception": [', "{},", "{}]}"),
    "a list of tags": ('{"tags": [', "[],", "[]]}"),
    "parts of a fingerprint": ('{"fingerprint": [', "1,", "1]}"),
    "extra": ('{"extra": [', "{},", "{}]}"),
    "contexts": ('{"contexts": {"trace": [', "[],", "[]]}}"),
    "a wide text": ('{"message": "\U0001f600', "x", '"}'),
    "a list": ("[", "1,", "1]"),
}


@pytest.mark.parametrize("extra", ["", HUGE])
def test_however_deep_it_is_nested_it_is_read_or_refused(extra: str) -> None:
    for depth in (DEPTH, *range(900, 1000, 5), 5000):
        nested = "[" * depth + "]" * depth
        error = '{"type": "E", "mechanism": ' + nested + ', "stacktrace": ' + nested + "}"
        body = '{"exception": [' + error + '], "extra": ["' + extra + '", ' + nested + "]}"
        try:
            assert parse_event(body.encode(), REQUEST).exceptions[0].type == "E"
        except InvalidEventError as refused:
            assert (refused.detail, depth > DEPTH) == ("nested too deeply", True)  # noqa: PT017


@pytest.mark.parametrize(("before", "unit", "behind"), HOSTILE.values(), ids=HOSTILE)
def test_a_large_event_costs_little_more_than_its_bytes(
    before: str, unit: str, behind: str
) -> None:
    body = (before + unit * (MIB * 5 // 4 // len(unit)) + behind).encode()
    tracemalloc.start()
    try:
        try:
            native.parse(body, REQUEST)
        except InvalidEventError as error:
            assert error.code in ("empty_event", "batch_too_long")  # noqa: PT017 some are refused
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


def test_any_number_of_tags_is_a_hundred() -> None:
    tags = {f"t{n}": "v" for n in range(300_000)}
    event = parse({"message": "m", "tags": tags})
    assert (len(event.tags), event.tags["t99"]) == (TAGS, "v")
    assert event.truncated == ("contexts", "tags")


@pytest.mark.parametrize(
    ("wanted", "room", "given"),
    [
        ([], 9, []),
        ([3, 4], 9, [3, 4]),
        ([3, 900], 10, [3, 7]),
        ([900, 3], 10, [7, 3]),
        ([900, 900], 10, [5, 5]),
        ([900, 2, 900], 11, [4, 2, 5]),
        ([0, 900], 10, [0, 10]),
    ],
)
def test_the_small_have_what_they_want(wanted: list[int], room: int, given: list[int]) -> None:
    assert shares(wanted, room) == given


def test_all_stacks_together_have_a_thousand_frames() -> None:
    event = parse({"exception": [raised(*numbered(3)), raised(*numbered(2000))]})
    assert [len(error.frames) for error in event.exceptions] == [3, FRAMES - 4]
    assert [error.frames[-1].lineno for error in event.exceptions] == [3, 2000]
    assert event.truncated == ("frames",)


@pytest.mark.parametrize(
    ("tree", "cut"),
    [
        ({"exception": [raised(*numbered(FRAMES))]}, ()),
        ({"exception": [raised(*numbered(FRAMES + 1))]}, ("frames",)),
        ({"exception": [raised(*numbered(FRAMES), 5, FRAME)]}, ("frames",)),
        ({"exception": [raised()] * (EXCEPTIONS + 1)}, ("exceptions",)),
        ({"tags": {f"t{n}": "v" for n in range(TAGS)}}, ()),
        ({"tags": {f"t{n}": "v" for n in range(TAGS + 1)}}, ("tags",)),
    ],
)
def test_what_was_cut_is_said(tree: dict[str, Any], cut: tuple[str, ...]) -> None:
    assert parse(tree).truncated == cut


def test_an_event_too_large_loses_outer_frames() -> None:
    wide = tuple(Frame(filename=f"{n:04}/" + "é" * 2000, lineno=n) for n in range(1, 1001))
    chain = (ExceptionValue(type="A", frames=wide[:5]), ExceptionValue(type="B", frames=wide))
    event = trimmed(Event(event_id="0", timestamp=NOW, received_at=NOW, exceptions=chain))
    assert EVENT * 0.95 < len(msgspec.json.encode(event)) <= EVENT
    assert event.exceptions[0].frames == wide[:5]
    assert event.exceptions[1].frames == wide[-len(event.exceptions[1].frames) :]
    assert event.truncated == ("frames",)


def test_an_event_within_its_limits_is_left_alone() -> None:
    event = parse(SMALL)
    assert trimmed(event) is event
    assert event.truncated == ()


def test_a_decision_says_that_its_event_was_cut() -> None:
    (warning,) = match(parse({"message": "m", "extra": HUGE}), Ruleset()).warnings
    assert (warning.code, warning.message) == ("truncated", "too large: cut were contexts")


def test_of_a_long_traceback_the_end_is_read() -> None:
    text = (
        "noise \\ é\n" * 600_000 + 'Traceback (most recent call last):\n  File "a.py", line 1\nE: x'
    )
    for body, kind in (
        (json.dumps({"traceback": text, "release": "1"}).encode(), "application/json"),
        (text.encode(), "text/plain"),
    ):
        request = msgspec.structs.replace(REQUEST, content_type=kind)
        (event,) = native.parse(body, request).events
        assert [frame.filename for frame in event.exceptions[0].frames] == ["a.py"]


def test_a_batch_has_so_many_frames() -> None:
    body = json.dumps([{"exception": [raised(*numbered(FRAMES))]}] * 60).encode()
    parsed = native.parse(body, REQUEST)
    assert (len(parsed.events), len(parsed.problems)) == (21, 39)
    assert {problem.code for problem in parsed.problems} == {"batch_too_long"}
