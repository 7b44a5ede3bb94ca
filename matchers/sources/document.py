"""A YAML file as plain values, each with the place where it stands.

Read as the YAML 1.2 core schema. What YAML 1.1 readers (most of them) would take for something
else is a problem, not a guess: `no`, `012`, `1:30`, dates. So are duplicate keys, anchors and
aliases. Spec: https://yaml.org/spec/1.2.2/#103-core-schema
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from matchers.errors import Origin, Problem

DEPTH_LIMIT = 32
SIZE_LIMIT = 20 * 2**20  # bytes

Path = tuple[str | int, ...]

_CORE: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("null", re.compile(r"null|Null|NULL|~|")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)")),
    ("float", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?")),
)
_RESOLVER: Any = yaml.resolver.Resolver()
_WORDS = {"bool": "true or false", "int": "a number", "float": "a number", "timestamp": "a date"}


class Place(msgspec.Struct, frozen=True):
    """Line and column count from 1; start and end are offsets in the text's characters."""

    line: int
    column: int
    start: int
    end: int


class Document(msgspec.Struct, frozen=True):
    file: str
    text: str
    data: Any  # dicts, lists, str, int, float, bool, None
    places: dict[Path, Place]  # of every value
    keys: dict[Path, Place]  # of every mapping's key, by the path of its value
    problems: tuple[Problem, ...]

    def origin(self, path: Path, *, key: bool = False) -> Origin:
        """Where the value (or its key) stands, or the nearest thing around it."""
        for length in range(len(path), -1, -1):
            near = path[:length]
            place = (self.keys.get(near) if key else None) or self.places.get(near)
            if place:
                return Origin(self.file, place.line, place.column)
        return Origin(self.file, 1)


def read_document(raw: bytes, file: str) -> Document:
    """Total: what cannot be read is a problem, and `data` then holds what could."""
    if len(raw) > SIZE_LIMIT:
        return _unreadable(file, Origin(file, 1), f"the file is larger than {SIZE_LIMIT} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        return _unreadable(file, Origin(file, line, column), "this byte is not UTF-8")
    reader = _Reader(file)
    data: Any = None
    try:
        events = yaml.parse(text, Loader=yaml.CSafeLoader)
        data = reader.document(events)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file, 1)
        reader.problems.append(Problem(at, f"not YAML: {error.problem or error.context}"))
    except (yaml.YAMLError, _TooDeepError) as error:
        reader.problems.append(Problem(reader.last, f"not YAML: {str(error).splitlines()[0]}"))
    return Document(file, text, data, reader.places, reader.keys, tuple(reader.problems))


class _TooDeepError(Exception):
    pass


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.last = Origin(file, 1)
        self.places: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.problems: list[Problem] = []

    def document(self, events: Iterator[Any]) -> Any:
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.problem(event, "a second document in one file; remove the `---`")
            elif isinstance(event, NodeEvent):
                value = self.node(event, events, ())
                data = value if documents == 1 else data
        return data

    def problem(self, event: Any, message: str) -> None:
        self.problems.append(Problem(self._origin(event), message))

    def node(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        if len(path) > DEPTH_LIMIT:
            raise _TooDeepError(f"nested deeper than {DEPTH_LIMIT}")
        self.last = self._origin(event)
        self.places.setdefault(path, _place(event))
        if isinstance(event, AliasEvent):
            return self.problem(event, f"the alias *{event.anchor} is not allowed: write it out")
        if isinstance(event, NodeEvent) and event.anchor:
            self.problem(event, f"the anchor &{event.anchor} is not allowed: write values out")
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, path)
        return self._scalar(event, hidden=path[:1] == ("channels",))

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, CollectionEndEvent):
                break
            items.append(self.node(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in events:
            if isinstance(event, CollectionEndEvent):
                break
            key = self._key(event, events, path)
            inner = (*path, key)
            if key in items:
                first = self.keys[inner].line
                self.problem(event, f'the key "{key}" stands here again, first in line {first}')
                inner = (*path, key, "again")  # its own places, so that none are overwritten
            self.keys.setdefault(inner, _place(event))
            value = self.node(next(events), events, inner)
            items.setdefault(key, value)
        return items

    def _key(self, event: Any, events: Iterator[Any], path: Path) -> str:
        """Keys are names: their text counts as it stands, so `on:` and `1:` are just that."""
        if isinstance(event, ScalarEvent):
            if event.anchor:
                self.problem(event, f"the anchor &{event.anchor} is not allowed: write values out")
            if event.value == "<<":
                self.problem(event, "the merge key << is not allowed: write values out")
            return str(event.value)
        self.problem(event, "a key must be plain text")
        self.node(event, events, (*path, "?"))
        return "?"

    def _scalar(self, event: Any, *, hidden: bool) -> Any:
        """hidden: it may be a secret, so that no problem may show it."""
        text = str(event.value)
        if not event.implicit[0]:
            if event.tag and event.tag != "!":
                self.problem(event, f"the tag {event.tag} is not allowed")
            return text
        new, old = _new(text), _old(text)
        if new != old:
            taken = _WORDS.get(old if new == "str" else new, old)
            instead = " or true or false" if old == "bool" else ""
            shown = ("this value", "it in quotes") if hidden else (f"`{text}`", f'"{text}"')
            self.problem(
                event,
                f"{shown[0]} is {taken} to some readers of YAML and text to others: "
                f"write {shown[1]}{instead}",
            )
        return _value(new, text)

    def _origin(self, event: Any) -> Origin:
        mark = event.start_mark
        return Origin(self.file, mark.line + 1, mark.column + 1)


def is_text(value: str) -> bool:
    """Whether every reader of YAML takes it for text when it stands bare."""
    return _new(value) == _old(value) == "str"


def _new(text: str) -> str:
    return next((name for name, regex in _CORE if regex.fullmatch(text)), "str")


def _old(text: str) -> str:
    resolved: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    return resolved.rpartition(":")[2]


def _value(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text) if len(text) < 30 else text
    return float(text) if kind == "float" else text


def _place(event: Any) -> Place:
    start, end = event.start_mark, event.end_mark
    return Place(start.line + 1, start.column + 1, start.index, end.index)


def _unreadable(file: str, at: Origin, message: str) -> Document:
    return Document(file, "", None, {}, {}, (Problem(at, message),))
