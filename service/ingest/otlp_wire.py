"""OTLP's requests, protobuf or JSON: their log records, spans and metrics, one after the other.

Spec: https://opentelemetry.io/docs/specs/otlp/#otlphttp
JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
Cases: tests/ingest/test_otlp_wire.py
"""

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

import msgspec

from matchers.text import Scalar
from service.ingest.base import InvalidEventError
from service.ingest.json_parts import whole_pairs
from service.ingest.otlp_protobuf import read_protobuf
from service.ingest.otlp_shapes import (
    NOTHING,
    Batch,
    Group,
    KeyValue,
    Many,
    Scope,
    Scoped,
    Shape,
    within_limits,
)

PROTOBUF, JSON = "application/x-protobuf", "application/json"
COMMAS = 1_000_000  # of a JSON body: what they part costs memory of its own
ATTRIBUTES = 1000  # read of one list; SDKs keep 128

S = TypeVar("S", bound=Shape)


class Read(Protocol):
    def __call__(self, message: bytes | bytearray | msgspec.Raw, shape: type[S]) -> S:
        """Raises InvalidEventError (malformed_otlp, too_large)."""


class About(msgspec.Struct, frozen=True):
    """What the members of one scope have in common."""

    resource: Mapping[str, Scalar]
    scope: Scalar


def reader(content_type: str) -> Read:
    """Raises InvalidEventError (unsupported_media_type)."""
    if content_type not in _READERS:
        said = f"Content-Type: {PROTOBUF} or {JSON}"
        raise InvalidEventError("unsupported_media_type", said)
    return _READERS[content_type]


def members(read: Read, body: bytes) -> Iterator[tuple[About, msgspec.Raw]]:
    """Every log record, span or metric, unread. The errors are the reader's."""
    batch = read(_mended(body) if read is read_json else body, Batch)
    for one in batch.resource_logs or batch.resource_spans or batch.resource_metrics or ():
        group = read(one, Group)
        resource = scalars(read, group.resource.attributes if group.resource else None)
        for two in group.scope_logs or group.scope_spans or group.scope_metrics or ():
            scoped = read(two, Scoped)
            scope = None if scoped.scope in NOTHING else read(scoped.scope, Scope).name
            about = About(resource, scope)
            for member in scoped.log_records or scoped.spans or scoped.metrics or ():
                yield about, member


def scalars(read: Read, attributes: Many) -> dict[str, Scalar]:
    """The attributes that have one value. One that cannot be read is passed over."""
    found: dict[str, Scalar] = {}
    for attribute in (attributes or ())[:ATTRIBUTES]:
        try:
            pair = read(attribute, KeyValue)
        except InvalidEventError:
            continue
        value = pair.value.scalar if pair.value else None
        if value is not None:
            found[pair.key] = value
    return found


def read_json(message: bytes | bytearray | msgspec.Raw, shape: type[S]) -> S:
    within_limits(len(memoryview(message)), shape)
    try:
        return _decoded(message, shape)
    except UnicodeDecodeError:  # inside a text
        return _decoded(bytes(message).decode(errors="replace").encode(), shape)


_READERS: dict[str, Read] = {PROTOBUF: read_protobuf, JSON: read_json}


def _decoded(message: bytes | bytearray | msgspec.Raw, shape: type[S]) -> S:
    try:
        return msgspec.json.decode(message, type=shape)
    except RecursionError:
        raise InvalidEventError("malformed_otlp", "nested too deeply") from None
    except msgspec.DecodeError as error:  # names a field, a type and a byte, never a value
        raise InvalidEventError("malformed_otlp", str(error)) from None


def _mended(body: bytes) -> bytes | bytearray:
    """The body without halves of surrogate pairs. Raises InvalidEventError (too_large)."""
    if body.count(b",") > COMMAS:
        raise InvalidEventError("too_large", f"JSON with more than {COMMAS} commas")
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return whole_pairs(bytearray(body))
