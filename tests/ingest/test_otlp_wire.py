"""Hostile and odd requests: only the typed error leaves, one bad member harms no other."""

import json
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest import otlp
from service.ingest.base import InvalidEventError, Parsed
from tests.ingest.otlp_requests import (
    PROTOBUF,
    THROWN,
    a_log,
    a_span,
    as_protobuf,
    attributes,
    logs,
    of,
    parse,
    parse_bytes,
    traces,
)

JSON = "application/json"
each_format = pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
MIB = 2**20


def refused(body: bytes, content_type: str, *, logs: bool = True) -> str:
    with pytest.raises(InvalidEventError) as caught:
        parse_bytes(body, content_type, logs=logs)
    return caught.value.code


def field(number: int, content: bytes) -> bytes:
    size, digits = len(content), bytearray()
    while size > 127:
        digits.append(size & 127 | 128)
        size >>= 7
    return bytes((number << 3 | 2, *digits, size)) + content


@each_format
def test_both_formats_say_the_same(content_type: str) -> None:
    trees = logs(a_log({**THROWN, "n": -3, "f": 0.5, "b": True}, traceId="1" * 32), team="ops")
    assert parse(trees, PROTOBUF).events == parse(trees, JSON).events
    spans = traces(a_span(THROWN, attributes=attributes({"x": "é"})))
    assert parse(spans, PROTOBUF).events == parse(spans, JSON).events


SCALARS = st.text(max_size=20) | st.booleans() | st.integers(-(2**63), 2**63 - 1)
NAMES = st.sampled_from([*THROWN, "code.file.path", "code.line.number", "http.route", "team"])


@given(
    st.dictionaries(NAMES | st.text(max_size=9), SCALARS, max_size=9),
    st.integers(0, 24),
    st.text(max_size=30),
)
def test_what_the_generated_messages_write_reads_as_the_json(
    values: dict[str, Any], severity: int, body: str
) -> None:
    record = a_log(values, severityNumber=severity, body={"stringValue": body})
    tree = logs(record, **{"service.version": body})
    assert parse(tree, PROTOBUF) == parse(tree, JSON)


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_raise_anything_else(body: bytes, logs: bool) -> None:
    for content_type in (JSON, PROTOBUF):
        with suppress(InvalidEventError):
            parse_bytes(body, content_type, logs=logs)


@given(st.data())
def test_no_byte_that_is_changed_raises_anything_else(data: st.DataObject) -> None:
    body = bytearray(as_protobuf(logs(a_log({**THROWN, "n": 1, "f": 0.5}), team="ops")))
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InvalidEventError):
        parse_bytes(bytes(body[: data.draw(st.integers(0, len(body)))]), PROTOBUF, logs=True)


WORDS = st.sampled_from(
    [
        *("resourceLogs", "scopeLogs", "logRecords", "resource", "scope", "attributes", "key"),
        *("value", "stringValue", "intValue", "body", "severityNumber", "traceId", "timeUnixNano"),
        *("resourceSpans", "scopeSpans", "spans", "events", "name", "exception"),
    ]
)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=30,
)


@given(TREES, st.booleans())
def test_no_tree_raises_anything_else(tree: Any, logs: bool) -> None:
    with suppress(InvalidEventError):
        parse_bytes(json.dumps(tree).encode(), JSON, logs=logs)


@given(TREES)
def test_no_member_raises_anything_else(tree: Any) -> None:
    parsed = parse(logs(tree, a_log()))
    assert len(parsed.events) + len(parsed.problems) + parsed.dropped.get("log", 0) == 2
    parse(traces(tree, {"events": [tree]}, {"events": tree}))


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", JSON, "malformed_otlp"),
        (b"null", JSON, "malformed_otlp"),
        (b"{" * 100_000, JSON, "malformed_otlp"),
        (b'{"resourceLogs":' + b"[" * 100_000, JSON, "malformed_otlp"),
        (b'{"resourceLogs": {}}', JSON, "malformed_otlp"),
        (b'{"resourceLogs": [5]}', JSON, "malformed_otlp"),
        (b'{"resourceLogs": [' + b"{}," * 1_000_001, JSON, "too_large"),
        (b"\n", PROTOBUF, "malformed_otlp"),
        (b"\n\x05a", PROTOBUF, "malformed_otlp"),
        (b"\n" + b"\xff" * 11, PROTOBUF, "malformed_otlp"),
        (b"\x0b\x0c", PROTOBUF, "malformed_otlp"),  # a group
        (b"\n\0" * 100_001, PROTOBUF, "too_large"),
        (b"", "text/plain", "unsupported_media_type"),
        (b"", "", "unsupported_media_type"),
    ],
    ids=range(14),
)
def test_a_request_that_cannot_be_read_is_refused(
    body: bytes, content_type: str, code: str
) -> None:
    assert refused(body, content_type) == code


def test_an_empty_request_is_a_good_one() -> None:
    assert parse_bytes(b"", PROTOBUF, logs=True) == Parsed()
    assert parse_bytes(b"{}", JSON, logs=True) == Parsed()


@pytest.mark.parametrize("bad", [5, {"severityNumber": {}}, {"body": []}, {"attributes": "x"}])
def test_a_malformed_member_is_refused_in_its_place(bad: Any) -> None:
    parsed = parse(logs(a_log(), bad, a_log(severityNumber=9)))
    assert (len(parsed.events), parsed.dropped) == (1, {"log": 1})
    assert [(one.index, one.code) for one in parsed.problems] == [(1, "malformed_otlp")]


def test_a_malformed_member_of_protobuf_is_refused_in_its_place() -> None:
    good = field(2, b"\x10\x11")  # severity 17
    body = field(1, field(2, good + field(2, b"\x2a\x7f") + good))
    parsed = parse_bytes(body, PROTOBUF, logs=True)
    assert (len(parsed.events), [one.index for one in parsed.problems]) == (2, [1])


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (rb"a\ud83d", "a�"),
        (rb"\uDE00b", "�b"),
        (rb"\ud83d\ude00", "😀"),
        (rb"\\ud83d", r"\ud83d"),
        (b"a\xffb", "a�b"),
        (rb"a\u0000", "a�"),
    ],
)
def test_a_text_that_is_no_unicode_is_mended(raw: bytes, text: str) -> None:
    body = json.dumps(logs(a_log(body={"stringValue": "@"}))).encode().replace(b"@", raw)
    assert parse_bytes(body, JSON, logs=True).events[0].message == text


@pytest.mark.parametrize("scope", [None, {}, {"name": None}])
def test_a_null_is_as_good_as_nothing(scope: Any) -> None:
    tree = logs(a_log(body=None, traceId=None))
    tree["resourceLogs"][0]["scopeLogs"][0]["scope"] = scope
    (event,) = parse(tree).events
    assert (event.logger, event.message, event.trace_id) == (None, None, None)


@each_format
def test_a_member_past_its_limit_is_refused_in_its_place(content_type: str) -> None:
    large = a_log(body={"stringValue": "x" * (4 * MIB)})
    parsed = parse(logs(large, a_log()), content_type)
    assert (len(parsed.events), [one.code for one in parsed.problems]) == (1, ["too_large"])


@pytest.mark.parametrize("number", [17, "17", 17.0])
def test_a_number_may_be_a_text(number: object) -> None:
    record = a_log(severityNumber=number, timeUnixNano=1795415291447000000)
    assert parse(logs(record)).events[0].timestamp.year == 2026


def test_what_is_nested_deeply_is_passed_over() -> None:
    value: dict[str, Any] = {"stringValue": "x"}
    for _ in range(90):
        value = {"arrayValue": {"values": [value]}}
    record = a_log({"deep": value, "team": "ops"})
    assert parse(logs(record), JSON).events[0].tags == {"team": "ops"}
    deep = b""
    for _ in range(50_000):
        deep = field(5, field(1, deep)) if len(deep) < 1000 else deep
    nested = field(2, b"\x10\x11" + field(6, field(1, b"deep") + field(2, deep)))
    assert parse_bytes(field(1, field(2, nested)), PROTOBUF, logs=True).events[0].tags == {}


BOMBS = {
    "groups": (b"\n\0" * (10 * MIB), PROTOBUF),
    "spans": (field(1, field(2, b"\x12\0" * (10 * MIB))), PROTOBUF),
    "events": (field(1, field(2, field(2, b"\x5a\0" * (10 * MIB)))), PROTOBUF),
    "attributes": (
        field(1, field(2, field(2, field(11, field(2, b"exception") + b"\x1a\0" * (8 * MIB))))),
        PROTOBUF,
    ),
    "objects": (b'{"resourceSpans":[' + b"{}," * (6 * MIB) + b"{}]}", JSON),
    "as many spans": (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 999_990 + b"{}]}]}]}",
        JSON,
    ),
    "a long text": (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\\ud83d\\ude00'
        + b"x" * (20 * MIB)
        + b'"}]}]}]}',
        JSON,
    ),
    "brackets": (b'{"resourceSpans":[' + b"[]," * (6 * MIB) + b"[]]}", JSON),
    "numbers": (b'{"resourceSpans":[' + b"0," * (9 * MIB) + b"0]}", JSON),
}


@pytest.mark.parametrize("name", BOMBS)
def test_twenty_hostile_mebibytes_cost_little_memory(name: str) -> None:
    body, content_type = BOMBS[name]
    tracemalloc.start()
    with suppress(InvalidEventError):
        otlp.TRACES.parse(body, of(content_type))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 * MIB


@each_format
def test_fifty_thousand_spans_without_an_error_are_soon_read(content_type: str) -> None:
    span = a_span(attributes=attributes({f"a{n}": "value" for n in range(5)}))
    tree = traces(*[span] * 50)
    group = as_protobuf(tree) * 1000
    text = json.dumps(tree["resourceSpans"])[1:-1].encode()
    many = b'{"resourceSpans":[' + b",".join([text] * 1000) + b"]}"
    started = time.process_time()
    parsed = parse_bytes(group if content_type == PROTOBUF else many, content_type, logs=False)
    assert (parsed.dropped, parsed.events) == ({"span": 50_000}, ())
    assert time.process_time() - started < 5
