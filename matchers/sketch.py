"""An event in short, as a person writes it: `tests:` of the rules file, conformance files, the API.

    {frames: [app/web.py, {path: app/tax.py, function: rate}], environment: production}
    {exceptions: [{type: KeyError, source: __cause__, frames: [a.py]}, {type: HttpError}]}

    SketchError     what was written is no event; its path leads to the place

`frames` alone is one exception of no type. Frames are oldest call first, exceptions root cause
first. A key that is not known is an error: a misspelt one would make a test that tests nothing.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import get_args

from matchers.errors import did_you_mean
from matchers.event import Event, ExceptionValue, Frame, Level
from matchers.text import MESSAGE, NAME, PATH, TRANSACTION, Scalar, clean, cut_middle

Place = tuple[str | int, ...]  # the keys and indexes that lead to a value

TEXTS = {  # the longest that is kept, in characters
    "platform": NAME,
    "logger": NAME,
    "message": MESSAGE,
    "transaction": TRANSACTION,
    "url": TRANSACTION,
    "release": NAME,
    "environment": NAME,
    "server_name": NAME,
}
KEYS = frozenset({*TEXTS, "frames", "exceptions", "level", "tags", "fingerprint", "project"})
EXCEPTION_KEYS = frozenset(
    {"type", "value", "module", "source", "handled", "exception_id", "parent_id", "frames"}
)
FRAME_TEXTS = {"filename": PATH, "abs_path": PATH, "module": NAME, "function": NAME}
FRAME_KEYS = frozenset(
    {*FRAME_TEXTS, "path", "lineno", "colno", "in_app", "platform", "context_line"}
)
FRAMES, EXCEPTIONS, TAGS, TAG = 1000, 50, 100, 200
ABSOLUTE = re.compile(r"/|\\\\|[A-Za-z]:[\\/]")


class SketchError(Exception):
    def __init__(self, message: str, path: Place = ()) -> None:
        self.message = message
        self.path = path
        super().__init__(f"{'.'.join(map(str, path))}: {message}" if path else message)


def sketch(
    value: Mapping[str, object], *, event_id: str, project: str, received_at: datetime
) -> Event:
    """Return the event that `value` stands for; its own `project` wins. Raises SketchError."""
    _known(value, KEYS, ())
    texts = {name: _text(value, name, cap, ()) for name, cap in TEXTS.items()}
    return Event(
        event_id=event_id,
        timestamp=received_at,
        received_at=received_at,
        project=_text(value, "project", NAME, ()) or project,
        platform=texts["platform"] or _platform_of_a_frame(value),
        level=_level(value.get("level")),
        logger=texts["logger"],
        message=texts["message"],
        transaction=texts["transaction"],
        url=texts["url"],
        release=texts["release"],
        environment=texts["environment"],
        server_name=texts["server_name"],
        tags=_tags(value.get("tags")),
        fingerprint=tuple(_fingerprint(value.get("fingerprint"))),
        exceptions=_exceptions(value),
    )


def is_absolute(path: str) -> bool:
    """Does a path start at a root, a drive or a share? A URL or a scheme does not."""
    return ABSOLUTE.match(path) is not None


def _exceptions(value: Mapping[str, object]) -> tuple[ExceptionValue, ...]:
    if "exceptions" not in value:
        frames = _frames(value.get("frames"), ("frames",))
        return (ExceptionValue(frames=frames),) if frames else ()
    if "frames" in value:
        raise SketchError("either frames or exceptions, not both", ("frames",))
    members = _items(value["exceptions"], ("exceptions",))
    return tuple(cut_middle([_exception(*member) for member in members], EXCEPTIONS))


def _exception(value: object, place: Place) -> ExceptionValue:
    members = _mapping(value, EXCEPTION_KEYS, place)
    return ExceptionValue(
        type=_text(members, "type", NAME, place),
        value=_text(members, "value", MESSAGE, place),
        module=_text(members, "module", NAME, place),
        source=_text(members, "source", NAME, place),
        handled=_flag(members, "handled", place),
        exception_id=_whole(members, "exception_id", 0, place),
        parent_id=_whole(members, "parent_id", 0, place),
        frames=_frames(members.get("frames"), (*place, "frames")),
    )


def _frames(value: object, place: Place) -> tuple[Frame, ...]:
    return tuple(cut_middle([_frame(*member) for member in _items(value, place)], FRAMES))


def _frame(value: object, place: Place) -> Frame:
    if isinstance(value, str):
        value = {"path": value}
    members = _mapping(value, FRAME_KEYS, place)
    texts = {name: _text(members, name, cap, place) for name, cap in FRAME_TEXTS.items()}
    if path := _text(members, "path", PATH, place):
        texts["abs_path" if is_absolute(path) else "filename"] = path
    return Frame(
        filename=texts["filename"],
        abs_path=texts["abs_path"],
        module=texts["module"],
        function=texts["function"],
        lineno=_whole(members, "lineno", 1, place),
        colno=_whole(members, "colno", 0, place),
        in_app=_flag(members, "in_app", place),
        context_line=_text(members, "context_line", NAME, place),
    )


def _platform_of_a_frame(value: Mapping[str, object]) -> str | None:
    """A frame may name the platform; an event has one, so the first that says so does."""
    stacks = [value, *(each for each, _ in _items(value.get("exceptions"), ("exceptions",)))]
    for stack in stacks:
        frames = stack.get("frames") if isinstance(stack, Mapping) else None
        for frame in frames if isinstance(frames, list | tuple) else ():
            if isinstance(frame, Mapping) and (platform := clean(frame.get("platform"))):
                return platform
    return None


def _level(value: object) -> Level:
    for level in get_args(Level):
        if value == level:
            return level  # type: ignore[no-any-return]  # get_args forgets the type
    if value is not None:
        raise SketchError(f"a level is one of {', '.join(get_args(Level))}", ("level",))
    return "error"


def _tags(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SketchError("tags are a mapping of names to values", ("tags",))
    tags: dict[str, str] = {}
    for name, member in value.items():
        if not isinstance(member, Scalar):
            raise SketchError("a tag's value is text", ("tags", str(name)))
        if (key := clean(name, TAG)) and (text := clean(member, TAG)) and len(tags) < TAGS:
            tags[key] = text
    return tags


def _fingerprint(value: object) -> Iterator[str]:
    for member, place in _items(value, ("fingerprint",)):
        if not isinstance(member, Scalar):
            raise SketchError("a fingerprint's part is text", place)
        if text := clean(member):
            yield text


def _items(value: object, place: Place) -> Iterator[tuple[object, Place]]:
    if value is not None and not isinstance(value, list | tuple):
        raise SketchError("expected a list", place)
    yield from ((member, (*place, index)) for index, member in enumerate(value or ()))


def _mapping(value: object, keys: Collection[str], place: Place) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise SketchError(f"expected a mapping with {', '.join(sorted(keys))}", place)
    _known(value, keys, place)
    return value


def _known(value: Mapping[str, object], keys: Collection[str], place: Place) -> None:
    for name in value:
        if name not in keys:
            said = f'unknown key "{name}"{did_you_mean(str(name), keys)}'
            raise SketchError(said, (*place, str(name)))


def _text(value: Mapping[str, object], name: str, cap: int, place: Place) -> str | None:
    member = value.get(name)
    if not isinstance(member, Scalar):
        raise SketchError("expected text", (*place, name))
    return clean(member, cap)


def _flag(value: Mapping[str, object], name: str, place: Place) -> bool | None:
    member = value.get(name)
    if member is not None and not isinstance(member, bool):
        raise SketchError("expected true or false", (*place, name))
    return member


def _whole(value: Mapping[str, object], name: str, least: int, place: Place) -> int | None:
    member = value.get(name)
    if member is None:
        return None
    if isinstance(member, bool) or not isinstance(member, int) or not least <= member < 2**31:
        raise SketchError(f"expected a whole number from {least}", (*place, name))
    return member
