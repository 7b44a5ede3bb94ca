"""One Sentry event, as its SDKs send it, to an Event.

Spec: https://develop.sentry.dev/sdk/data-model/event-payloads/
Cases: tests/data/captures.yaml and tests/ingest/test_sentry_event.py.

Typed decoding is the straight way and skips what is not asked for; what it refuses is mended
(sentry_repair) and converted, so that one bad frame never loses an event.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from matchers.event import Event, Level
from matchers.memo import Memo
from matchers.text import MESSAGE, TRANSACTION, Scalar, clean
from service.ingest.base import InvalidEventError, Request
from service.ingest.context import vars_of, visible_of
from service.ingest.json_members import Text
from service.ingest.limits import AHEAD, DRIFT, EVENT, FINGERPRINT, TAG, TAGS
from service.ingest.sentry_large import load_large
from service.ingest.sentry_repair import load_object, mend
from service.ingest.sentry_shapes import Message, SentryEvent
from service.ingest.sentry_stacks import cut_of, exceptions_of
from service.ingest.truncation import also

NONE = timedelta()
LEVELS: dict[str, Level] = {
    "fatal": "fatal",
    "critical": "fatal",
    "error": "error",
    "warning": "warning",
    "warn": "warning",
    "info": "info",
    "log": "info",
    "debug": "debug",
    "trace": "debug",
    "50": "fatal",  # Python's numbers, which raven sends
    "40": "error",
    "30": "warning",
    "20": "info",
    "10": "debug",
}
NOT_IN_A_URL = re.compile(r"(?<=//)[^/?#@]*@|[?#].*", re.DOTALL)  # credentials, query, fragment
_ID = re.compile("[0-9a-f]{32}")
NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)

_DECODER = msgspec.json.Decoder(SentryEvent)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# In a storm the same is said again and again. By its JSON: with that, an event takes twice as much,
# where a text is wide more; and bytes besides for each frame and tag, of which it need say nothing.
_ROOM = 32 * 2**20  # bytes; a thousand errors of 47 KB
_ASCII, _WIDE, _RECORD = 2, 5, 250
_SAID: Memo[bytes, Event] = Memo(_ROOM)


def parse_event(data: Text, request: Request, *, event_id: str | None = None) -> Event:
    """Return the event in `data`; `event_id` stands in where it names none.

    Raises InvalidEventError: malformed_json, not_an_object.
    """
    if len(data) <= EVENT:
        small = bytes(data)
        context = _context(_tree(small), request) if request.visible else {}
        straight = _straight(small)
        shape = straight or _mended(small)
        own = _own(shape, request, event_id)
        said = _remembered(straight, small) if straight else _said(shape)
        return msgspec.structs.replace(said, context=context, **own)
    shape = msgspec.convert(mend(load_large(data)), SentryEvent)
    event = _event(shape, request, event_id, {})
    return msgspec.structs.replace(event, truncated=also(event, "contexts"))


def event_of(tree: Mapping[str, object], request: Request) -> Event:
    """Return the event of an already decoded object."""
    shape = msgspec.convert(mend(tree), SentryEvent)
    return _event(shape, request, None, _context(tree, request) if request.visible else {})


def normal_id(value: object) -> str | None:
    """Return an event id as 32 hex digits, None where `value` is no id."""
    digits = value.replace("-", "").lower() if isinstance(value, str) else ""
    return digits if _ID.fullmatch(digits) else None


def moment(value: object, received_at: datetime, drift: timedelta = NONE) -> datetime:
    """Return the sender's time by our clock; ours where there is none or it makes no sense."""
    try:
        told = _moment(value) + drift
    except (ValueError, OverflowError, OSError):
        return received_at
    return min(told, received_at + AHEAD)


def drift_of(sent_at: object, received_at: datetime) -> timedelta:
    """How far a clock is behind ours that read `sent_at` as it sent; nothing below a minute."""
    try:
        drift = received_at - _moment(sent_at)
    except (ValueError, OverflowError, OSError):
        return NONE
    return drift if abs(drift) > DRIFT else NONE


def level_of(value: object) -> Level:
    return LEVELS.get(str(value).strip().lower(), "error")


def tags_of(pairs: Iterable[tuple[object, object]]) -> dict[str, str]:
    """Return the first hundred tags that have a name and a value, each cut."""
    tags: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        if len(tags) == TAGS:
            break
        name, value = clean(raw_name, TAG), clean(raw_value, TAG)
        if name and value:
            tags[name] = value
    return tags


def _straight(data: bytes) -> SentryEvent | None:
    """None: it needs mending, which says what is wrong if it is past that."""
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _mended(data: bytes) -> SentryEvent:
    return msgspec.convert(mend(load_object(data)), SentryEvent)


def _remembered(shape: SentryEvent, data: bytes) -> Event:
    """What it says but for what is its own, as it was read before or is read now."""
    shape.event_id = shape.timestamp = shape.contexts = None
    key = msgspec.json.encode(shape)
    said = _SAID.get(key)
    if said is None:
        if b"\\u0000" in key:  # a NUL needs cleaning, which the straight way skips
            return _said(_mended(data))  # by all of its data, of which the key has lost some
        said = _said(shape)
        _SAID.remember(key, said, _size(key, said))
    return said


def _size(key: bytes, said: Event) -> int:
    records = len(said.tags) + sum(len(one.frames) for one in said.exceptions)
    weight = _ASCII if key.isascii() else _WIDE
    return weight * len(key) + _RECORD * records


def _tree(data: bytes) -> Mapping[str, object]:
    """All of the event; nothing where only its shape could be read."""
    try:
        tree = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            tree = load_object(data)
        except InvalidEventError:
            return {}
    return tree if isinstance(tree, dict) else {}


def _context(tree: Mapping[str, object], request: Request) -> dict[str, str]:
    wants_vars = request.visible.looks_into("vars")
    return visible_of({**tree, "vars": vars_of(tree)} if wants_vars else tree, request.visible)


def _event(
    shape: SentryEvent, request: Request, event_id: str | None, context: dict[str, str]
) -> Event:
    own = _own(shape, request, event_id)
    return msgspec.structs.replace(_said(shape), context=context, **own)


def _own(shape: SentryEvent, request: Request, event_id: str | None) -> dict[str, Any]:
    """What is no other event's, though it says the same."""
    trace = shape.contexts and shape.contexts.trace
    return {
        "event_id": normal_id(shape.event_id) or normal_id(event_id) or uuid.uuid4().hex,
        "timestamp": moment(shape.timestamp, request.received_at, request.drift),
        "received_at": request.received_at,
        "project": request.project,
        "trace_id": clean(trace and trace.trace_id),
    }


def _said(shape: SentryEvent) -> Event:
    url = clean(shape.request and shape.request.url, TRANSACTION)
    return Event(
        event_id="",
        timestamp=_NEVER,
        received_at=_NEVER,
        platform=clean(shape.platform),
        level=level_of(shape.level),
        logger=clean(shape.logger),
        message=_message(shape),
        transaction=clean(shape.transaction, TRANSACTION),
        url=url and NOT_IN_A_URL.sub("", url),
        release=clean(shape.release),
        environment=clean(shape.environment),
        server_name=clean(shape.server_name),
        tags=tags_of(_pairs(shape.tags)),
        fingerprint=tuple(filter(None, map(clean, (shape.fingerprint or ())[:FINGERPRINT]))),
        exceptions=tuple(exceptions_of(shape)),
        truncated=tuple(cut_of(shape)),
    )


def _moment(value: object) -> datetime:
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        told = datetime.fromisoformat(value)  # cuts nanoseconds
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    if not isinstance(value, str | int | float):
        raise ValueError
    return datetime.fromtimestamp(float(value), UTC)


def _message(shape: SentryEvent) -> str | None:
    told = shape.message
    candidates = (shape.logentry, told if isinstance(told, Message) else Message(message=told))
    for entry in filter(None, candidates):
        text = clean(entry.formatted, MESSAGE) or clean(entry.message, MESSAGE)
        if text:
            return text
    return None


def _pairs(tags: dict[str, Scalar] | list[list[Scalar]] | None) -> Iterator[tuple[object, object]]:
    if isinstance(tags, dict):
        yield from tags.items()
    else:
        yield from ((pair[0], pair[1]) for pair in tags or () if len(pair) == 2)
