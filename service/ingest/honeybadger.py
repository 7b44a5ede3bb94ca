"""Honeybadger's clients, unchanged but for their endpoint.

Spec: https://docs.honeybadger.io/api/reporting-exceptions/
Cases: tests/data/captures.yaml and tests/ingest/test_clients.py.

    error.class, error.message    the thrown one; error.causes the others, outermost first
    …backtrace[]                  the raise first; `file` begins with [PROJECT_ROOT] or [GEM_ROOT]
    …backtrace[].context          Elixir's "app" is in_app, its "all" is not
    error.token                   event_id
    error.tags                    `tag` is true; `name:value` is a tag of its own
    server.environment_name       environment
    request.component, .action    transaction, as Component#action

Personal, so never read: request but for its URL, breadcrumbs, local variables, the context.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus

from matchers.text import clean
from service.ingest.base import Adapter, Answer, Handled, Parsed, Request
from service.ingest.json_parts import few, listed, load_parts, name, parts, plain
from service.ingest.limits import EXCEPTIONS, FRAMES, TAG, TAGS
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

_IN_APP = {"app": True, "all": False}
# What is read of a notice that is large.
_FRAME = parts(**dict.fromkeys(("file", "method", "number", "column", "context"), name), source=few)
_THROWN = {"class": name, "message": plain, "backtrace": listed(_FRAME, FRAMES)}
_READ = parts(
    error=parts(
        **_THROWN,
        **dict.fromkeys(("token", "fingerprint"), name),
        tags=few,
        causes=listed(parts(**_THROWN), EXCEPTIONS),
    ),
    server=parts(
        **dict.fromkeys(("time", "environment_name", "revision", "hostname", "project_root"), name)
    ),
    request=parts(url=name, component=name, action=name),
    notifier=parts(name=name),
)


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_json, not_an_object, empty_event."""
    return Parsed(events=(event_said(_translated(load_parts(body, _READ)), request, "error"),))


def reply(parsed: Parsed, handled: tuple[Handled, ...], _request: Request) -> Answer:
    """The status is 201: the clients take any other for a failure."""
    return Answer(HTTPStatus.CREATED, {"id": handled[0].id if handled else parsed.event_id})


def refuse(status: int, detail: str, _request: Request) -> Answer:
    return Answer(status, {"error": detail})


ADAPTER = Adapter(
    name="honeybadger",
    paths=("/v1/notices/", "/v1/notices/js"),
    parse=parse,
    reply=reply,
    refuse=refuse,
)


def _translated(notice: Mapping[str, object]) -> Tree:
    error, server = mapping(notice.get("error")), mapping(notice.get("server"))
    asked = mapping(notice.get("request"))
    told = partial(_frame, server.get("project_root"))
    thrown_first = (error, *chain(error.get("causes")))
    return {
        "event_id": error.get("token"),
        "timestamp": server.get("time"),
        "platform": platform_of(mapping(notice.get("notifier")).get("name")),
        "environment": server.get("environment_name"),
        "release": server.get("revision"),
        "server_name": server.get("hostname"),
        "transaction": action_of(asked),
        "request": {"url": asked.get("url")},
        "tags": list(_tags(error.get("tags"))),
        "fingerprint": error.get("fingerprint"),
        "exception": exceptions([traced(one, told) for one in thrown_first]),
    }


def _tags(tags: object) -> Iterator[list[object]]:
    for tag in tags[:TAGS] if isinstance(tags, list) else ():
        name, _, value = (clean(tag, 2 * TAG) or "").partition(":")
        yield [name.strip(), value.strip() or "true"]


def _frame(root: object, one: Mapping[str, object]) -> Tree:
    return frame(
        one.get("file"),
        root,
        one.get("method"),
        lineno=one.get("number"),
        colno=one.get("column"),
        in_app=_IN_APP.get(clean(one.get("context")) or ""),
        context_line=source_line(one.get("source"), one.get("number")),
    )
