"""OTLP requests in short, as JSON and, by the generated messages, as protobuf."""

import base64
import json
from typing import Any

import msgspec
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from service.ingest import otlp
from service.ingest.base import Parsed, Request
from tests.ingest.captured import REQUEST

PROTOBUF = "application/x-protobuf"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEBACK = """Traceback (most recent call last):
  File "/app/shop/web/checkout.py", line 31, in checkout
    total = tax.rate(country)
  File "/app/shop/billing/tax.py", line 12, in rate
    raise LookupError(country)
LookupError: DE
"""
THROWN = {
    "exception.type": "LookupError",
    "exception.message": "DE",
    "exception.stacktrace": TRACEBACK,
}


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def logs(*records: dict[str, Any], **resource: Any) -> dict[str, Any]:
    scope = {"scope": {"name": "shop.web"}, "logRecords": list(records)}
    group = {"resource": {"attributes": attributes(resource)}, "scopeLogs": [scope]}
    return {"resourceLogs": [group]}


def traces(*spans: dict[str, Any], **resource: Any) -> dict[str, Any]:
    scope = {"scope": {"name": "shop.web"}, "spans": list(spans)}
    group = {"resource": {"attributes": attributes(resource)}, "scopeSpans": [scope]}
    return {"resourceSpans": [group]}


def a_log(values: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    given = {"timeUnixNano": "1795415291447000000", "severityNumber": 17, **fields}
    return {**given, "attributes": attributes(values or {})}


def a_span(*thrown: dict[str, Any], **fields: Any) -> dict[str, Any]:
    events = [
        {"name": "exception", "timeUnixNano": "5", "attributes": attributes(one)} for one in thrown
    ]
    return {"traceId": TRACE, "spanId": SPAN, "name": "POST /pay", "events": events, **fields}


def as_protobuf(tree: dict[str, Any]) -> bytes:
    """The ids are hex in OTLP's JSON, but base64 in that of the generated messages."""
    message: Any = (
        ExportLogsServiceRequest() if "resourceLogs" in tree else ExportTraceServiceRequest()
    )
    ParseDict(_with_base64(tree), message)
    packed: bytes = message.SerializeToString()
    return packed


def parse(tree: dict[str, Any], content_type: str = "application/json") -> Parsed:
    body = as_protobuf(tree) if content_type == PROTOBUF else json.dumps(tree).encode()
    return parse_bytes(body, content_type, logs="resourceLogs" in tree)


def parse_bytes(body: bytes, content_type: str, *, logs: bool) -> Parsed:
    door = otlp.LOGS if logs else otlp.TRACES
    return door.parse(body, of(content_type))


def of(content_type: str) -> Request:
    return msgspec.structs.replace(REQUEST, content_type=content_type)


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return value if isinstance(value, dict) else {"stringValue": value}


def _with_base64(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_with_base64(member) for member in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        key: base64.b64encode(bytes.fromhex(value)).decode()
        if key in ("traceId", "spanId")
        else _with_base64(value)
        for key, value in tree.items()
    }
