"""An event's frames in bundles, as the frames of the sources that the bundles were made of.

A browser counts lines and columns from 1, a map from 0. `filename` becomes the source's path in the
repository, `abs_path` the source as the map spells it: a source root may be written for either.
No map says what a function was called. Where it was called says so, if that place has a name: the
caller's frame. Third-party callers do not count: theirs are `call`, `apply`, `callback`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache

import msgspec

from matchers.event import SOURCE_MAP_BROKEN, Event, ExceptionValue, Frame
from matchers.paths import is_in_app, repository_path
from matchers.text import NAME, PATH, clean
from service.sourcemaps.mappings import SourceMapError
from service.sourcemaps.reader import Source, SourceMap

Maps = Callable[[str], SourceMap | None]  # by a bundle's name; raises SourceMapError

_HOST = re.compile(r"(?:https?|app|capacitor|ionic)://[^/?#]*", re.IGNORECASE)
_SCRIPT = re.compile(r"\.[cm]?js\Z")
_NOT_IN_A_PATH = re.compile(r"[?#].*", re.DOTALL)
_BUNDLER = re.compile(r"webpack[^:/]*://[^/]*/(?:\(webpack\)|webpack/)|(?:^|/)~/")
_IDENTIFIER = re.compile(r"[\w$]+")
_SAYS_NOTHING = {"call", "apply", "bind"}


class _Origin(msgspec.Struct, frozen=True):
    source: Source
    line: int  # from 0, as the column
    column: int
    name: str | None
    third_party: bool


def bundle_name(said: str) -> str:
    """The name that a bundle's map goes by: a URL's path. `~/` stands for any host."""
    path = _NOT_IN_A_PATH.sub("", _HOST.sub("", said, count=1))
    return path.removeprefix("~").lstrip("/").removesuffix(".map")


def bundle_of(frame: Frame) -> str | None:
    """None: it does not look like a frame in a bundle."""
    if not frame.lineno or frame.colno is None:
        return None
    for said in (frame.abs_path, frame.filename):
        if said and (_HOST.match(said) or _SCRIPT.search(_NOT_IN_A_PATH.sub("", said))):
            return bundle_name(said)
    return None


def has_bundles(event: Event) -> bool:
    return any(bundle_of(frame) for error in event.exceptions for frame in error.frames)


def mapped(event: Event, maps: Maps) -> Event:
    """Total: a frame that no map knows stays as it is."""
    broken: list[SourceMapError] = []

    @cache
    def find(name: str) -> SourceMap | None:
        try:
            return maps(name)
        except SourceMapError as error:
            broken.append(error)
            return None

    exceptions = tuple(_exception(error, find) for error in event.exceptions)
    warnings = (*event.warnings, SOURCE_MAP_BROKEN) if broken else event.warnings
    return msgspec.structs.replace(event, exceptions=exceptions, warnings=warnings)


def source_path(name: str) -> str:
    """The repository's path that is meant, without scheme, `./` and `../`."""
    return repository_path(Frame(abs_path=name)).path or name


def _exception(error: ExceptionValue, maps: Maps) -> ExceptionValue:
    origins = [_origin(frame, maps) for frame in error.frames]
    return msgspec.structs.replace(error, frames=tuple(_frames(error.frames, origins)))


def _frames(frames: Sequence[Frame], origins: Sequence[_Origin | None]) -> Iterator[Frame]:
    callers = [None, *origins]
    for frame, origin, caller in zip(frames, origins, callers, strict=False):
        yield frame if origin is None else _written(frame, origin, caller)


def _origin(frame: Frame, maps: Maps) -> _Origin | None:
    name = bundle_of(frame)
    found = maps(name) if name else None
    if found is None or frame.lineno is None or frame.colno is None:
        return None
    original = found.find(frame.lineno - 1, max(frame.colno - 1, 0))
    if original is None:
        return None
    source = found.sources[original.source]
    named = None if original.name is None else found.names[original.name]
    third_party = source.ignored or _is_third_party(source.name or "")
    return _Origin(source, original.line, original.column, named, third_party)


def _is_third_party(name: str) -> bool:
    return not is_in_app(Frame(abs_path=name)) or bool(_BUNDLER.search(name))


def _written(frame: Frame, origin: _Origin, caller: _Origin | None) -> Frame:
    """The frame as it was written, before it was bundled."""
    name = clean(origin.source.name, PATH)
    if name is None:
        return frame
    return Frame(
        filename=source_path(name),
        abs_path=name,
        function=_function(frame.function, caller),
        lineno=origin.line + 1,
        colno=origin.column + 1,
        in_app=False if origin.third_party else frame.in_app,
        context_line=_line(origin.source.content, origin.line),
    )


def _function(said: str | None, caller: _Origin | None) -> str | None:
    """As the caller named it. One that had no name in the bundle had none before."""
    if not said or not _IDENTIFIER.fullmatch(said) or caller is None or caller.third_party:
        return said
    return said if caller.name in _SAYS_NOTHING else clean(caller.name, NAME) or said


def _line(content: str | None, number: int) -> str | None:
    lines = _lines(content) if content else ()
    return clean(lines[number].rstrip("\r"), NAME) if number < len(lines) else None


@lru_cache(maxsize=16)  # a stack stays in a few files, and its frames are many
def _lines(content: str) -> Sequence[str]:
    return content.split("\n")
