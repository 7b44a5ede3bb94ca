"""Rollbar's clients, unchanged but for their endpoint.

Spec: https://docs.rollbar.com/reference/create-item
Cases: tests/data/captures.yaml and tests/ingest/test_clients.py.

    data.body.trace         one exception; frames caller → raise, as ours
    data.body.trace_chain   the thrown one first. pyrollbar does not tell a cause from an exception
                            that was only being handled, nor does the format
    data.body.message       no exception
    data.body.crash_report  an iOS crash as text: only its type is read

Personal, so never read: person, request (but its URL), custom, telemetry, arguments and locals.

pyrollbar answers a 413 with a small message that the payload was too large, and that one's 413
with the next, without end. Ours is for more than 20 MiB only, so the small message is accepted.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from matchers.text import clean
from service.ingest.base import Adapter, Answer, Handled, Parsed, Request
from service.ingest.json_parts import few, listed, load_parts, name, parts, plain
from service.ingest.limits import EXCEPTIONS, FRAMES
from service.ingest.translation import (
    Tree,
    chain,
    event_said,
    exception,
    exceptions,
    frame,
    mapping,
    platform_of,
    stack,
)

KEY = 200  # characters
_CRASH = re.compile(r"^Exception Type:[ \t]*(\S.*)$", re.MULTILINE)
# What is read of an item that is large.
_FRAME = parts(
    **dict.fromkeys(("filename", "method", "class_name", "lineno", "colno", "code"), name)
)
_TRACE = parts(exception=parts(**{"class": name, "message": plain}), frames=listed(_FRAME, FRAMES))
_READ = parts(
    access_token=name,
    data=parts(
        **dict.fromkeys(("uuid", "timestamp", "language", "platform", "framework"), name),
        **dict.fromkeys(("level", "environment", "code_version", "context", "title"), name),
        fingerprint=few,
        server=parts(root=name, host=name, code_version=name),
        request=parts(url=name),
        body=parts(
            trace=_TRACE,
            trace_chain=listed(_TRACE, EXCEPTIONS),
            message=parts(body=plain),
            crash_report=parts(raw=plain),
        ),
    ),
)


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_json, not_an_object, empty_event."""
    item = load_parts(body, _READ)
    event = event_said(_translated(mapping(item.get("data"))), request, "data.body")
    return Parsed(events=(event,), key=clean(item.get("access_token"), KEY))


def reply(parsed: Parsed, handled: tuple[Handled, ...], _request: Request) -> Answer:
    uuid = handled[0].id if handled else parsed.event_id
    return Answer(HTTPStatus.OK, {"err": 0, "result": {"id": None, "uuid": uuid}})


def refuse(status: int, detail: str, _request: Request) -> Answer:
    return Answer(status, {"err": 1, "message": detail})


ADAPTER = Adapter(
    name="rollbar",
    paths=("/api/1/item/",),
    parse=parse,
    reply=reply,
    refuse=refuse,
    keyed_body=True,
)


def _translated(data: Mapping[str, object]) -> Tree:
    server, body = mapping(data.get("server")), mapping(data.get("body"))
    traces = chain(body.get("trace_chain")) or chain([body.get("trace")])
    thrown_first = [_exception(trace, server.get("root")) for trace in traces]
    return {
        "event_id": data.get("uuid"),
        "timestamp": data.get("timestamp"),
        "platform": platform_of(data.get("language"), data.get("platform"), data.get("framework")),
        "level": data.get("level"),
        "environment": data.get("environment"),
        "release": data.get("code_version") or server.get("code_version"),
        "server_name": server.get("host"),
        "transaction": data.get("context"),
        "request": {"url": mapping(data.get("request")).get("url")},
        "fingerprint": data.get("fingerprint"),
        "message": mapping(body.get("message")).get("body") or data.get("title"),
        "exception": exceptions(thrown_first or _crash(mapping(body.get("crash_report")))),
    }


def _exception(trace: Mapping[str, object], root: object) -> Tree:
    error = mapping(trace.get("exception"))
    frames = [_frame(one, root) for one in stack(trace.get("frames"))]
    return exception(error.get("class"), error.get("message"), frames)


def _frame(one: Mapping[str, object], root: object) -> Tree:
    return frame(
        one.get("filename"),
        root,
        one.get("method"),
        module=one.get("class_name"),
        lineno=one.get("lineno"),
        colno=one.get("colno"),
        context_line=one.get("code"),
    )


def _crash(report: Mapping[str, object]) -> list[Tree]:
    """The whole text names the incident, so no two would be one error."""
    raw = report.get("raw")
    if not isinstance(raw, str) or not raw:
        return []
    found = _CRASH.search(raw)
    return [exception(found[1].strip() if found else "crash report", None, ())]
