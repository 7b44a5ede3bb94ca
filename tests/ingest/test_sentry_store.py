"""The store door: an event in each of the packings that old SDKs use."""

import base64
import zlib
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.base import InvalidEventError
from service.ingest.body import TooLargeError
from service.ingest.sentry_store import parse
from tests.ingest.captured import REQUEST

EVENT = b' {"message": "m", "event_id": "9ec79c33ec9942ab8353589fcb2e04dc"}'


@pytest.mark.parametrize(
    "body",
    [
        EVENT,
        zlib.compress(EVENT),
        base64.b64encode(EVENT),
        base64.b64encode(zlib.compress(EVENT)),
        base64.encodebytes(zlib.compress(EVENT)),
    ],
)
def test_an_event_is_found_in_every_packing(body: bytes) -> None:
    parsed = parse(body, REQUEST)
    assert parsed.events[0].message == "m"
    assert parsed.event_id == "9ec79c33ec9942ab8353589fcb2e04dc"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"abc", "malformed_json"),
        (b"[]", "not_an_object"),
        (zlib.compress(EVENT)[:-4], "bad_encoding"),
        (base64.b64encode(b"hello"), "malformed_json"),
    ],
)
def test_what_is_no_event_is_refused_by_name(body: bytes, code: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse(body, REQUEST)
    assert caught.value.code == code


def test_a_bomb_inside_is_stopped() -> None:
    with pytest.raises(TooLargeError):
        parse(base64.b64encode(zlib.compress(b" " * 30 * 1024 * 1024)), REQUEST)


def test_a_clock_that_is_wrong_is_put_right() -> None:
    """NOW is 07:00, and the sender's clock read 06:00 as it sent."""
    auth = "Sentry sentry_key=k, sentry_timestamp=1795413600.5, sentry_version=4"
    request = msgspec.structs.replace(REQUEST, headers={"x-sentry-auth": auth})
    event = b'{"message": "m", "timestamp": "2026-11-23T05:50:00"}'
    taken = parse(event, request).events[0].timestamp
    assert taken.isoformat(timespec="minutes") == "2026-11-23T06:49+00:00"


@given(st.binary(max_size=60).map(lambda tail: b"x\x9c" + tail) | st.binary(max_size=60))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with suppress(InvalidEventError):
        parse(body, REQUEST)
