"""One Sentry event, as its SDKs send it, to an Event.

Spec: https://develop.sentry.dev/sdk/data-model/event-payloads/
Cases: tests/data/captures.yaml and tests/ingest/test_sentry_event.py.

Typed decoding is the straight way and skips what is not asked for; what it refuses is mended
(sentry_repair) and converted, so that one bad frame never loses an event.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from matchers.event import Event, ExceptionValue, Frame, Level
from matchers.text import MESSAGE, NAME, TRANSACTION, Scalar, clean, cut_middle
from service.ingest.base import InvalidEventError, Request
from service.ingest.context import vars_of, visible_of
from service.ingest.json_members import Text
from service.ingest.limits import AHEAD, DRIFT, EVENT, EXCEPTIONS, FINGERPRINT, FRAMES, TAG, TAGS
from service.ingest.sentry_large import load_large
from service.ingest.sentry_repair import fits, load_object, mend, mended_frame
from service.ingest.sentry_shapes import (
    ExceptionField,
    ExceptionShape,
    Mechanism,
    Message,
    SentryEvent,
    Stack,
    Thread,
    Threads,
)
from service.ingest.truncation import also, shares

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
NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)

NO_MECHANISM = Mechanism()
_DECODER = msgspec.json.Decoder(SentryEvent)


def parse_event(data: Text, request: Request, *, event_id: str | None = None) -> Event:
    """Return the event in `data`; `event_id` stands in where it names none.

    Raises InvalidEventError: malformed_json, not_an_object.
    """
    if len(data) <= EVENT:
        small = bytes(data)
        context = _context(_tree(small), request) if request.visible else {}
        return _event(_read(small), request, event_id, context)
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
    return digits if re.fullmatch("[0-9a-f]{32}", digits) else None


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


def _read(data: bytes) -> SentryEvent:
    if b"\\u0000" not in data:  # a NUL needs cleaning, which the straight way skips
        try:
            return _DECODER.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # load_object says what is wrong, if it is past mending
    return msgspec.convert(mend(load_object(data)), SentryEvent)


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
    url = clean(shape.request and shape.request.url, TRANSACTION)
    trace = shape.contexts and shape.contexts.trace
    return Event(
        event_id=normal_id(shape.event_id) or normal_id(event_id) or uuid.uuid4().hex,
        timestamp=moment(shape.timestamp, request.received_at, request.drift),
        received_at=request.received_at,
        project=request.project,
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
        context=context,
        fingerprint=tuple(filter(None, map(clean, (shape.fingerprint or ())[:FINGERPRINT]))),
        trace_id=clean(trace and trace.trace_id),
        exceptions=tuple(_exceptions(shape)),
        truncated=tuple(_cut_of(shape)),
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


def _exceptions(shape: SentryEvent) -> Iterator[ExceptionValue]:
    found = False
    values = cut_middle(_values(shape.exception), EXCEPTIONS)
    for value, room in zip(values, shares([*map(_count, values)], FRAMES), strict=True):
        exception = _exception(value, room)
        if exception.type or exception.value or exception.frames:
            found = True
            yield exception
    if not found and (frames := _frames(shape.stacktrace) or _thread_frames(shape.threads)):
        yield ExceptionValue(frames=frames)  # nothing was thrown: a message with its stack


def _values(field: ExceptionField | list[ExceptionShape] | None) -> Sequence[ExceptionShape]:
    if isinstance(field, ExceptionField):
        return [field] if field.values is None else field.values
    return field or ()


def _exception(value: ExceptionShape, room: int) -> ExceptionValue:
    mechanism = value.mechanism or NO_MECHANISM
    return ExceptionValue(
        type=clean(value.type, NAME),
        value=clean(value.value, MESSAGE),
        module=clean(value.module, NAME),
        handled=mechanism.handled,
        source=clean(mechanism.source),
        exception_id=mechanism.exception_id,
        parent_id=mechanism.parent_id,
        frames=_frames(value.stacktrace, room),
    )


def _count(value: ExceptionShape) -> int:
    return len((value.stacktrace and value.stacktrace.frames) or ())


def _cut_of(shape: SentryEvent) -> Iterator[str]:
    """What of it is more than is kept."""
    values = _values(shape.exception)
    if len(values) > EXCEPTIONS:
        yield "exceptions"
    if sum(map(_count, values)) > FRAMES:
        yield "frames"
    if len(shape.tags or ()) > TAGS:
        yield "tags"


def _frames(stack: Stack | None, room: int = FRAMES) -> tuple[Frame, ...]:
    if stack is None or not stack.frames:
        return ()
    kept = cut_middle(stack.frames, room)
    return tuple(frame if fits(frame) else _cut(frame) for frame in kept)


def _cut(frame: Frame) -> Frame:
    return msgspec.convert(mended_frame(msgspec.structs.asdict(frame)), Frame)


def _thread_frames(field: Threads | list[Thread] | None) -> tuple[Frame, ...]:
    """The stack of the thread that crashed, else the current one, else the only one."""
    threads = field.values or [] if isinstance(field, Threads) else field or []
    crashed = [thread for thread in threads if thread.crashed]
    current = [thread for thread in threads if thread.current]
    alone = threads if len(threads) == 1 else []
    for thread in (*crashed, *current, *alone):
        if frames := _frames(thread.stacktrace):
            return frames
    return ()
