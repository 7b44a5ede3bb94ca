"""The framing of envelopes, point by point (the numbers are those of the module)."""

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.base import Answer, Handled, InvalidEventError, Parsed
from service.ingest.limits import ENVELOPE_EVENTS, HEADER_LINE
from service.ingest.sentry_envelope import parse, read_envelope, refuse, reply
from tests.ingest.captured import REQUEST, load, names

ID = "9ec79c33ec9942ab8353589fcb2e04dc"
EVENT = b'{"message": "x"}'

FRAMED = [  # what is framed, and the (type, payload) pairs it holds
    (b"{}", []),  # 4
    (b"{}\n", []),  # 4, 8
    (b'{}\n{"type":"a"}\nhello', [("a", b"hello")]),  # 7, 8
    (b'{}\n{"type":"a"}\nhello\n', [("a", b"hello")]),
    (b'{}\n{"type":"a"}\nhello\n\n', [("a", b"hello")]),  # 1
    (b'{}\n{"type":"a"}\n', [("a", b"")]),
    (b'{}\n{"type":"a","length":0}\n', [("a", b"")]),
    (b'{}\n{"type":"a"}\n\n{"type":"b"}\n\n', [("a", b""), ("b", b"")]),
    (b'{}\n{"type":"a","length":0}\n\n{"type":"b","length":0}\n\n', [("a", b""), ("b", b"")]),
    (b'{}\n{"type":"a","length":5}\nhe\nlo', [("a", b"he\nlo")]),  # 6
    (b'{}\n{"type":"a","length":5}\nhe\nlo\n{"type":"b"}\nx', [("a", b"he\nlo"), ("b", b"x")]),
    (b'{}\r\n{"type":"a"}\r\nhello\r\n', [("a", b"hello\r")]),  # 2
    (b'{"x":1}\n{"type":"a","length":null,"x":[1]}\nhello', [("a", b"hello")]),  # 3
    ('{"é":1}\n{"type":"ü","length":2}\nü'.encode(), [("ü", "ü".encode())]),  # bytes are counted
]
MALFORMED = [
    b"",
    b"\n",
    b"[]",
    b"not json\n",
    b"\xff\xfe",
    b"{}\n{}",
    b'{}\n{"type":1}\nx',
    b'{}\n{"type":"a"}',  # 1: no payload
    b'{}\n{"length":1}\nx',  # 5
    b'{}\n{"type":"a","length":-1}\nx',
    b'{}\n{"type":"a","length":"1"}\nx',
    b'{}\n{"type":"a","length":true}\nx',
    b'{}\n{"type":"a","length":9}\nx',  # 6
    b'{}\n{"type":"a","length":1}\nxy',
    b'{}\n\n{"type":"a"}\nx',
    b"{}\n" + b"[" * HEADER_LINE,
    b'{"a":"' + b"x" * HEADER_LINE + b'"}',
    b"{}\n" + b'{"type":"a"}\n\n' * 1001,
]


def envelope(*payloads: bytes, headers: bytes = b"{}") -> bytes:
    items = (b'{"type":"event","length":%d}\n%s' % (len(each), each) for each in payloads)
    return b"\n".join((headers, *items))


@pytest.mark.parametrize(("body", "items"), FRAMED)
def test_an_envelope_is_cut_where_the_specification_says(
    body: bytes, items: list[tuple[str, bytes]]
) -> None:
    assert [(item.type, item.payload) for item in read_envelope(body)[1]] == items


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_envelope_is_refused_with_its_place(body: bytes) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse(body, REQUEST)
    assert caught.value.code == "malformed_envelope"
    assert caught.value.place


def test_the_place_is_the_item_and_its_byte() -> None:
    with pytest.raises(InvalidEventError, match=r"items\[1\] at byte 32: wrong headers"):
        parse(envelope(b"") + b'\n{"typo":"event"}\n{}', REQUEST)


def test_a_header_line_of_exactly_the_limit_is_read() -> None:
    line = json.dumps({"a": "x" * (HEADER_LINE - 9)}).encode()
    assert len(line) == HEADER_LINE
    assert list(read_envelope(line + b"\n")[1]) == []


def test_one_bad_event_among_good_ones_is_refused_in_its_place() -> None:
    parsed = parse(envelope(EVENT, b"{broken", EVENT, b"[]"), REQUEST)
    assert len(parsed.events) == 2
    assert [(each.index, each.code) for each in parsed.problems] == [
        (1, "malformed_json"),
        (3, "not_an_object"),
    ]


def test_an_envelope_of_bad_events_only_is_refused() -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse(envelope(b"{broken"), REQUEST)
    assert (caught.value.code, caught.value.place) == ("malformed_json", "items[0]")


def test_types_nobody_knows_are_counted_as_one() -> None:
    body = b'{}\n{"type":"x1"}\n\n{"type":"x2"}\n\n{"type":"client_report"}\n{}'
    assert parse(body, REQUEST).dropped == {"unknown": 2, "client_report": 1}


@pytest.mark.parametrize(
    ("header", "own", "id_"),
    [
        (ID, None, ID),
        ("9ec79c33-ec99-42ab-8353-589fcb2e04dc", None, ID),
        ("0" * 32, "9EC79C33-EC99-42AB-8353-589FCB2E04DC", ID),
        (ID, "garbage", ID),
    ],
)
def test_an_event_without_an_id_has_that_of_its_envelope(
    header: str, own: str | None, id_: str
) -> None:
    headers = json.dumps({"event_id": header}).encode()
    event = json.dumps({"event_id": own}).encode()
    assert parse(envelope(event, headers=headers), REQUEST).events[0].event_id == id_


def test_without_any_id_one_is_made() -> None:
    first, second = parse(envelope(EVENT, EVENT), REQUEST).events
    assert len(first.event_id) == 32
    assert first.event_id != second.event_id


@pytest.mark.parametrize(
    ("parsed", "handled", "body"),
    [
        (Parsed(), (Handled(id=ID, group=None, owner=None, step=None),), {"id": ID}),
        (Parsed(event_id=ID), (), {"id": ID}),
        (Parsed(), (), {}),
    ],
)
def test_the_answer_names_the_event(
    parsed: Parsed, handled: tuple[Handled, ...], body: object
) -> None:
    answer = reply(parsed, handled, REQUEST)
    assert (answer.status, answer.body) == (200, body)


def test_an_answer_asks_to_be_spared_all_but_errors() -> None:
    """sentry-python reads the seconds with int(), and three parts of each limit."""
    seconds, categories, scope = (
        reply(Parsed(), (), REQUEST).headers["X-Sentry-Rate-Limits"].split(":")
    )
    asked = set(categories.split(";"))
    assert (int(seconds), scope) == (3600, "organization")
    assert asked >= {"transaction", "span", "session", "log_item", "replay", "profile", "monitor"}
    assert not asked & {"error", "default", "internal", "security", ""}


def test_where_everything_is_wanted_nothing_is_asked() -> None:
    request = msgspec.structs.replace(REQUEST, wants_all=True)
    assert reply(Parsed(), (), request) == Answer(200, {})


@pytest.mark.parametrize(
    ("dsn", "key"),
    [
        ("https://abc@errors.example.com/in/42", "abc"),
        ("https://abc:secret@errors.example.com/42", "abc"),
        ("https://errors.example.com/42", None),
        ("https://[abc@errors.example.com/42", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_an_envelope_may_name_its_key(dsn: object, key: str | None) -> None:
    assert parse(json.dumps({"dsn": dsn}).encode(), REQUEST).key == key


@pytest.mark.parametrize(
    ("sent_at", "told", "taken"),
    [
        # NOW is 07:00:00. The sender's clock is an hour behind, ahead, then right enough.
        ("2026-11-23T06:00:00Z", "2026-11-23T05:59:30Z", "2026-11-23T06:59:30+00:00"),
        ("2026-11-23T08:00:00.000Z", "2026-11-23T07:59:30Z", "2026-11-23T06:59:30+00:00"),
        ("2026-11-23T06:59:10Z", "2026-11-23T06:50:00Z", "2026-11-23T06:50:00+00:00"),
        ("2026-11-23T07:00:50Z", "2026-11-23T06:50:00Z", "2026-11-23T06:50:00+00:00"),
        (None, "2026-11-23T06:50:00Z", "2026-11-23T06:50:00+00:00"),
        ("soon", "2026-11-23T06:50:00Z", "2026-11-23T06:50:00+00:00"),
        ("1970-01-01T00:00:10Z", "1970-01-01T00:00:00Z", "2026-11-23T06:59:50+00:00"),
        ("1970-01-01T00:00:10Z", "9999-12-31T00:00:00Z", "2026-11-23T07:00:00+00:00"),
    ],
)
def test_a_clock_that_is_wrong_is_put_right(sent_at: object, told: str, taken: str) -> None:
    headers = json.dumps({"sent_at": sent_at}).encode()
    event = json.dumps({"timestamp": told}).encode()
    (parsed,) = parse(envelope(event, headers=headers), REQUEST).events
    assert parsed.timestamp.isoformat() == taken


def test_what_the_sender_lost_is_counted() -> None:
    report = (
        b'{"discarded_events": [{"reason": "queue_overflow", "category": "error", "quantity": 2}]}'
    )
    body = b'{}\n{"type":"client_report"}\n%s\n{"type":"client_report"}\n%s' % (report, report)
    parsed = parse(body, REQUEST)
    assert parsed.lost == {("queue_overflow", "error"): 4}
    assert parsed.dropped == {"client_report": 2}


def test_an_envelope_has_so_many_events_at_most() -> None:
    parsed = parse(envelope(*[EVENT] * (ENVELOPE_EVENTS + 2)), REQUEST)
    assert len(parsed.events) == ENVELOPE_EVENTS
    assert [each.code for each in parsed.problems] == ["too_many_events"] * 2


def test_a_refusal_is_fit_for_a_header() -> None:
    answer = refuse(400, "bad\r\nSet-Cookie: é", REQUEST)
    assert answer.headers == {"X-Sentry-Error": "bad Set-Cookie: ?"}
    assert answer.body == {"detail": "bad\r\nSet-Cookie: é", "causes": []}


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    attempt(body)


@given(st.lists(st.sampled_from([b"{}", b"\n", b'{"type":"event"', b',"length":', b"2", b"}"])))
def test_no_pieces_of_an_envelope_raise_anything_else(pieces: list[bytes]) -> None:
    attempt(b"{}\n" + b"".join(pieces))


@given(st.sampled_from([load(name).body for name in names()]), st.data())
def test_no_cut_capture_raises_anything_else(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body)))
    attempt(
        body[:at] + data.draw(st.binary(max_size=4)) + body[at + data.draw(st.integers(0, 9)) :]
    )


def attempt(body: bytes) -> None:
    with suppress(InvalidEventError):
        parse(body, REQUEST)
