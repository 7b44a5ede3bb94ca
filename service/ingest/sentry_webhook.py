"""Sentry's webhooks: what a Sentry tells of errors that were sent to it, not to us.

    POST /hooks/sentry          an integration's: alert rules, errors, issues; signed
    POST /hooks/sentry-legacy   the older "WebHooks" plugin's: unsigned, its URL needs an ingest key

Spec: https://docs.sentry.io/integrations/integration-platform/webhooks/
Cases: tests/data/sentry_hooks.yaml

The signature covers the body alone. So a repetition is known by what it says: by the event's id,
or, of an issue, which has none, by its body. The Request-ID adds nothing that can be trusted.
"""

import hmac
from collections.abc import Mapping
from hashlib import blake2b, sha256
from http import HTTPStatus

import msgspec

from matchers.event import Event
from matchers.text import MESSAGE, clean
from routers.urls import link
from service.ingest.base import (
    PROJECT,
    Adapter,
    Answer,
    Handled,
    InvalidEventError,
    Parsed,
    Request,
)
from service.ingest.json_members import Text
from service.ingest.json_parts import few, load_parts, name, parts
from service.ingest.native import refuse
from service.ingest.sentry_event import NOT_IN_A_URL, event_of
from service.ingest.sentry_large import read_event

RESOURCES = frozenset(("event_alert", "error", "issue", "metric_alert", "comment", "installation"))
NEWS = frozenset(("created", "unresolved"))  # what an issue's action tells anybody
_SIGNATURES = ("sentry-hook-signature", "sentry-app-signature")
_OLD_NAMES = {
    "sentry.interfaces.Exception": "exception",
    "sentry.interfaces.Stacktrace": "stacktrace",
}
Tree = Mapping[str, object]


def _large(text: Text) -> Tree:
    """An event within a hook that is large, and its project."""
    try:
        return {**read_event(text, _OLD_NAMES), **_PROJECT(text)}
    except msgspec.MsgspecError:  # no object
        return {}


# What is read of a hook that is large.
_PROJECT = parts(project=few)
_ISSUE = parts(
    **dict.fromkeys(
        ("level", "logger", "platform", "lastSeen", "culprit", "title", "web_url"), name
    ),
    metadata=parts(**dict.fromkeys(("type", "value", "filename", "function"), name)),
    project=few,
)
_READ = parts(action=name, data=parts(event=_large, error=_large, issue=_ISSUE))
_READ_LEGACY = parts(
    **dict.fromkeys(("culprit", "message", "level", "logger"), name), project=few, event=_large
)


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the integration with this client secret sent it."""
    right = hmac.new(secret.encode(), body, sha256).hexdigest().encode()
    said = (headers.get(name, "").encode() for name in _SIGNATURES)
    return any(hmac.compare_digest(one, right) for one in said)


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_json, not_an_object, empty_event."""
    hook = load_parts(body, _READ)
    data = _object(hook.get("data"))
    for kind in ("event", "error"):  # of an alert rule; of every error
        if event := _object(data.get(kind)):
            return _parsed(_linked(_event(event, event, request), event))
    if (issue := _object(data.get("issue"))) and hook.get("action") in NEWS:
        return _parsed(_linked(_event(_of_issue(issue, body), issue, request), issue))
    resource = request.headers.get("sentry-hook-resource", "")
    return Parsed(dropped={resource if resource in RESOURCES else "unknown": 1})


def parse_legacy(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: malformed_json, not_an_object, empty_event."""
    hook = load_parts(body, _READ_LEGACY)
    said = {"transaction": hook.get("culprit"), "message": hook.get("message")}
    said |= {name: hook.get(name) for name in ("level", "logger")}
    event = {
        _OLD_NAMES.get(name, name): value for name, value in _object(hook.get("event")).items()
    }
    if event.get("exception"):
        del said["message"]  # it is the title, which the exception says better
    return _parsed(_event(said | event, hook, request))


def reply(parsed: Parsed, handled: tuple[Handled, ...], _request: Request) -> Answer:
    ids = [one.id for one in handled]
    return Answer(HTTPStatus.OK, {"events": ids} if ids else {"ignored": list(parsed.dropped)})


ADAPTER = Adapter(
    name="sentry_webhook",
    paths=("/hooks/sentry",),
    parse=parse,
    reply=reply,
    refuse=refuse,
    genuine=is_genuine,
)
LEGACY = Adapter(
    name="sentry_legacy",
    paths=("/hooks/sentry-legacy",),
    parse=parse_legacy,
    reply=reply,
    refuse=refuse,
)


def _parsed(event: Event) -> Parsed:
    if not (event.exceptions or event.message):
        raise InvalidEventError("empty_event", "neither an exception nor a message")
    return Parsed(events=(event,))


def _event(tree: Tree, about: Tree, request: Request) -> Event:
    """about: what names the project."""
    event = event_of(tree, request)
    project = about.get("project")
    if isinstance(project, dict):
        project = project.get("id") or project.get("slug")
    tags = event.tags
    said = event.message or (None if event.exceptions else clean(tree.get("title"), MESSAGE))
    return msgspec.structs.replace(
        event,
        message=said,
        project=clean(project, PROJECT) or request.project,
        environment=event.environment or tags.get("environment"),
        release=event.release or tags.get("sentry:release") or tags.get("release"),
        transaction=event.transaction or tags.get("transaction"),
    )


def _linked(event: Event, about: Tree) -> Event:
    """With its page, which only a signed hook is believed."""
    said = NOT_IN_A_URL.sub("", clean(about.get("web_url"), MESSAGE) or "")
    return msgspec.structs.replace(event, web_url=link(said) or None)


def _of_issue(issue: Tree, body: bytes) -> Tree:
    """What an issue tells in place of a stack: its metadata, which names the frame that decided."""
    known = _object(issue.get("metadata"))
    frame = {name: known.get(name) for name in ("filename", "function")}
    thrown = {
        "type": known.get("type"),
        "value": known.get("value"),
        "stacktrace": {"frames": [frame] if frame["filename"] else []},
    }
    is_error = bool(thrown["type"] or frame["filename"])
    return {
        **{name: issue.get(name) for name in ("level", "logger", "platform")},
        "event_id": blake2b(body, digest_size=16).hexdigest(),
        "timestamp": issue.get("lastSeen"),
        "transaction": issue.get("culprit"),
        "message": None if is_error else issue.get("title"),
        "exception": {"values": [thrown] if is_error else []},
    }


def _object(value: object) -> Tree:
    return value if isinstance(value, dict) else {}
