"""What of OTLP's messages is read at all; every field left out here is passed over undecoded.

    Batch → Group (of one resource) → Scoped (of one scope) → log records, spans or metrics

The messages: https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
What stands below a layer (Many) is a view of the body until it is asked for, so that a request
costs what is wanted of it, and a bad member harms no other.
"""

import msgspec

from matchers.text import Scalar
from service.ingest.base import InvalidEventError

MEMBER = 4 * 1024 * 1024  # bytes of a log record or a span: all that gRPC takes for a request
NOTHING = (msgspec.Raw(b""), msgspec.Raw(b"null"))
Many = list[msgspec.Raw] | None


class Shape(msgspec.Struct, kw_only=True, rename="camel"):
    """Lenient: what is not asked for is passed over, a null is as good as nothing."""


class AnyValue(Shape):
    string_value: Scalar = None
    bool_value: Scalar = None
    int_value: Scalar = None
    double_value: Scalar = None

    @property
    def scalar(self) -> Scalar:
        """None for a list, a map or bytes."""
        values = (self.string_value, self.bool_value, self.int_value, self.double_value)
        return next((value for value in values if value is not None), None)


class KeyValue(Shape):
    key: str = ""
    value: AnyValue | None = None


class Resource(Shape):
    attributes: Many = None


class Scope(Shape):
    name: Scalar = None


class Batch(Shape):
    """A whole request: one of the three."""

    resource_logs: Many = None
    resource_spans: Many = None
    resource_metrics: Many = None


class Group(Shape):
    resource: Resource | None = None
    scope_logs: Many = None
    scope_spans: Many = None
    scope_metrics: Many = None


class Scoped(Shape):
    scope: msgspec.Raw = NOTHING[0]  # a Scope
    log_records: Many = None
    spans: Many = None
    metrics: Many = None


class LogRecord(Shape):
    time_unix_nano: Scalar = None
    observed_time_unix_nano: Scalar = None
    severity_number: Scalar = None
    body: AnyValue | None = None
    attributes: Many = None
    trace_id: Scalar = None  # hex digits
    span_id: Scalar = None
    event_name: Scalar = None


class Span(Shape):
    trace_id: Scalar = None
    span_id: Scalar = None
    name: Scalar = None
    attributes: Many = None
    events: Many = None


class SpanEvent(Shape):
    time_unix_nano: Scalar = None
    name: Scalar = None
    attributes: Many = None


LAYERS = (Batch, Group, Scoped)


def within_limits(size: int, shape: type[Shape]) -> None:
    """Raises InvalidEventError (too_large). A text takes up to six times its bytes."""
    if size > MEMBER and shape not in LAYERS:
        raise InvalidEventError("too_large", f"one member is larger than {MEMBER} bytes")
