"""Errors in OpenTelemetry's logs and traces: which they are, and what an event keeps of them."""

from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from matchers.event import Event, ExceptionValue, Frame
from service.ingest import otlp
from service.ingest.base import Handled, InvalidEventError, Parsed, Problem
from service.ingest.limits import OTLP_ERRORS
from tests.ingest.otlp_requests import (
    PROTOBUF,
    SPAN,
    THROWN,
    TRACE,
    a_log,
    a_span,
    attributes,
    logs,
    of,
    parse,
    traces,
)

JSON = "application/json"
HERE = {"code.file.path": "/app/shop/pay.py", "code.function.name": "pay", "code.line.number": 7}
each_format = pytest.mark.parametrize("content_type", [JSON, PROTOBUF])


def one(tree: dict[str, Any], content_type: str = JSON) -> Event:
    (event,) = parse(tree, content_type).events
    return event


@each_format
@pytest.mark.parametrize(
    ("number", "level"),
    [(24, "fatal"), (21, "fatal"), (17, "error"), (13, "warning"), (9, "info"), (1, "debug")],
)
def test_an_exception_is_of_its_records_level(content_type: str, number: int, level: str) -> None:
    assert one(logs(a_log(THROWN, severityNumber=number)), content_type).level == level


@each_format
@pytest.mark.parametrize(
    ("record", "errors"),
    [
        (a_log(), 1),  # severity 17
        (a_log(severityNumber=16), 0),
        (a_log(severityNumber=0), 0),
        (a_log(severityNumber=9, eventName="exception"), 1),
        (a_log(severityNumber=9, eventName="http.client.exception"), 1),
        (a_log(severityNumber=9, eventName="exceptional"), 0),
        (a_log({"exception.type": "E"}, severityNumber=0), 1),
        (a_log({"exceptions": "E"}, severityNumber=0), 0),
    ],
)
def test_an_error_has_an_exception_or_its_severity(
    content_type: str, record: dict[str, Any], errors: int
) -> None:
    parsed = parse(logs(record), content_type)
    assert len(parsed.events) == errors
    assert parsed.dropped == ({} if errors else {"log": 1})


@each_format
def test_only_a_spans_events_called_exception_are_errors(content_type: str) -> None:
    retry = {"name": "retry", "attributes": []}
    spans = a_span(), a_span(THROWN, {"exception.type": "E"}), a_span(events=[retry])
    parsed = parse(traces(*spans), content_type)
    assert [event.exceptions[-1].type for event in parsed.events] == ["LookupError", "E"]
    assert parsed.dropped == {"span": 2}


@each_format
def test_a_field_comes_from_the_attribute_that_means_it(content_type: str) -> None:
    resource = {
        "service.name": "shop",
        "service.version": "1.2.3",
        "deployment.environment": "staging",
        "host.name": "vm-1",
        "telemetry.sdk.language": "nodejs",
        "telemetry.sdk.version": "2.0",
        "team": "search",
    }
    request = {"http.route": "/pay/{id}", "url.full": "https://u:p@shop/pay/7?card=4", "retries": 2}
    span = a_span({"exception.type": "E"}, attributes=attributes(request))
    event = one(traces(span, **resource), content_type)
    assert (event.release, event.environment, event.server_name) == ("1.2.3", "staging", "vm-1")
    assert (event.platform, event.logger, event.trace_id) == ("node", "shop.web", TRACE)
    assert (event.transaction, event.url) == ("/pay/{id}", "https://shop/pay/7")
    assert event.tags == {"service.name": "shop", "team": "search", "retries": "2"}


def test_the_new_name_of_the_environment_wins_over_the_old() -> None:
    names = {"deployment.environment": "old", "deployment.environment.name": "new"}
    assert one(logs(a_log(), **names)).environment == "new"


def test_an_errors_own_attributes_are_kept_before_its_resources() -> None:
    resource = {f"r{number}": "x" for number in range(99)} | {"same": "resource"}
    tags = one(logs(a_log({"own": "y", "same": "record"}), **resource)).tags
    assert (len(tags), tags["own"], tags["same"]) == (100, "y", "record")


def test_lists_maps_and_bytes_are_no_tags() -> None:
    several = {"arrayValue": {"values": [{"stringValue": "x"}]}}
    held = {"kvlistValue": {"values": []}}
    assert one(logs(a_log({"a": several, "b": held, "c": {"bytesValue": "eA=="}}))).tags == {}


@each_format
def test_a_printed_stack_gives_the_frames(content_type: str) -> None:
    (error,) = one(logs(a_log({**THROWN, **HERE})), content_type).exceptions
    assert (error.type, error.value) == ("LookupError", "DE")
    assert [frame.abs_path for frame in error.frames] == [
        "/app/shop/web/checkout.py",
        "/app/shop/billing/tax.py",
    ]


@pytest.mark.parametrize("text", ["no stack that anybody knows", ""])
def test_without_a_stack_that_is_read_the_place_of_the_log_is_the_frame(text: str) -> None:
    told = {"exception.type": "psycopg.errors.Deadlock", "exception.message": "m", **HERE}
    event = one(logs(a_log({**told, "exception.stacktrace": text})))
    frame = Frame(abs_path="/app/shop/pay.py", function="pay", lineno=7)
    assert event.exceptions == (
        ExceptionValue(type="Deadlock", module="psycopg.errors", value="m", frames=(frame,)),
    )


def test_an_error_log_is_a_message_with_the_place_that_logged_it() -> None:
    event = one(logs(a_log(HERE, body={"stringValue": "card refused"})))
    frame = Frame(abs_path="/app/shop/pay.py", function="pay", lineno=7)
    assert (event.message, event.exceptions) == ("card refused", (ExceptionValue(frames=(frame,)),))
    assert one(logs(a_log(body={"stringValue": "m"}))).exceptions == ()


def test_javas_qualified_function_is_a_module_and_a_function() -> None:
    here = {"code.file.path": "Tax.java", "code.function.name": "com.acme.Tax.rate"}
    event = one(logs(a_log(here), **{"telemetry.sdk.language": "java"}))
    frame = Frame(filename="Tax.java", module="com.acme.Tax", function="rate")
    assert event.exceptions[0].frames == (frame,)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("java.io.IOException", ("java.io", "IOException")),
        ("ValueError", (None, "ValueError")),
        ("*errors.errorString", (None, "*errors.errorString")),
        ("Shop::Error", (None, "Shop::Error")),
    ],
)
def test_a_qualified_type_is_a_module_and_a_type(told: str, kept: tuple[str | None, str]) -> None:
    (error,) = one(logs(a_log({"exception.type": told}))).exceptions
    assert (error.module, error.type) == kept


IN_SPAN = {"traceId": TRACE, "spanId": SPAN}
# as the SDKs print it: the span's text has the frames that closed the span, too
OUTER = '  File "/venv/opentelemetry/trace/__init__.py", line 602, in use_span\n    yield span\n'
BY_SPAN = {
    **THROWN,
    "exception.type": "builtins.LookupError",
    "exception.message": "'DE'",  # of a KeyError the SDK's log handler has another message
    "exception.stacktrace": THROWN["exception.stacktrace"].replace("\n", f"\n{OUTER}", 1),
}


@each_format
def test_a_spans_event_and_the_log_of_the_same_error_are_one(content_type: str) -> None:
    of_span = one(traces(a_span(BY_SPAN)), content_type)
    of_log = one(logs(a_log({**THROWN, **HERE}, **IN_SPAN)), JSON)
    assert of_span.event_id == of_log.event_id


@pytest.mark.parametrize(
    "other",
    [
        a_log(THROWN, traceId=TRACE, spanId="1" * 16),
        a_log(THROWN, traceId="1" * 32, spanId=SPAN),
        a_log({"exception.type": "LookupError", "exception.message": "FR"}, **IN_SPAN),
        a_log({"exception.type": "E"}, **IN_SPAN),
        a_log(
            {**THROWN, "exception.stacktrace": THROWN["exception.stacktrace"].replace("12", "13")},
            **IN_SPAN,
        ),
    ],
)
def test_another_span_message_type_or_line_is_another_error(other: dict[str, Any]) -> None:
    assert one(logs(other)).event_id != one(logs(a_log(THROWN, **IN_SPAN))).event_id


@pytest.mark.parametrize("told", [THROWN, {}])
def test_without_a_trace_the_time_tells_errors_apart(told: dict[str, Any]) -> None:
    first, again, later = (one(logs(a_log(told, timeUnixNano=at))) for at in ("7", "7", "8"))
    assert first.event_id == again.event_id != later.event_id


def test_a_message_is_told_by_its_time_in_a_trace_too() -> None:
    record = a_log(body={"stringValue": "card refused"}, **IN_SPAN)
    assert one(logs(record)).event_id == one(logs(record)).event_id
    assert one(logs(record)).event_id != one(logs({**record, "timeUnixNano": "8"})).event_id


def test_what_has_neither_trace_nor_time_is_never_taken_for_another() -> None:
    record = a_log(timeUnixNano="0")
    assert one(logs(record)).event_id != one(logs(record)).event_id


PROBLEMS = Parsed(problems=(Problem(index=3, code="malformed_otlp", detail="why"),) * 2)
HANDLED = (Handled(id="0" * 32, group="g", owner=None, step=None),)


@pytest.mark.parametrize(
    ("door", "rejected"),
    [(otlp.LOGS, "rejectedLogRecords"), (otlp.TRACES, "rejectedSpans")],
)
def test_a_partial_success_says_how_many_and_why(door: Any, rejected: str) -> None:
    answer = door.reply(PROBLEMS, HANDLED, of(JSON)).body
    assert answer["partialSuccess"][rejected] == "2"
    assert "3: why" in answer["partialSuccess"]["errorMessage"]


@pytest.mark.parametrize("member", [a_log(), {"severityNumber": []}])
def test_more_errors_than_any_exporter_batches_are_refused(member: dict[str, Any]) -> None:
    kept = parse(logs(*[member] * OTLP_ERRORS))
    assert len(kept.events) + len(kept.problems) == OTLP_ERRORS
    with pytest.raises(InvalidEventError, match="10000") as refused:
        parse(logs(*[member] * (OTLP_ERRORS + 1)))
    assert refused.value.code == "too_large"


def test_answers_are_the_generated_messages() -> None:
    message = ExportLogsServiceResponse.FromString(
        otlp.LOGS.reply(PROBLEMS, HANDLED, of(PROTOBUF)).body
    )
    assert MessageToDict(message) == otlp.LOGS.reply(PROBLEMS, HANDLED, of(JSON)).body
    assert otlp.LOGS.reply(Parsed(), HANDLED, of(PROTOBUF)).body == b""


@pytest.mark.parametrize(
    ("status", "code", "retry"),
    [(400, 3, None), (403, 16, None), (413, 3, None), (415, 3, None), (503, 14, "1")],
)
def test_a_refusal_is_a_status(status: int, code: int, retry: str | None) -> None:
    answer = otlp.LOGS.refuse(status, "why", of(JSON))
    assert answer.body == {"code": code, "message": "why"}
    assert answer.headers.get("Retry-After") == retry
    packed = otlp.LOGS.refuse(status, "why", of(PROTOBUF))
    assert packed.body == bytes((8, code, 18, 3)) + b"why"
    assert packed.headers["Content-Type"] == PROTOBUF


def test_metrics_are_counted_and_dropped() -> None:
    scope = {"metrics": [{"name": "a"}, {"name": "b"}]}
    body = msgspec.json.encode({"resourceMetrics": [{"scopeMetrics": [scope]}]})
    assert otlp.METRICS.parse(body, of(JSON)) == Parsed(dropped={"metric": 2})
