"""Stacks of JavaScript: V8 (Node, Chrome, Edge), SpiderMonkey (Firefox), JavaScriptCore (Safari).

V8: https://v8.dev/docs/stack-trace-api ; Node prints `[cause]` and `[errors]` as util.inspect does.
Firefox: https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/Error/stack
Cases: tests/data/texts.yaml.
"""

import re
from dataclasses import dataclass

from matchers.event import ExceptionValue, Frame
from service.ingest.tracebacks.base import (
    CAUSE,
    Reader,
    Thrown,
    captioned,
    frame,
    headline,
    indent,
    lines,
    message,
    told,
    unsaid,
)

PLACE = re.compile(r"(.+?):([0-9]{1,9})(?::([0-9]{1,9}))?")
NOWHERE = re.compile(r"<anonymous>(?::[0-9:]*)?|native|index [0-9]+|unknown location")
# what a place starts with that stands alone; `./x.rs` is Rust's
ALONE = re.compile(r"[A-Za-z][\w.+-]*:|/|\\\\|<")
NOT_OURS = re.compile(r"\.(?:rs|go|java|kt|cs|php|rb)(?::[0-9]+){1,2}\)?\Z")
CALLER = re.compile(r"(?:[^\s@]+ )?[^\s@]*")  # before the @: `global code`, `get x`, `async*f`
URL = re.compile(r"(?:[A-Za-z][\w.+-]*://|/|[A-Za-z]:[\\/])")
ELIDED = re.compile(r"\.\.\. [0-9]+ lines matching cause stack trace \.\.\.")
CAUSED = re.compile(r"\[cause\]: |caused by: ", re.IGNORECASE)
V8_INDENT = 4
_SCHEMES = r"(?:https?|webpack(?:-internal)?|blob:https?|capacitor|ionic|app|[a-z-]+-extension)://"
_ENDS = r"[^\n]{1,3000}?:[0-9]+"


@dataclass(slots=True)
class _Open:
    column: int  # of its caption
    thrown: Thrown
    members: int | None = None  # read so far of its `[errors]`


def read(text: str) -> tuple[ExceptionValue, ...]:
    reader = _Reader()
    for line in lines(text):
        reader.read(line)
    return told(reader.roots)


class _Reader:
    def __init__(self) -> None:
        self.roots: list[Thrown] = []
        self._open: list[_Open] = []  # the outermost first
        self._said = unsaid()
        self._column = 0  # of the frames

    def read(self, line: str) -> None:
        stripped = line.strip()
        if (found := _frame(stripped)) is not None:
            self._at(indent(line), found)
        elif caused := CAUSED.match(stripped):
            self._cause(indent(line), stripped[caused.end() :], stripped[0] == "[")
        elif stripped == "[errors]: [":
            self._leave(indent(line))
            if self._open:
                self._open[-1].members = 0
            self._said.clear()
        elif not ELIDED.fullmatch(stripped):
            self._said.append(stripped)

    def _at(self, column: int, found: Frame) -> None:
        last = self._open[-1] if self._open else None
        now = last.thrown if last else None
        if last and now and not now.frames and column in (last.column, last.column + V8_INDENT):
            now.value = message(now.value, self._said)
            self._column = column
        elif (begun := captioned(self._said)) or now is None or column != self._column:
            now = self._begin(column, begun or Thrown())
        now.frames.append(found)
        self._said.clear()

    def _begin(self, column: int, thrown: Thrown) -> Thrown:
        caption = max(column - V8_INDENT, 0)
        self._leave(caption)
        group = self._open[-1] if self._open else None
        if group is not None and group.members is not None:
            thrown.source = f"exceptions[{group.members}]"
            group.members += 1
            group.thrown.hanging.append(thrown)
        else:
            self._open.clear()
            self.roots.append(thrown)
        self._open.append(_Open(caption, thrown))
        self._column = column
        return thrown

    def _cause(self, column: int, rest: str, inspected: bool) -> None:
        self._said.clear()
        if (caption := headline(rest)) is None:
            return  # anything may be a cause: a text, an object
        thrown = Thrown(type=caption[0], value=caption[1], source=CAUSE)
        if inspected:
            self._leave(column)
        if self._open:
            self._open[-1].thrown.hanging.append(thrown)
        else:  # what it caused was cut off
            self.roots.append(thrown)
        self._open.append(_Open(column, thrown))

    def _leave(self, column: int) -> None:
        while self._open and self._open[-1].column >= column:
            self._open.pop()


def _frame(line: str) -> Frame | None:
    if line.startswith("at "):
        return _of_v8(line[3:].removesuffix(",").removesuffix(" {"))
    return _of_others(line) if "@" in line or "://" in line else None


def _of_v8(call: str) -> Frame | None:
    call = call.removeprefix("async ")
    if not call.endswith(")"):
        alone = ALONE.match(call) or NOWHERE.fullmatch(call)
        return _placed(call, None) if alone else None
    function, found, place = call[:-1].partition(" (")
    if not found:
        return None
    return _placed(place, function.partition(" [as ")[0])


def _placed(place: str, function: str | None) -> Frame | None:
    if place.startswith("eval at "):  # where the code stands that was evaluated
        place = place.rpartition("(")[2].partition(")")[0]
    place = place.removeprefix("address at ")
    if NOWHERE.fullmatch(place):
        return frame(None, function, in_app=False)
    found = PLACE.fullmatch(place)
    if not found or NOT_OURS.search(place) or not any(sign in found[1] for sign in "/\\.:"):
        return None
    return frame(found[1], function, found[2], colno=found[3])


def _of_others(line: str) -> Frame | None:
    """`function@place`, or a place alone."""
    function, found, place = line.partition("@")
    if not found or not CALLER.fullmatch(function):
        function, place = "", line
    function = function.removeprefix("async*") or ""
    if place == "[native code]":
        return frame(None, function, in_app=False)
    if not URL.match(place) or (not found and "://" not in place):
        return None
    path, evaluated, rest = place.partition(" line ")
    if evaluated and " > " in rest:
        return frame(path, function, rest.partition(" ")[0])
    return _placed(place, function) if " " not in place else None


NODE = Reader(
    platform="node",
    words=frozenset({"node", "nodejs", "deno", "bun"}),
    marks=re.compile(
        r"^[ \t]{0,200}at (?:async )?(?:[^\n(]{1,300} \()?(?:eval at [^\n(]{0,300} \()?"
        rf"(?:file:///|/|[A-Za-z]:[\\/]|node:)(?![^\n]{{0,3000}}\.rs:[0-9]){_ENDS}",
        re.MULTILINE,
    ),
    read=read,
)
BROWSER = Reader(
    platform="javascript",
    words=frozenset({"javascript", "js", "webjs", "browser", "typescript"}),
    marks=re.compile(
        r"^[ \t]{0,200}(?:at (?:async )?(?:[^\n(]{1,300} \()?"
        r"(?:(?:eval|address) at (?:[^\n(]{0,300} \()?)?"
        rf"|(?:[^\s@]{{1,300}} )?[^\s@]{{0,300}}@)?{_SCHEMES}{_ENDS}",
        re.MULTILINE,
    ),
    read=read,
)
