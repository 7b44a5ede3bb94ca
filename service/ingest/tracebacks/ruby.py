"""Ruby's errors: as the interpreter prints them, `full_message` in both orders, and Rails' logs.

The format: https://docs.ruby-lang.org/en/master/Exception.html#method-i-full_message ; from 3.4 a
label is quoted 'Klass#meth' where it was `meth': https://bugs.ruby-lang.org/issues/19117
Cases: tests/data/texts.yaml.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from matchers.event import ExceptionValue, Frame
from service.ingest.tracebacks.base import (
    CAUSE,
    Reader,
    Thrown,
    captioned,
    frame,
    lines,
    message,
    number,
    told,
    unsaid,
)

BOTTOM = "Traceback (most recent call last):"
FROM = re.compile(r"(?:[0-9]{1,6}: )?from ")
LEVELS = re.compile(r"\.\.\. [0-9]+ levels\.\.\.")
# `block in Shop::Web.checkout`; the function is called as before 3.4, the class is its module
LABEL = re.compile(r"((?:[\w ()]+ in )?)([A-Z][\w:]*)[#.]([^#.]+)")
RAILS = re.compile(r"([A-Z][\w:]*) \((.*)\):?")  # `ActiveRecord::RecordNotFound (no such):`


class _Line(NamedTuple):
    frame: Frame
    word: str  # before it: "from ", "N: from " or nothing
    said: str | None  # `message (Class)`, in the line of the raise


def read(text: str) -> tuple[ExceptionValue, ...]:
    reader = _Reader()
    for line in lines(text):
        reader.read(line)
    return told(reader.roots)


class _Reader:
    def __init__(self) -> None:
        self.roots: list[Thrown] = []
        self._now: Thrown | None = None
        self._said = unsaid()
        self._above: list[Frame] = []  # caller -> raise, where the raise is printed last
        self._bottom = False

    def read(self, line: str) -> None:
        if (found := _line(line.strip())) is not None:
            self._at(found)
        elif line.strip() == BOTTOM:
            self._bottom, self._now, self._above = True, None, []
        elif not LEVELS.fullmatch(line.strip()):
            self._said.append(line)

    def _at(self, found: _Line) -> None:
        if found.said is not None:
            self._raise(found.frame, found.said)
        elif found.word[:1].isdigit():
            self._above.append(found.frame)
        else:
            self._call(found.frame, bool(found.word))
        self._said.clear()

    def _raise(self, at: Frame, said: str) -> None:
        thrown = _named(said)
        thrown.frames = [at, *reversed(self._above)]
        if self._bottom and self._now is not None and not any(self._said):
            self._hang(self.roots.pop(), thrown)
            self.roots.append(thrown)
        elif self._now is not None and not self._bottom and not self._said:
            self._hang(thrown, self._now)
        else:
            self.roots.append(thrown)
        self._now, self._above = thrown, []

    def _hang(self, cause: Thrown, thrown: Thrown) -> None:
        cause.source = CAUSE
        thrown.hanging.append(cause)

    def _call(self, at: Frame, continues: bool) -> None:
        """`from …`, or a line of a backtrace that stands alone."""
        now = self._now
        if now is not None and continues:
            if self._said and len(now.frames) == 1:
                now.value = message(now.value, self._said)
        elif now is None or self._said:
            now = _announced(self._said) or Thrown()
            self.roots.append(now)
            self._now, self._bottom = now, False
        now.frames.append(at)


def _line(line: str) -> _Line | None:
    prefix = FROM.match(line)
    place, found, rest = line[prefix.end() if prefix else 0 :].partition(":in ")
    path, _, lineno = place.rpartition(":")
    if not found or rest[:1] not in ("`", "'") or not path or number(lineno) is None:
        return None
    label, _, tail = rest[1:].partition("'")
    said = tail[2:] if tail.startswith(": ") and not prefix else None
    if said is None and tail:
        return None
    path = path.rpartition(": ")[2]  # behind what a logger wrote
    return _Line(_frame(path, lineno, label), prefix[0] if prefix else "", said)


def _frame(path: str, lineno: str, label: str) -> Frame:
    module, function = None, label
    if found := LABEL.fullmatch(label):
        module, function = found[2], found[1] + found[3]
    ours = False if path.startswith("<internal:") else None
    return frame(path, function, lineno, module=module, in_app=ours)


def _named(said: str) -> Thrown:
    value, found, name = said.removesuffix(")").rpartition(" (")
    return Thrown(type=name, value=value) if found and said.endswith(")") else Thrown(value=said)


def _announced(said: Iterable[str]) -> Thrown | None:
    whole = [line.strip() for line in said if line.strip()]
    if whole and (found := RAILS.fullmatch(whole[-1])):
        return Thrown(type=found[1], value=found[2])
    return captioned(whole)


READER = Reader(
    platform="ruby",
    words=frozenset({"ruby", "rails", "jruby"}),
    marks=re.compile(r"^[^\n]{1,3000}?:[0-9]{1,9}:in [`']", re.MULTILINE),
    read=read,
)
