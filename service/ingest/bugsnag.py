"""Bugsnag's clients, unchanged but for their endpoint; payloads of version 4 and 5.

Spec: https://docs.bugsnag.com/api/error-reporting/
Cases: tests/data/captures.yaml and tests/ingest/test_clients.py.

    events[]                          each is an event of ours
    events[].exceptions[]             the thrown one first
    …exceptions[].stacktrace[]        the raise first; `file` relative to events[].projectRoot
    …stacktrace[].inProject           in_app
    events[].unhandled                handled, of the thrown one
    events[].app.releaseStage         environment
    events[].context                  transaction
    events[].groupingHash             fingerprint

Personal, so never read: user, request (but its URL), metaData, breadcrumbs, feature flags.
Sessions go to another endpoint, which a client with an endpoint of its own leaves alone.
"""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus

from matchers.event import Event
from matchers.text import clean
from service.ingest.base import (
    Adapter,
    Answer,
    Handled,
    InvalidEventError,
    Parsed,
    Problem,
    Request,
)
from service.ingest.json_parts import few, listed, load_parts, name, parts, plain
from service.ingest.limits import EXCEPTIONS, FRAMES
from service.ingest.translation import (
    Tree,
    chain,
    event_said,
    exceptions,
    frame,
    mapping,
    platform_of,
    source_line,
    traced,
)

KEY = 200  # characters
BATCH = 100  # events; clients send one or a few
# What is read of a report that is large.
_FRAME = parts(
    **dict.fromkeys(("file", "method", "lineNumber", "columnNumber", "inProject"), name),
    code=few,
)
_ERROR = parts(errorClass=name, message=plain, type=name, stacktrace=listed(_FRAME, FRAMES))
_EVENT = parts(
    **dict.fromkeys(("projectRoot", "unhandled", "severity", "releaseStage", "context"), name),
    groupingHash=few,
    app=parts(releaseStage=name, version=name),
    device=parts(time=name, hostname=name),
    request=parts(url=name),
    correlation=parts(traceId=name),
    exceptions=listed(_ERROR, EXCEPTIONS),
)
_READ = parts(apiKey=name, events=listed(_EVENT, BATCH + 1))


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_json, not_an_object, batch_too_long; empty_event
    where no event is good. The bad ones among good ones become problems."""
    report = load_parts(body, _READ)
    reported = report.get("events")
    reported = reported if isinstance(reported, list) else []
    if len(reported) > BATCH:
        raise InvalidEventError("batch_too_long", f"a report has at most {BATCH} events", "events")
    events: list[Event] = []
    problems: list[Problem] = []
    for index, one in enumerate(reported):
        try:
            events.append(event_said(_translated(mapping(one)), request))
        except InvalidEventError as error:
            problems.append(Problem(index=index, code=error.code, detail=error.detail))
    if not events:
        raise InvalidEventError("empty_event", "no event has an exception", "events")
    key = clean(report.get("apiKey"), KEY)
    return Parsed(events=tuple(events), problems=tuple(problems), key=key)


def reply(_parsed: Parsed, _handled: tuple[Handled, ...], _request: Request) -> Answer:
    return Answer(HTTPStatus.OK, b"OK", {"Content-Type": "text/plain"})


def refuse(status: int, detail: str, _request: Request) -> Answer:
    return Answer(status, {"errors": [detail]})


ADAPTER = Adapter(
    name="bugsnag", paths=("/notify",), parse=parse, reply=reply, refuse=refuse, keyed_body=True
)


def _translated(event: Mapping[str, object]) -> Tree:
    app, device = mapping(event.get("app")), mapping(event.get("device"))
    errors = chain(event.get("exceptions"))
    told = partial(_frame, event.get("projectRoot"))
    thrown_first = [traced(error, told, name="errorClass", frames="stacktrace") for error in errors]
    unhandled = event.get("unhandled")
    return {
        "timestamp": device.get("time"),
        "platform": platform_of(*(error.get("type") for error in errors[:1])),
        "level": event.get("severity"),
        "environment": app.get("releaseStage") or event.get("releaseStage"),
        "release": app.get("version"),
        "server_name": device.get("hostname"),
        "transaction": event.get("context"),
        "request": {"url": mapping(event.get("request")).get("url")},
        "contexts": {"trace": {"trace_id": mapping(event.get("correlation")).get("traceId")}},
        "fingerprint": event.get("groupingHash"),
        "exception": exceptions(
            thrown_first, handled=not unhandled if isinstance(unhandled, bool) else None
        ),
    }


def _frame(root: object, one: Mapping[str, object]) -> Tree:
    return frame(
        one.get("file"),
        root,
        one.get("method"),
        lineno=one.get("lineNumber"),
        colno=one.get("columnNumber"),
        in_app=one.get("inProject"),
        context_line=source_line(one.get("code"), one.get("lineNumber")),
    )
