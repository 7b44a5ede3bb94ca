"""OTLP/HTTP: errors in OpenTelemetry's logs and traces, as protobuf or JSON.

Spec: https://opentelemetry.io/docs/specs/otlp/#otlphttp
Errors are google.rpc.Status:
https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto
Cases: tests/ingest/test_otlp.py

An exporter tries again on 429, 502, 503 and 504 only, so a 503 is how it is told to wait. What is
no error (spans, other log records, all metrics) is counted and dropped.
"""

from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import NamedTuple

import msgspec

from matchers.event import Event
from service.ingest.base import (
    Adapter,
    Answer,
    Handled,
    InvalidEventError,
    Parsed,
    Problem,
    Request,
)
from service.ingest.limits import OTLP_ERRORS
from service.ingest.otlp_event import errors_of_log, errors_of_span
from service.ingest.otlp_protobuf import packed
from service.ingest.otlp_wire import JSON, PROTOBUF, About, Read, members, reader

RETRY_AFTER = "1"  # second
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
INVALID_ARGUMENT, UNAUTHENTICATED, UNKNOWN = 3, 16, 2
CODES = {
    400: INVALID_ARGUMENT,
    401: UNAUTHENTICATED,
    403: UNAUTHENTICATED,
    404: 5,  # NOT_FOUND
    413: INVALID_ARGUMENT,
    415: INVALID_ARGUMENT,
    429: 8,  # RESOURCE_EXHAUSTED
    503: 14,  # UNAVAILABLE
}


class Signal(NamedTuple):
    item: str  # as it is counted
    rejected: str  # in a partial success
    errors: Callable[[Read, msgspec.Raw, About, Request], Iterator[Event]]


def parse(signal: Signal, body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: unsupported_media_type, malformed_otlp, too_large.

    A member that cannot be read is refused in its place.
    """
    read = reader(request.content_type)
    events: list[Event] = []
    problems: list[Problem] = []
    dropped = 0
    for index, (about, member) in enumerate(members(read, body)):
        try:
            found = list(islice(signal.errors(read, member, about, request), OTLP_ERRORS + 1))
            events += found
            dropped += not found
        except InvalidEventError as error:
            problems.append(Problem(index=index, code=error.code, detail=error.detail))
        if len(events) + len(problems) > OTLP_ERRORS:
            raise InvalidEventError("too_large", f"more than {OTLP_ERRORS} errors in one request")
    return Parsed(
        events=tuple(events),
        problems=tuple(problems),
        dropped={signal.item: dropped} if dropped else {},
    )


def reply(
    signal: Signal, parsed: Parsed, _handled: tuple[Handled, ...], request: Request
) -> Answer:
    if not parsed.problems:
        return _answer(200, {}, b"", request)
    first, rejected = parsed.problems[0], len(parsed.problems)
    said = f"{first.code}: {signal.item} {first.index}: {first.detail}"
    tree = {"partialSuccess": {signal.rejected: str(rejected), "errorMessage": said}}
    return _answer(200, tree, packed(1, packed(1, rejected) + packed(2, said)), request)


def refuse(status: int, detail: str, request: Request) -> Answer:
    code = CODES.get(status, UNKNOWN)
    tree = {"code": code, "message": detail}
    answer = _answer(status, tree, packed(1, code) + packed(2, detail), request)
    if status != HTTPStatus.SERVICE_UNAVAILABLE:
        return answer
    return msgspec.structs.replace(answer, headers={**answer.headers, "Retry-After": RETRY_AFTER})


def _answer(status: int, tree: object, body: bytes, request: Request) -> Answer:
    """In the format that the request was in; in JSON where that is neither."""
    if request.content_type == PROTOBUF:
        return Answer(status, body, {"Content-Type": PROTOBUF})
    return Answer(status, tree, {"Content-Type": JSON})


def _none(_read: Read, _member: msgspec.Raw, _about: About, _request: Request) -> Iterator[Event]:
    return iter(())


def _adapter(name: str, path: str, signal: Signal) -> Adapter:
    return Adapter(
        name=name,
        paths=(path,),
        takes=(JSON, PROTOBUF),
        parse=partial(parse, signal),
        reply=partial(reply, signal),
        refuse=refuse,
        comes_again=True,
    )


LOGS = _adapter("otlp_logs", "/v1/logs", Signal("log", "rejectedLogRecords", errors_of_log))
TRACES = _adapter("otlp_traces", "/v1/traces", Signal("span", "rejectedSpans", errors_of_span))
# an exporter with one endpoint for everything sends these too
METRICS = _adapter("otlp_metrics", "/v1/metrics", Signal("metric", "rejectedDataPoints", _none))
