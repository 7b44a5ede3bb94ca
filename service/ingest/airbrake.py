"""Airbrake's clients (API v3), unchanged but for their host.

Spec: https://docs.airbrake.io/docs/devops-tools/api/#create-notice-v3
Cases: tests/data/captures.yaml and tests/ingest/test_clients.py.

    errors[]                         the thrown one first. pybrake does not tell a cause from an
                                     exception that was only being handled, nor does the format
    errors[].backtrace[]             the raise first; `file` begins with /PROJECT_ROOT (below
                                     context.rootDirectory), /GEM_ROOT or /SITE_PACKAGES
    context.severity                 level; syslog's words
    context.component, .action       transaction, as Component#action

Personal, so never read: params, session, environment, and of the context the user.
A notice has no id, so one that is sent twice counts twice. A browser sends it as text/plain.
"""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus

from matchers.text import clean
from service.ingest.base import Adapter, Answer, Handled, Parsed, Request
from service.ingest.json_parts import few, listed, load_parts, name, parts, plain
from service.ingest.limits import EXCEPTIONS, FRAMES
from service.ingest.translation import (
    Tree,
    action_of,
    chain,
    event_said,
    exceptions,
    frame,
    mapping,
    platform_of,
    source_line,
    traced,
)

_LEVELS = {"notice": "info", "alert": "fatal", "emergency": "fatal"}  # the others are Sentry's
# What is read of a notice that is large.
_FRAME = parts(**dict.fromkeys(("file", "function", "line", "column"), name), code=few)
_ERROR = parts(type=name, message=plain, backtrace=listed(_FRAME, FRAMES))
_READ = parts(
    context=parts(
        **dict.fromkeys(("language", "severity", "environment", "version", "revision"), name),
        **dict.fromkeys(("hostname", "url", "rootDirectory", "component", "action"), name),
        notifier=parts(name=name),
    ),
    errors=listed(_ERROR, EXCEPTIONS),
)


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_json, not_an_object, empty_event."""
    return Parsed(events=(event_said(_translated(load_parts(body, _READ)), request, "errors"),))


def reply(parsed: Parsed, handled: tuple[Handled, ...], _request: Request) -> Answer:
    group = handled[0].group if handled else None
    id_ = handled[0].id if handled else parsed.event_id
    return Answer(HTTPStatus.CREATED, {"id": id_, "url": group and f"/groups/{group}"})


def refuse(status: int, detail: str, _request: Request) -> Answer:
    return Answer(status, {"message": detail})


ADAPTER = Adapter(
    name="airbrake",
    paths=("/api/v3/projects/{project}/notices",),
    parse=parse,
    reply=reply,
    refuse=refuse,
)


def _translated(notice: Mapping[str, object]) -> Tree:
    context = mapping(notice.get("context"))
    notifier = mapping(context.get("notifier"))
    errors = chain(notice.get("errors"))
    told = partial(_frame, context.get("rootDirectory"))
    severity = clean(context.get("severity"))
    return {
        "platform": platform_of(notifier.get("name"), context.get("language")),
        "level": _LEVELS.get(severity or "", severity),
        "environment": context.get("environment"),
        "release": context.get("version") or context.get("revision"),
        "server_name": context.get("hostname"),
        "transaction": action_of(context),
        "request": {"url": context.get("url")},
        "exception": exceptions([traced(one, told, name="type") for one in errors]),
    }


def _frame(root: object, one: Mapping[str, object]) -> Tree:
    return frame(
        one.get("file"),
        root,
        one.get("function"),
        lineno=one.get("line"),
        colno=one.get("column"),
        context_line=source_line(one.get("code"), one.get("line")),
    )
