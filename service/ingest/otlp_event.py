"""One error of OTLP, a span's event or a log record, to an Event.

Conventions: https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/
and, older, https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/
Severities: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
Cases: tests/data/captures.yaml and tests/ingest/test_otlp.py
"""

import re
import uuid
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from matchers.event import Event, ExceptionValue, Frame, Level
from matchers.sketch import is_absolute
from matchers.text import MESSAGE, NAME, TRANSACTION, Scalar, clean
from service.ingest.base import InvalidEventError, Request
from service.ingest.otlp_shapes import LogRecord, Span, SpanEvent
from service.ingest.otlp_wire import About, Read, scalars
from service.ingest.sentry_event import NOT_IN_A_URL, moment, tags_of
from service.ingest.sentry_repair import mended_frame
from service.ingest.tracebacks import parse_traceback

ERROR = 17  # the severity from which a log record is an error by itself
LEVELS: tuple[tuple[int, Level], ...] = (
    (21, "fatal"),
    (17, "error"),
    (13, "warning"),
    (9, "info"),
    (1, "debug"),
)
# their words for a runtime, in Sentry's
PLATFORMS = {"nodejs": "node", "webjs": "javascript", "dotnet": "csharp", "cpp": "native"}
# where a field of the event is looked for: the first name that says something
FIELDS = {
    "release": ("service.version",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "server_name": ("host.name",),
    "platform": ("telemetry.sdk.language",),
    "transaction": ("http.route",),
    "url": ("url.full", "http.url", "url.path", "http.target"),
    "file": ("code.file.path", "code.filepath"),
    "function": ("code.function.name", "code.function"),
    "line": ("code.line.number", "code.lineno"),
}
# what is no tag: it is a field, or says only what sent it
NO_TAGS = frozenset(name for names in FIELDS.values() for name in names)
NO_TAG = ("exception.", "telemetry.")
QUALIFIED = re.compile(r"((?:[\w$]+\.)+)([^\W\d][\w$]*)")  # `java.io.IOException`


class _Told(NamedTuple):
    """An error, from wherever it came."""

    about: About
    attributes: dict[str, Scalar]  # the error's own before its span's before its resource's
    level: Level
    at: int  # nanoseconds; 0: not said
    trace_id: str | None
    span_id: str | None
    message: str | None = None
    transaction: str | None = None

    def first(self, field: str, cap: int = NAME) -> str | None:
        found = (clean(self.attributes.get(name), cap) for name in FIELDS[field])
        return next(filter(None, found), None)


def errors_of_span(
    read: Read, member: msgspec.Raw, about: About, request: Request
) -> Iterator[Event]:
    """Its events that are called `exception`. Raises InvalidEventError, the reader's."""
    span = read(member, Span)
    attributes: dict[str, Scalar] | None = None
    for one in span.events or ():
        event = read(one, SpanEvent)
        if event.name != "exception":
            continue
        if attributes is None:
            attributes = {**about.resource, **scalars(read, span.attributes)}
        told = _Told(
            about=about,
            attributes={**attributes, **scalars(read, event.attributes)},
            level="error",
            at=_whole(event.time_unix_nano),
            trace_id=_hex(span.trace_id, 32),
            span_id=_hex(span.span_id, 16),
            transaction=clean(span.name, TRANSACTION),
        )
        yield _event(told, request)


def errors_of_log(
    read: Read, member: msgspec.Raw, about: About, request: Request
) -> Iterator[Event]:
    """The record, where it is one: it has an exception, or its severity says so."""
    record = read(member, LogRecord)
    severity = _whole(record.severity_number)
    own = scalars(read, record.attributes)
    if not (severity >= ERROR or any(name.startswith("exception.") for name in own)):
        name = clean(record.event_name) or ""
        if name != "exception" and not name.endswith(".exception"):
            return
    told = _Told(
        about=about,
        attributes={**about.resource, **own},
        level=next((level for floor, level in LEVELS if severity >= floor), "error"),
        at=_whole(record.time_unix_nano) or _whole(record.observed_time_unix_nano),
        trace_id=_hex(record.trace_id, 32),
        span_id=_hex(record.span_id, 16),
        message=clean(record.body and record.body.scalar, MESSAGE) or clean(record.event_name),
    )
    yield _event(told, request)


def _event(told: _Told, request: Request) -> Event:
    language = told.first("platform")
    platform = PLATFORMS.get(language, language) if language else None
    printed = _printed(told, platform)
    url = told.first("url", TRANSACTION)
    return Event(
        event_id=_event_id(told, printed),
        timestamp=moment(told.at / 1e9 if told.at else None, request.received_at),
        received_at=request.received_at,
        project=request.project,
        platform=platform,
        level=told.level,
        logger=clean(told.about.scope),
        message=told.message,
        transaction=told.first("transaction", TRANSACTION) or told.transaction,
        url=url and NOT_IN_A_URL.sub("", url),
        release=told.first("release"),
        environment=told.first("environment"),
        server_name=told.first("server_name"),
        tags=_tags(told.attributes),
        trace_id=told.trace_id,
        exceptions=_exceptions(told, printed, platform),
    )


def _printed(told: _Told, platform: str | None) -> tuple[ExceptionValue, ...]:
    text = told.attributes.get("exception.stacktrace")
    try:
        return parse_traceback(text, platform) if isinstance(text, str) else ()
    except InvalidEventError:  # no text that we read; its type and message are left
        return ()


def _exceptions(
    told: _Told, printed: tuple[ExceptionValue, ...], platform: str | None
) -> tuple[ExceptionValue, ...]:
    named = _named(told)
    if not any(error.frames for error in printed):
        alone = msgspec.structs.replace(named, frames=_code_frames(told, platform))
        return (alone,) if alone != ExceptionValue() else ()
    thrown = printed[-1]
    if thrown.type is None:
        thrown = msgspec.structs.replace(thrown, type=named.type, module=named.module)
    if thrown.value is None:
        thrown = msgspec.structs.replace(thrown, value=named.value)
    return (*printed[:-1], thrown)


def _named(told: _Told) -> ExceptionValue:
    """The exception as the attributes name it."""
    name = clean(told.attributes.get("exception.type"), NAME)
    module = None
    if name and (qualified := QUALIFIED.fullmatch(name)):
        module, name = qualified[1].rstrip("."), qualified[2]
    value = clean(told.attributes.get("exception.message"), MESSAGE)
    return ExceptionValue(type=name, module=module, value=value)


def _code_frames(told: _Told, platform: str | None) -> tuple[Frame, ...]:
    """Where it was logged, as the one frame."""
    path, function = told.first("file", 5000), told.first("function")
    if not path and not function:
        return ()
    module = None
    if platform == "java" and function and (qualified := QUALIFIED.fullmatch(function)):
        module, function = qualified[1].rstrip("."), qualified[2]
    frame = {
        "abs_path" if is_absolute(path or "") else "filename": path,
        "module": module,
        "function": function,
        "lineno": told.first("line"),
    }
    return (msgspec.convert(mended_frame(frame), Frame),)


def _tags(attributes: dict[str, Scalar]) -> dict[str, str]:
    """The last come first: an error's own attributes are kept before its resource's."""
    return tags_of(
        (name, value)
        for name, value in reversed(attributes.items())
        if name not in NO_TAGS and not name.startswith(NO_TAG)
    )


def _event_id(told: _Told, printed: tuple[ExceptionValue, ...]) -> str:
    """The same for a span's event, the log record of the same error, and either sent again.

    Their times differ, and their texts by the frames that caught it, so within a trace an error
    is its span, its type and message, and the line that raised it. Thrown there again and again,
    it is one. Without a trace, or without an exception, the time tells one from another.
    """
    named = _named(told)
    thrown = printed[-1] if printed else named
    raised = thrown.frames[-1] if thrown.frames else Frame()
    place = (raised.filename, raised.abs_path, raised.module, raised.function, raised.lineno)
    what = (thrown.type or named.type, thrown.value or named.value, *place)
    if told.trace_id and any(what):
        parts: tuple[object, ...] = (told.trace_id, told.span_id, *what)
    elif told.at:
        parts = (told.trace_id, told.span_id, told.at, told.message, *what)
    else:
        return uuid.uuid4().hex
    return blake2b(repr(parts).encode(errors="replace"), digest_size=16).hexdigest()


def _hex(value: Scalar, digits: int) -> str | None:
    """Return an id; None where it is none, all zeros being none."""
    text = value.lower() if isinstance(value, str) else ""
    return text if re.fullmatch(f"[0-9a-f]{{{digits}}}", text) and text.strip("0") else None


def _whole(value: Scalar) -> int:
    """Return a number that JSON may have as text; 0 where it is none."""
    try:
        number = int(value or 0)
    except (ValueError, OverflowError):
        return 0
    return number if 0 <= number < 2**64 else 0
