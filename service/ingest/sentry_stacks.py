"""The stacks of a Sentry event: what was thrown, and by which calls.

Spec: https://develop.sentry.dev/sdk/data-model/event-payloads/exception/
"""

from collections.abc import Iterator, Sequence

import msgspec

from matchers.event import ExceptionValue, Frame
from matchers.text import MESSAGE, NAME, clean, cut_middle
from service.ingest.limits import EXCEPTIONS, FRAMES, TAGS
from service.ingest.sentry_repair import fits, mended_frame
from service.ingest.sentry_shapes import (
    ExceptionField,
    ExceptionShape,
    Mechanism,
    SentryEvent,
    Stack,
    Thread,
    Threads,
)
from service.ingest.truncation import shares

NO_MECHANISM = Mechanism()


def exceptions_of(shape: SentryEvent) -> Iterator[ExceptionValue]:
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


def cut_of(shape: SentryEvent) -> Iterator[str]:
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
