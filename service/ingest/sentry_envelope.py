"""Sentry's envelopes: what every SDK of the last years posts.

Spec: https://develop.sentry.dev/sdk/data-model/envelopes/ ; the points below are cited by number.

    1. Envelope = Headers { "\\n" Item } [ "\\n" ] ;  Item = Headers "\\n" Payload
    2. Only "\\n" ends a line; "\\r" belongs to what stands before it.
    3. Headers are one JSON object on one line, `{}` at the least. Unknown attributes are no error.
    4. An envelope may end after its headers: no items.
    5. An item's `type` is required. Unknown types are passed over.
    6. With `length`, the payload is exactly so many bytes, newlines included, and then comes
       a newline or the end; the end before that is malformed.
    7. Without `length`, the payload ends at the next newline or at the end.
    8. The last newline may be left out.

Of the items only events are wanted; the others are counted and dropped.
"""

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import msgspec

from matchers.event import Event
from service.ingest.base import (
    Adapter,
    Answer,
    Handled,
    InvalidEventError,
    Parsed,
    Problem,
    Request,
)
from service.ingest.limits import HEADER_LINE, ITEMS
from service.ingest.sentry_event import normal_id, parse_event

NEWLINE = ord("\n")
# A dropped item's type is a metric's label, so only these words may become one.
TYPES = frozenset(
    (
        "attachment",
        "check_in",
        "client_report",
        "feedback",
        "form_data",
        "log",
        "nel",
        "otel_log",
        "profile",
        "profile_chunk",
        "raw_security",
        "replay_event",
        "replay_recording",
        "replay_video",
        "session",
        "sessions",
        "span",
        "statsd",
        "trace_metric",
        "transaction",
        "user_report",
    )
)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    index: int  # from 0, among all items of its envelope
    type: str
    payload: bytes


class EnvelopeHeaders(msgspec.Struct, frozen=True):
    event_id: Any = None


class ItemHeaders(msgspec.Struct, frozen=True):
    type: str
    length: Annotated[int, msgspec.Meta(ge=0)] | None = None


H = TypeVar("H", EnvelopeHeaders, ItemHeaders)


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_envelope, or an event's own where no event is good."""
    headers, items = read_envelope(body)
    event_id = normal_id(headers.event_id)
    dropped: Counter[str] = Counter()
    events: list[Event] = []
    problems: list[Problem] = []
    for item in items:
        if item.type != "event":
            dropped[item.type if item.type in TYPES else "unknown"] += 1
            continue
        try:
            events.append(parse_event(item.payload, request, event_id=event_id))
        except InvalidEventError as error:
            problems.append(Problem(index=item.index, code=error.code, detail=str(error)))
    if problems and not events:
        first = problems[0]
        raise InvalidEventError(first.code, first.detail, f"items[{first.index}]")
    return Parsed(
        events=tuple(events), problems=tuple(problems), dropped=dropped, event_id=event_id
    )


def read_envelope(body: bytes) -> tuple[EnvelopeHeaders, list[Item]]:
    """Return the headers and all items. Raises InvalidEventError (malformed_envelope)."""
    line, at = _line(body, 0, "header")
    headers = _headers(line, EnvelopeHeaders, "header")
    return headers, list(_items(body, at))


def reply(parsed: Parsed, handled: tuple[Handled, ...], _request: Request) -> Answer:
    answered = handled[0].id if handled else parsed.event_id
    return Answer(HTTPStatus.OK, {"id": answered} if answered else {})


def refuse(status: int, detail: str, _request: Request) -> Answer:
    on_one_line = " ".join(detail.encode("ascii", "replace").decode().split())
    return Answer(status, {"detail": detail, "causes": []}, {"X-Sentry-Error": on_one_line})


ADAPTER = Adapter(
    name="sentry_envelope",
    paths=("/api/{project}/envelope/",),
    parse=parse,
    reply=reply,
    refuse=refuse,
)


def _items(body: bytes, at: int) -> Iterator[Item]:
    index = 0
    while at < len(body):  # 4, 8
        place = f"items[{index}] at byte {at}"
        if index == ITEMS:
            raise _malformed("more items than any SDK sends", place)
        line, start = _line(body, at, place)
        if not line and start >= len(body):  # 1: the newline that may end an envelope
            return
        headers = _headers(line, ItemHeaders, place)  # 5
        if start > len(body):  # 1
            raise _malformed("ends before its payload", place)
        payload, at = _payload(body, start, headers.length, place)
        yield Item(index=index, type=headers.type, payload=payload)
        index += 1


def _line(body: bytes, at: int, place: str) -> tuple[bytes, int]:
    """Return the header line at `at`, and where the next begins. (2)"""
    end = body.find(b"\n", at, at + HEADER_LINE + 1)
    if end < 0 and len(body) - at > HEADER_LINE:
        raise _malformed(f"a header line is longer than {HEADER_LINE} bytes", place)
    end = len(body) if end < 0 else end
    return body[at:end], end + 1


def _headers(line: bytes, shape: type[H], place: str) -> H:
    try:
        return msgspec.json.decode(line, type=shape)  # 3
    except msgspec.ValidationError as error:  # names a field and a type, never a value
        raise _malformed(f"wrong headers: {error}", place) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _malformed("headers are one JSON object on one line", place) from None


def _payload(body: bytes, start: int, length: int | None, place: str) -> tuple[bytes, int]:
    """Return the payload at `start`, and where the next item begins."""
    if length is None:  # 7
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
    else:  # 6
        end = start + length
        if end > len(body):
            raise _malformed(f"ends before the {length} bytes of its payload", place)
        if end < len(body) and body[end] != NEWLINE:
            raise _malformed(f"no newline after the {length} bytes of its payload", place)
    return body[start:end], end + 1


def _malformed(detail: str, place: str) -> InvalidEventError:
    return InvalidEventError("malformed_envelope", detail, place)
