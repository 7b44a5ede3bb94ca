"""What goes on is what came, but for the tags that say whose it is."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from matchers.errors import Origin
from matchers.ownership import Ownership
from matchers.ruleset import Rule
from service.ingest.base import Envelope, Passing
from service.ingest.limits import EVENT as EVENT_LIMIT
from service.ingest.sentry_envelope import read_envelope
from service.upstream.envelope import alone, sent_later, tagged, tags_of
from tests.builders import NOW

TAGS = {"owner": "payments", "owner_rule": "rules.yaml:7"}
EVENT = b'{"message": "x", "extra": {"n": 1.50, "big": 123456789012345678901}, "tags": %s}'


def went_on(payload: bytes, headers: bytes = b'{"type":"event","x":[1]}') -> bytes:
    envelope = Envelope(NOW, b'{"event_id":"a"}', (Passing(headers, payload),), (0,))
    items = list(read_envelope(tagged(envelope, [TAGS]))[1])
    return bytes(items[0].payload)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("null", TAGS),
        ("{}", TAGS),
        ('{"a": "1"}', {"a": "1"} | TAGS),
        ('{"owner": "@acme/payments"}', TAGS),
        ('[["a", "1"]]', [["a", "1"], *map(list, TAGS.items())]),
        ('[["owner", "me"], ["a", "1"]]', [["a", "1"], *map(list, TAGS.items())]),
        ('"what"', TAGS),
    ],
)
def test_tags_keep_the_senders_form(sent: str, expected: object) -> None:
    assert json.loads(went_on(EVENT % sent.encode()))["tags"] == expected


def test_every_other_field_keeps_its_bytes() -> None:
    assert b'{"n": 1.50, "big": 123456789012345678901}' in went_on(EVENT % b"{}")


@pytest.mark.parametrize("sent", [b'{"a": NaN}', b'{"a": "\xff"}'])
def test_what_is_no_strict_json_is_tagged_too(sent: bytes) -> None:
    assert json.loads(went_on(sent).decode(errors="replace"))["tags"] == TAGS


@pytest.mark.parametrize("sent", [b"", b"[]", b"nonsense"])
def test_what_nobody_reads_stays_as_it_is(sent: bytes) -> None:
    assert went_on(sent) == sent


def test_other_items_stay_as_they_are() -> None:
    attachment = Passing(b'{"type":"attachment","length":3, "filename":"a"}', b"\n\n\n")
    event = Passing(b'{"type":"event"}', b"{}")
    envelope = Envelope(NOW, b"{}", (attachment, event), (1,))
    assert b'{"type":"attachment","length":3, "filename":"a"}\n\n\n\n\n' in tagged(envelope, [TAGS])


def test_the_dsn_that_names_us_is_left_out() -> None:
    envelope = Envelope(NOW, b'{"dsn":"http://k@us/1","sdk":{"name":"x"}}', (), ())
    assert tagged(envelope, []) == b'{"sdk":{"name":"x"}}\n'


def test_an_event_without_an_envelope_gets_one() -> None:
    body = tagged(alone("a" * 32, b"{}", NOW), [TAGS])
    assert body.split(b"\n")[0] == b'{"event_id":"%s"}' % (b"a" * 32)
    assert json.loads(next(read_envelope(body)[1]).payload) == {"tags": TAGS}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (b'{"sent_at":"2026-11-23T07:00:00Z"}', "2026-11-23T07:01:00+00:00"),
        (b'{"sent_at":"yesterday"}', "yesterday"),
        (b'{"sent_at":7}', 7),
        (b"{}", None),
    ],
)
def test_what_waited_was_sent_later(headers: bytes, expected: object) -> None:
    later = sent_later(headers + b"\nrest", timedelta(minutes=1))
    assert msgspec.json.decode(later.split(b"\n")[0]).get("sent_at") == expected
    assert later.endswith(b"\nrest")


def test_tags_say_whose_it_is_and_by_which_rule() -> None:
    rule = Rule(
        origin=Origin("teams/payments.yaml", 12),
        text="path: /billing/",
        owners=("payments",),
        feature="invoicing",
        criticality="high",
    )
    assert tags_of(Ownership(owners=("payments",), step="frame", rule=rule)) == {
        "owner": "payments",
        "owner_rule": "teams/payments.yaml:12",
        "feature": "invoicing",
        "criticality": "high",
    }


@pytest.mark.parametrize("ownership", [None, Ownership(step="unowned")])
def test_nobodys_error_gets_no_tag(ownership: Ownership | None) -> None:
    assert tags_of(ownership) == {}


def test_times_are_of_one_zone() -> None:
    moved = sent_later(b'{"sent_at":"2026-11-23T07:00:00"}\n', timedelta(hours=1))
    assert datetime.fromisoformat(json.loads(moved)["sent_at"]).replace(tzinfo=UTC).hour == 8


@pytest.mark.parametrize(
    "sent", ['[[{"a": 1}, "x"], [["owner"], 1], [], 7]', '{"a": "\\ud800"}', '{"a": NaN}']
)
def test_tags_that_no_sdk_sends_are_no_obstacle(sent: str) -> None:
    arrived = json.loads(went_on(EVENT % sent.encode()))["tags"]
    assert "payments" in json.dumps(arrived)


def test_headers_that_are_no_utf8_are_no_obstacle() -> None:
    assert json.loads(went_on(b"{}", b'{"type":"event","\xff":1}'))["tags"] == TAGS
    envelope = Envelope(NOW, b'{"dsn":"ours","\xff":1}', (), ())
    assert b"ours" not in tagged(envelope, [])


@pytest.mark.parametrize(
    "around",
    [
        "{ %s }",
        '{"a": {"tags": {}}, "tags" : {"b": "1", "owner": "me"}, %s}',
        '{%s, "tags": null}',
        '{"tags": [["b", "1"]],%s}',
    ],
)
def test_a_large_event_is_tagged_without_being_read(around: str) -> None:
    large = around % f'"extra": "{"x" * EVENT_LIMIT}"'
    expected = json.loads(large)
    arrived = json.loads(went_on(large.encode()))
    assert dict(arrived.pop("tags")).items() >= TAGS.items()
    assert arrived == {name: value for name, value in expected.items() if name != "tags"}


def test_half_a_million_tags_go_on_as_they_came() -> None:
    large = b'{"tags": [%s{}]}' % (b"{}," * (EVENT_LIMIT // 2))
    assert went_on(large) == large
