"""Our own door: `POST /api/v1/events`.

A body is one member, or a list of them that is answered member by member. A member is

    a Sentry event      {"exception": …, "message": …}; the fields of sentry_event
    a traceback         {"traceback": "…text…", "platform"?, "environment"?, "tags"?, …}
                        "frame_order": "newest_first" where the raise comes first
    an event in short   {"frames": […]} or {"exceptions": […]}, as in matchers/sketch.py but lenient

and a text/plain body is a traceback. Refusals: https://www.rfc-editor.org/rfc/rfc9457
"""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from matchers.event import Event
from matchers.sketch import is_absolute
from matchers.text import clean
from service.ingest.base import (
    PROJECT,
    Adapter,
    Answer,
    Handled,
    InvalidEventError,
    Parsed,
    Problem,
    Request,
)
from service.ingest.json_members import first
from service.ingest.limits import BATCH, BATCH_FRAMES, EVENT, TRACEBACK
from service.ingest.sentry_event import event_of, parse_event
from service.ingest.sentry_large import ending, load_large
from service.ingest.sentry_repair import load_json, load_object
from service.ingest.tracebacks import recognise

T = TypeVar("T")
_OF_MECHANISM = ("source", "handled", "exception_id", "parent_id")


class Peek(msgspec.Struct, frozen=True):
    """Which of the three a member is."""

    traceback: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    frames: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    exceptions: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    project: Any = None
    frame_order: Any = None


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError for a single bad member; in a list they become problems."""
    if request.content_type == "text/plain":
        text = body[-TRACEBACK:].decode(errors="replace")
        return Parsed(events=(_from_traceback(text, {}, request),))
    if body.lstrip()[:1] != b"[":
        return Parsed(events=(_member(body, request),))
    members = _split(body)
    if len(members) > BATCH:
        raise InvalidEventError("batch_too_long", f"a batch has at most {BATCH} members")
    events: list[Event] = []
    problems: list[Problem] = []
    room = BATCH_FRAMES
    for index, member in enumerate(members):
        try:
            if room < 0:
                raise InvalidEventError("batch_too_long", f"{BATCH_FRAMES} frames were read")
            events.append(_member(member, request))
            room -= sum(len(error.frames) for error in events[-1].exceptions)
        except InvalidEventError as error:
            problems.append(Problem(index=index, code=error.code, detail=str(error)))
    return Parsed(events=tuple(events), problems=tuple(problems))


def reply(parsed: Parsed, handled: tuple[Handled, ...], _request: Request) -> Answer:
    body = {"events": list(handled), "problems": list(parsed.problems)}
    return Answer(HTTPStatus.ACCEPTED, msgspec.to_builtins(body))


def refuse(status: int, detail: str, _request: Request) -> Answer:
    title = HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Answer(status, problem, {"Content-Type": "application/problem+json"})


ADAPTER = Adapter(
    name="native",
    paths=("/api/v1/events",),
    takes=("application/json", "text/plain"),
    parse=parse,
    reply=reply,
    refuse=refuse,
)


def _split(body: bytes) -> list[bytes]:
    """Return each member's own JSON, so that one bad member harms no other."""
    try:
        return [bytes(member) for member in first(body, BATCH + 1)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        members = msgspec.convert(_tree(body, load_json), list[Any])
    return [json.dumps(member).encode() for member in members]


def _member(member: bytes, request: Request) -> Event:
    peek = _peek(member)
    request = msgspec.structs.replace(request, project=_project(peek.project) or request.project)
    if peek.traceback is not msgspec.UNSET:
        if len(member) > EVENT:
            end = ending(peek.traceback, TRACEBACK)
            return _from_traceback(end, load_large(member), request)
        tree = load_object(member)
        return _from_traceback(tree.get("traceback"), tree, request)
    if peek.frames is not msgspec.UNSET or peek.exceptions is not msgspec.UNSET:
        event = _from_short(_tree(member, load_object), request)
    else:
        event = parse_event(member, request)
    if not _says_anything(event):
        raise InvalidEventError("empty_event", "neither an exception, a message nor a tag")
    return _oldest_first(event, peek.frame_order)


def _oldest_first(event: Event, frame_order: object) -> Event:
    """As every Event has its frames: caller → raise."""
    if frame_order in (None, "oldest_first"):
        return event
    if frame_order != "newest_first":
        said = "frames are oldest_first (the raise last) or newest_first"
        raise InvalidEventError("unknown_frame_order", said, "frame_order")
    turned = (
        msgspec.structs.replace(error, frames=error.frames[::-1]) for error in event.exceptions
    )
    return msgspec.structs.replace(event, exceptions=tuple(turned))


def _peek(member: bytes) -> Peek:
    try:
        return msgspec.json.decode(member, type=Peek)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        tree: Mapping[str, Any] = _tree(member, load_object)
    return Peek(**{name: tree[name] for name in Peek.__struct_fields__ if name in tree})


def _tree(text: bytes, load: Callable[[bytes], T]) -> T:
    """Raises InvalidEventError: too_large where an object of all of it would take too much room."""
    if len(text) > EVENT:
        raise InvalidEventError("too_large", f"JSON of this form may have {EVENT} bytes")
    return load(text)


def _project(value: object) -> str | None:
    return None if isinstance(value, bool) else clean(value, PROJECT)


def _from_traceback(text: object, tree: Mapping[str, object], request: Request) -> Event:
    if not isinstance(text, str):
        raise InvalidEventError("no_traceback", "a traceback is text", "traceback")
    event = event_of(tree, request)
    platform, exceptions = recognise(text, event.platform)
    return msgspec.structs.replace(event, platform=platform, exceptions=exceptions)


def _from_short(tree: Mapping[str, Any], request: Request) -> Event:
    """As the Sentry event that it is short for, so that it is read as leniently."""
    short = tree.get("exceptions")
    stack = _listed(tree.get("frames"))
    values = [_value(error) for error in _listed(short)] if short else [_value({"frames": stack})]
    platforms = (frame.get("platform") for frame in stack if isinstance(frame, Mapping))
    long = {
        "platform": next(filter(None, platforms), None),
        **tree,
        "exception": {"values": values if short or stack else []},
    }
    return event_of(long, request)


def _value(error: Any) -> Any:
    if not isinstance(error, Mapping):
        return error  # mended away
    mechanism = {name: error.get(name) for name in _OF_MECHANISM}
    frames = [_frame(frame) for frame in _listed(error.get("frames"))]
    return {"mechanism": mechanism, **error, "stacktrace": {"frames": frames}}


def _frame(frame: Any) -> Any:
    """A text is a path; `path` is a filename or an abs_path, as it looks."""
    if isinstance(frame, str):
        frame = {"path": frame}
    if isinstance(frame, Mapping) and isinstance(path := frame.get("path"), str):
        return {"abs_path" if is_absolute(path) else "filename": path, **frame}
    return frame


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _says_anything(event: Event) -> bool:
    thrown = any(error.type or error.value or error.frames for error in event.exceptions)
    named = event.message or event.transaction or event.url or event.logger
    return bool(thrown or event.tags or named)
