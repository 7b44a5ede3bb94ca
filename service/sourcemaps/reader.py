"""A source map, as a file of JSON: plain, or an index of sections.

Spec: https://tc39.es/ecma426/
Cases: tests/data/sourcemaps.yaml and tests/sourcemaps/test_reader.py.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Annotated

import msgspec

from service.ingest.json_members import Text, fields, first, members
from service.ingest.json_parts import is_list, parts_of
from service.sourcemaps.mappings import LARGEST, Mappings, Original, Part, SourceMapError

ENTRIES = 200_000  # sources, and names, of one map
SECTIONS = 5_000
_QUOTE, _ESCAPE = ord('"'), re.compile(rb"\\")
_GUARD = b")]}'"  # what a server puts before JSON so that no page can run it as a script


class Source(msgspec.Struct, frozen=True):
    name: str | None  # as the map spells it, behind its sourceRoot; None: it is not said
    content: str | None
    ignored: bool  # third-party code, as whoever made the bundle says


class SourceMap(msgspec.Struct, frozen=True):
    mappings: Mappings
    sources: Sequence[Source]
    names: Sequence[str]
    size: int  # bytes that it holds in memory, about

    def find(self, line: int, column: int) -> Original | None:
        """Both from 0. None: no source made this."""
        return self.mappings.find(line, column)


class _Map(msgspec.Struct, frozen=True):
    version: int | None = None
    mappings: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    sources: list[str | None] | None = None
    sourceRoot: str | None = None  # noqa: N815 the spec's words
    sourcesContent: list[str | None] | None = None  # noqa: N815
    names: list[str] | None = None
    ignoreList: list[int] | None = None  # noqa: N815
    x_google_ignoreList: list[int] | None = None  # noqa: N815 the same, before it was in the spec


class _Embedded(_Map, frozen=True):
    sections: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Offset(msgspec.Struct, frozen=True):
    line: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
    column: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class _Section(msgspec.Struct, frozen=True):
    offset: _Offset
    map: _Embedded


class _Whole(_Map, frozen=True):
    sections: list[_Section] | msgspec.UnsetType = msgspec.UNSET


_LISTS = ("sources", "sourcesContent", "names", "ignoreList", "x_google_ignoreList")
_START = _Offset(line=0, column=0)


def read_map(raw: bytes) -> SourceMap:
    """Raises SourceMapError."""
    if raw.startswith(_GUARD):
        raw = raw.partition(b"\n")[2]
    mappings, sources, names = Mappings(), list[Source](), list[str]()
    for place, offset, one in _parts(_decoded(raw)):
        before = len(sources), len(names)
        if max(before[0] + len(one.sources or ()), before[1] + len(one.names or ())) > ENTRIES:
            raise SourceMapError(f"{place}sources", f"more than {ENTRIES:,}, or as many names")
        sources += _sources(one, place)
        names += one.names or ()
        mappings.add(
            Part(
                text=_mappings(one, place),
                place=f"{place}mappings",
                line=offset.line,
                column=offset.column,
                sources=range(before[0], len(sources)),
                names=range(before[1], len(names)),
            )
        )
    mappings.sort()
    return SourceMap(mappings, sources, names, size=len(raw) + mappings.size)


def _parts(whole: _Whole) -> Iterator[tuple[str, _Offset, _Map]]:
    """The map itself, or each map of its sections; with its place, and where it begins."""
    _check_version(whole.version, "version")
    if whole.sections is msgspec.UNSET:
        yield "", _START, whole
        return
    before = (0, 0)
    for number, section in enumerate(whole.sections):
        place = f"sections[{number}]."
        begins = section.offset.line, section.offset.column
        if begins < before:
            raise SourceMapError(f"{place}offset", "sections stand in their order")
        if section.map.sections is not msgspec.UNSET:
            raise SourceMapError(f"{place}map.sections", "an index map within an index map")
        _check_version(section.map.version, f"{place}map.version")
        yield f"{place}map.", section.offset, section.map
        before = begins


def _check_version(version: int | None, place: str) -> None:
    if version != 3:
        raise SourceMapError(place, f"{'none' if version is None else version} is not 3")


def _mappings(one: _Map, place: str) -> memoryview:
    """As it lies in the file: what is written with escapes alone is copied."""
    if one.mappings is msgspec.UNSET:
        raise SourceMapError(f"{place}mappings", "is missing")
    raw = memoryview(one.mappings)
    if raw[0] == _QUOTE and not _ESCAPE.search(raw):
        return raw[1:-1]
    with _refusing(f"{place}mappings"):
        said = msgspec.json.decode(raw, type=str | None)
    if said is None:
        raise SourceMapError(f"{place}mappings", "is missing")
    return memoryview(said.encode("utf-8", "surrogatepass"))


def _sources(one: _Map, place: str) -> Iterator[Source]:
    if one.sources is None:
        raise SourceMapError(f"{place}sources", "is missing")
    root = one.sourceRoot or ""
    root += "/" if root and not root.endswith("/") else ""
    contents = one.sourcesContent or []
    ignored = set(one.ignoreList or one.x_google_ignoreList or ())
    for number, name in enumerate(one.sources):
        content = contents[number] if number < len(contents) else None
        yield Source(None if name is None else root + name, content, number in ignored)


def _check_counts(raw: Text) -> None:
    """Before they become objects. Raises SourceMapError, msgspec.MsgspecError."""
    fields(raw)
    told = parts_of(raw, "sections").get("sections", b"")
    sections = first(told, SECTIONS + 1) if is_list(told) else []
    if len(sections) > SECTIONS:
        raise SourceMapError("sections", f"more than {SECTIONS:,}")
    counts: Counter[str] = Counter()
    for one in (raw, *(parts_of(section, "map").get("map", b"") for section in sections)):
        for name, listed in parts_of(one, *_LISTS).items():
            counts[name] += sum(1 for _ in islice(members(listed), ENTRIES + 1))
            if counts[name] > ENTRIES:
                raise SourceMapError(name, f"more than {ENTRIES:,}")


def _decoded(raw: bytes) -> _Whole:
    with _refusing():
        _check_counts(raw)
        return msgspec.json.decode(raw, type=_Whole)


@contextmanager
def _refusing(place: str = "") -> Iterator[None]:
    """What stands there, if it is not what it should be."""
    try:
        yield
    except msgspec.ValidationError as error:
        detail, _, inside = str(error).partition(" - at `$")
        raise SourceMapError(place + inside.rstrip("`").lstrip("."), detail) from None
    except msgspec.DecodeError as error:
        raise SourceMapError(place, f"no JSON: {error}") from None
    except UnicodeDecodeError:
        raise SourceMapError(place, "no JSON: it is not UTF-8") from None
    except RecursionError:
        raise SourceMapError(place, "nested too deeply") from None
