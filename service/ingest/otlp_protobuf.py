"""Protobuf's wire format, read into the shapes of OTLP by the numbers of their fields.

The format: https://protobuf.dev/programming-guides/encoding/
Cases: tests/ingest/test_otlp_wire.py, which has the generated messages as its reference. Those are
not used here: they take 1.7 GB for a hostile 20 MiB (docs/decisions/0008-protobuf-by-hand.md).
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec

from service.ingest.base import InvalidEventError
from service.ingest.otlp_shapes import (
    AnyValue,
    Batch,
    Group,
    KeyValue,
    LogRecord,
    Resource,
    Scope,
    Scoped,
    Shape,
    Span,
    SpanEvent,
    within_limits,
)

MEMBERS = 100_000  # in one list: each costs memory of its own
_SHIFTS = range(0, 70, 7)  # a varint has ten bytes at most, of seven bits each
_LEN = 2  # wire type: a length, then so many bytes
_SIZES = {1: 8, 5: 4}  # wire type: its bytes; of the others (groups) there are none in proto3

_LARGEST = 2**64 - 1

S = TypeVar("S", bound=Shape)


class _Field(NamedTuple):
    name: str
    convert: Callable[[Any], Any]
    whole: bool = False  # a number on the wire, of any width
    many: bool = False


def read_protobuf(message: bytes | bytearray | msgspec.Raw | memoryview, shape: type[S]) -> S:
    """Raises InvalidEventError (malformed_otlp, too_large)."""
    view, fields = memoryview(message), _FIELDS[shape]
    within_limits(len(view), shape)
    found: dict[str, Any] = {}
    for number, value in _fields(view):
        field = fields.get(number)
        if field is None or isinstance(value, int) != field.whole:
            continue  # as the generated messages pass over a field of another type
        if not field.many:
            found[field.name] = field.convert(value)
            continue
        several = found.setdefault(field.name, [])
        if len(several) == MEMBERS:
            raise InvalidEventError("too_large", f"more than {MEMBERS} members in one list")
        several.append(field.convert(value))
    return shape(**found)


def packed(number: int, value: int | str | bytes) -> bytes:
    """One field, for an answer."""
    if isinstance(value, int):
        return _packed_varint(number << 3) + _packed_varint(value)
    told = value.encode(errors="replace") if isinstance(value, str) else value
    return _packed_varint(number << 3 | _LEN) + _packed_varint(len(told)) + told


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field; what a number stands for is the shape's business."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        size, at = _varint(message, at) if wire == _LEN else (_SIZES.get(wire, end), at)
        start, at = at, at + size
        if at > end:
            raise _malformed()
        view = message[start:at]
        yield number, view if wire == _LEN else int.from_bytes(view, "little")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next thing stands."""
    value = 0
    try:
        for shift in _SHIFTS:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value & _LARGEST, at
    except IndexError:
        pass
    raise _malformed()


def _malformed() -> InvalidEventError:
    return InvalidEventError("malformed_otlp", "no protobuf, or it ends too early")


def _packed_varint(value: int) -> bytes:
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes((*digits, value))


def _text(value: memoryview) -> str:
    return str(value, "utf-8", "replace")


def _hex(value: memoryview) -> str:
    return value[:17].hex()  # a longer one is none


def _signed(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


def _double(value: int) -> float:
    number: float = struct.unpack("<d", struct.pack("<Q", value))[0]
    return number


def _read(shape: type[Shape]) -> Callable[[memoryview], Shape]:
    return lambda value: read_protobuf(value, shape)


_FIELDS: dict[type[Shape], dict[int, _Field]] = {
    # the same numbers in logs, spans and metrics
    Batch: {1: _Field("resource_logs", msgspec.Raw, many=True)},
    Group: {
        1: _Field("resource", _read(Resource)),
        2: _Field("scope_logs", msgspec.Raw, many=True),
    },
    Scoped: {1: _Field("scope", msgspec.Raw), 2: _Field("log_records", msgspec.Raw, many=True)},
    Resource: {1: _Field("attributes", msgspec.Raw, many=True)},
    Scope: {1: _Field("name", _text)},
    KeyValue: {1: _Field("key", _text), 2: _Field("value", _read(AnyValue))},
    AnyValue: {
        1: _Field("string_value", _text),
        2: _Field("bool_value", bool, whole=True),
        3: _Field("int_value", _signed, whole=True),
        4: _Field("double_value", _double, whole=True),
    },
    LogRecord: {
        1: _Field("time_unix_nano", int, whole=True),
        2: _Field("severity_number", _signed, whole=True),
        5: _Field("body", _read(AnyValue)),
        6: _Field("attributes", msgspec.Raw, many=True),
        9: _Field("trace_id", _hex),
        10: _Field("span_id", _hex),
        11: _Field("observed_time_unix_nano", int, whole=True),
        12: _Field("event_name", _text),
    },
    Span: {
        1: _Field("trace_id", _hex),
        2: _Field("span_id", _hex),
        5: _Field("name", _text),
        9: _Field("attributes", msgspec.Raw, many=True),
        11: _Field("events", msgspec.Raw, many=True),
    },
    SpanEvent: {
        1: _Field("time_unix_nano", int, whole=True),
        2: _Field("name", _text),
        3: _Field("attributes", msgspec.Raw, many=True),
    },
}
