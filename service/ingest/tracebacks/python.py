"""CPython's printed tracebacks, in the midst of whatever a log wrote around them.

The format: https://docs.python.org/3.11/library/traceback.html (3.13 adds `~~~^^^` lines).
Cases: tests/data/tracebacks.yaml and tests/ingest/test_tracebacks.py.

A chain reads as the SDKs send it: root cause first, thrown last; of an exception group its
members, the last of them first, and then the group. One pass, linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import msgspec

from matchers.event import ExceptionValue, Frame
from matchers.sketch import is_absolute
from matchers.text import MESSAGE, NAME, PATH, clean, cut_middle
from service.ingest.tracebacks.base import CAUSE, CONTEXT, EXCEPTIONS, FRAMES, Reader

HEADER = "Traceback (most recent call last):"
GROUP_HEADER = "+ Exception Group " + HEADER
LINKS = {
    "The above exception was the direct cause of the following exception:": CAUSE,
    "During handling of the above exception, another exception occurred:": CONTEXT,
}
DEPTH = 10  # of groups in groups: where CPython stops printing them
# `  File "x.py", line 3, in f`; the line of a SyntaxError has no function
FRAME = re.compile(r'  File "(.*)", line ([0-9]{1,9})(?:, in (.*))?')
UNDERLINE = re.compile(r"[\s~^]+")
ELIDED = re.compile(r"  \[Previous line repeated [0-9]+ more times?\]")
RAISED = re.compile(r"((?:[\w<>]+\.)*)([^\W\d]\w*)(?::(.*))?", re.DOTALL)
# `  +-+------ 1 ------` opens a group's members, `    +------ 2 ------` is the next of them,
# `    +-------------` closes the group (and the groups of which it was the last member)
MEMBER = re.compile(r"( *)(\+-)?\+-{4,}(?: (?P<label>[0-9]+|\.\.\.) -{4,})?")
BAR = re.compile(r"( *)[|+] ?")


@dataclass(slots=True)
class _Raised:
    """One exception while it is being read."""

    frames: list[Frame] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # `Type: message`, and the message's others
    source: str | None = None
    number: int | None = None  # where the text holds a group
    parent: int | None = None
    members: list["_Chain"] = field(default_factory=list)  # of an exception group


@dataclass(slots=True)
class _Chain:
    column: int  # of the bar before its lines
    raised: list[_Raised] = field(default_factory=list)


def read(text: str) -> tuple[ExceptionValue, ...]:
    reader = _Reader()
    for line in text.split("\n"):
        reader.read(line.rstrip("\r"))
    if any(raised.members for raised in reader.chains[0].raised):
        _number(reader.chains[0], None, count())
    return tuple(cut_middle(list(_flat(reader.chains[0])), EXCEPTIONS))


class _Reader:
    def __init__(self) -> None:
        self.chains = [_Chain(column=-1)]  # the open ones, the outermost first
        self._now: _Raised | None = None  # the exception whose lines these are
        self._margin = ""  # what stands before every line of an indented traceback
        self._in_group = False

    def read(self, line: str) -> None:
        if line.endswith(GROUP_HEADER):
            self._in_group, self._margin = True, ""
            self._begin()
        elif self._in_group and (separator := MEMBER.fullmatch(line)):
            self._turn(separator)
        else:
            self._read(self._behind_the_bar(line).removeprefix(self._margin))

    def _behind_the_bar(self, line: str) -> str:
        if not self._in_group:
            return line
        bar = BAR.match(line)
        self._in_group = bar is not None
        self._leave(len(bar[1]) if bar else -1)
        return line[bar.end() :] if bar else line

    def _read(self, line: str) -> None:
        if line.rstrip().endswith(HEADER):
            before = line.partition(HEADER)[0]
            self._margin = "" if before.startswith("Exception Group") else before
            self._begin()
        elif source := LINKS.get(line.strip()):
            self._link(source)
        elif self._now is None and FRAME.fullmatch(line):  # a SyntaxError may have no header
            self._read_frame(self._begin(), line)
        elif self._now and not self._now.lines:
            self._read_frame(self._now, line)
        elif self._now:
            self._now.lines.append(line)

    def _begin(self) -> _Raised:
        if self._now is None or self._now.frames or self._now.lines:
            before = self.chains[-1].raised
            if before and before[-1].source is None:  # of one log: it did not lead to this one
                before[-1].source = CONTEXT
            self._now = _Raised()
            before.append(self._now)
        return self._now

    def _link(self, source: str) -> None:
        if self.chains[-1].raised:
            self.chains[-1].raised[-1].source = source
        self._now = None

    def _turn(self, separator: re.Match[str]) -> None:
        """Go on to a group's first or next member, or leave the group."""
        indent, opens, label = separator.groups()
        column = len(indent) + len(opens or "")
        self._leave(column - 1)
        self._now = None
        if label and label != "...":  # `...`: how many more there were
            self._join(column)
            self._begin()

    def _join(self, column: int) -> None:
        if len(self.chains) > DEPTH:
            self.chains.pop()
        if not self.chains[-1].raised:
            self._begin()
        group = self.chains[-1].raised[-1]
        self.chains.append(_Chain(column))
        group.members.append(self.chains[-1])
        self._now = None

    def _leave(self, column: int) -> None:
        while len(self.chains) > 1 and self.chains[-1].column > column:
            self.chains.pop()
            self._now = None

    def _read_frame(self, raised: _Raised, line: str) -> None:
        frames = raised.frames
        if match := FRAME.fullmatch(line):
            frames.append(_frame(*match.groups()))
        elif line and not line[0].isspace():
            raised.lines.append(line)
        elif frames and not frames[-1].context_line and not ELIDED.fullmatch(line):
            frames[-1] = _with_source(frames[-1], line)


def _frame(path: str, lineno: str, function: str | None) -> Frame:
    kept = clean(path, PATH)
    absolute = is_absolute(path)
    return Frame(
        filename=None if absolute else kept,
        abs_path=kept if absolute else None,
        function=clean(function, NAME),
        lineno=int(lineno) or None,
    )


def _with_source(frame: Frame, line: str) -> Frame:
    if UNDERLINE.fullmatch(line):
        return frame
    return msgspec.structs.replace(frame, context_line=clean(line.strip(), NAME))


def _flat(chain: _Chain) -> Iterator[ExceptionValue]:
    for raised in chain.raised:
        for index, members in reversed(list(enumerate(raised.members))):
            if members.raised:
                members.raised[-1].source = f"exceptions[{index}]"
            yield from _flat(members)
        if raised.frames or raised.lines:
            yield _exception(raised)


def _number(chain: _Chain, parent: int | None, numbers: Iterator[int]) -> None:
    """As sentry-sdk numbers a group: the group before its members, these in their own order."""
    for raised in reversed(chain.raised):
        raised.number, raised.parent = next(numbers), parent
        for members in raised.members:
            _number(members, raised.number, numbers)
        parent = raised.number


def _exception(raised: _Raised) -> ExceptionValue:
    # a traceback that came from another process stands in quotes
    told = "\n".join(raised.lines).rstrip().removesuffix('\n"""')
    match = RAISED.fullmatch(told)
    module, name, value = match.groups() if match else (None, None, told)
    return ExceptionValue(
        type=clean(name, NAME),
        value=clean((value or "").strip(), MESSAGE),
        module=clean((module or "").rstrip("."), NAME),
        source=raised.source,
        exception_id=raised.number,
        parent_id=raised.parent,
        frames=tuple(cut_middle(raised.frames, FRAMES)),
    )


READER = Reader(
    platform="python",
    words=frozenset({"python", "cpython", "pypy", "django", "flask"}),
    marks=re.compile(
        r"^[^\n]{0,200}?  File \"[^\n]{1,3000}?\", line [0-9]|^[^\n]{0,200}?\+ Exception Group ",
        re.MULTILINE,
    ),
    read=read,
)
