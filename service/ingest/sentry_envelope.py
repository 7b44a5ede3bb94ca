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

Of the items only events are wanted; the others are counted and dropped, and an answer asks the
SDK to keep them: https://develop.sentry.dev/sdk/expected-features/rate-limiting/ (measured:
sentry-sdk and @sentry/node then send errors and client reports only).
"""

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from matchers.event import Event
from service.ingest.base import (
    Adapter,
    Answer,
    Envelope,
    Handled,
    InvalidEventError,
    Parsed,
    Passing,
    Problem,
    Request,
)
from service.ingest.client_report import discarded
from service.ingest.json_members import Text
from service.ingest.limits import ENVELOPE_EVENTS, EVENT, HEADER_LINE, ITEMS
from service.ingest.sentry_event import drift_of, normal_id, parse_event

NEWLINE = ord("\n")
# Never `error`, nor `default`, by which some SDKs send messages, nor `internal`: client reports.
UNWANTED = (
    *("transaction", "span", "session", "log_item", "log_byte", "trace_metric", "metric_bucket"),
    *("attachment", "profile", "profile_chunk", "replay", "monitor", "feedback"),
)
KEEP_THEM = {"X-Sentry-Rate-Limits": f"3600:{';'.join(UNWANTED)}:organization"}
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
    headers: bytes  # its line
    payload: Text  # a copy, or a view where it is large


class EnvelopeHeaders(msgspec.Struct, frozen=True):
    event_id: Any = None
    dsn: Any = None
    sent_at: Any = None


class ItemHeaders(msgspec.Struct, frozen=True):
    type: str
    length: Annotated[int, msgspec.Meta(ge=0)] | None = None


H = TypeVar("H", EnvelopeHeaders, ItemHeaders)


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_envelope, or an event's own where no event is good."""
    headers, items = read_envelope(body)
    request = msgspec.structs.replace(request, drift=drift_of(headers.sent_at, request.received_at))
    event_id = normal_id(headers.event_id)
    dropped: Counter[str] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    events: list[Event] = []
    problems: list[Problem] = []
    passing: list[Passing] = []
    places: list[int] = []  # of the events among the items
    for item in items:
        if request.wants_all:
            passing.append(Passing(item.headers, bytes(item.payload)))
        if item.type != "event":
            dropped[item.type if item.type in TYPES else "unknown"] += 1
            if item.type == "client_report":
                lost += discarded(item.payload)
            continue
        try:
            if len(events) == ENVELOPE_EVENTS:
                raise InvalidEventError("too_many_events", f"{ENVELOPE_EVENTS} were read")
            events.append(parse_event(item.payload, request, event_id=event_id))
            places.append(item.index)
        except InvalidEventError as error:
            problems.append(Problem(index=item.index, code=error.code, detail=str(error)))
    if problems and not events:
        first = problems[0]
        raise InvalidEventError(first.code, first.detail, f"items[{first.index}]")
    return Parsed(
        events=tuple(events),
        problems=tuple(problems),
        dropped=dropped,
        event_id=event_id,
        key=_key(headers.dsn),
        lost=lost,
        onward=_onward(body, passing, places, request),
    )


def read_envelope(body: bytes) -> tuple[EnvelopeHeaders, Iterator[Item]]:
    """Return the headers, and the items one by one.

    Both raise InvalidEventError (malformed_envelope).
    """
    line, at = _line(body, 0, "header")
    return _headers(line, EnvelopeHeaders, "header"), _items(body, at)


def reply(parsed: Parsed, handled: tuple[Handled, ...], request: Request) -> Answer:
    answered = handled[0].id if handled else parsed.event_id
    headers = KEEP_THEM
    if request.wants_all:
        headers = {"X-Sentry-Rate-Limits": request.rate_limits} if request.rate_limits else {}
    return Answer(HTTPStatus.OK, {"id": answered} if answered else {}, headers)


def refuse(status: int, detail: str, _request: Request) -> Answer:
    on_one_line = " ".join(detail.encode("ascii", "replace").decode().split())
    return Answer(status, {"detail": detail, "causes": []}, {"X-Sentry-Error": on_one_line})


ADAPTER = Adapter(
    name="sentry_envelope",
    paths=("/api/{project}/envelope/",),
    takes=("application/x-sentry-envelope",),
    parse=parse,
    reply=reply,
    refuse=refuse,
    keyed_body=True,
    dsn=True,
)


def _onward(
    body: bytes, items: list[Passing], events: list[int], request: Request
) -> Envelope | None:
    if not items:
        return None
    headers, _ = _line(body, 0, "header")
    return Envelope(request.received_at, headers, tuple(items), tuple(events))


def _key(dsn: object) -> str | None:
    try:
        return urlsplit(dsn).username or None if isinstance(dsn, str) else None
    except ValueError:
        return None


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
        yield Item(index=index, type=headers.type, headers=line, payload=payload)
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


def _payload(body: bytes, start: int, length: int | None, place: str) -> tuple[Text, int]:
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
    large = end - start > EVENT
    return memoryview(body)[start:end] if large else body[start:end], end + 1


def _malformed(detail: str, place: str) -> InvalidEventError:
    return InvalidEventError("malformed_envelope", detail, place)
