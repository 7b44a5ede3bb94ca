"""What the readers of printed stack traces share: captions, frames, the tree of what was thrown.

Cases: tests/data/texts.yaml. Every reader goes once over the lines and keeps what it knows of the
exceptions that are still open, so that the time grows with the text and no faster: a line is cut,
no pattern can backtrack over it twice, and a caption is sought in the last few lines only.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from matchers.event import ExceptionValue, Frame
from matchers.sketch import is_absolute
from matchers.text import MESSAGE, NAME, PATH, clean, cut_middle

TEXT = 1024 * 1024  # characters that are read, the last of a longer text: there it was thrown
FRAMES = 1000  # kept of one exception
EXCEPTIONS = 50
LINES = 50_000  # that are read, the last too
LINE = 10_000  # characters that are read of one
SAID = 30  # lines before the first frame in which its caption is sought
CAUSE, CONTEXT = "__cause__", "__context__"
_TYPE = re.compile(r"[^\W\d](?:[\w$.\\+`/]|::)*")
_SURE = ("Error", "Exception", "Throwable", "Failure", "Fault", "Warning")
_CODE = re.compile(r" [\[(]\w+[\])]\Z")  # `Error [ERR_X]: …`, `Win32Exception (0x80004005): …`
_PARTS = 8  # of a caption's line, at `: `
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class Thrown:
    """One exception while it is being read."""

    type: str | None = None
    value: str | None = None
    module: str | None = None
    source: str | None = None  # how it hangs on the one in whose `hanging` it is
    frames: list[Frame] = field(default_factory=list)  # the raise first, as most runtimes print
    hanging: list["Thrown"] = field(default_factory=list)  # its causes and members, as printed


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What knows the stack traces of one runtime."""

    platform: str  # what an event of such a text is of
    words: frozenset[str] = frozenset()  # others that senders have for it
    marks: re.Pattern[str]  # finds the lines that only this runtime prints
    read: Callable[[str], tuple[ExceptionValue, ...]]  # empty where the text has none


def lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield line[:LINE].rstrip()


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def number(digits: str | None) -> int | None:
    return int(digits) if digits and _NUMBER.fullmatch(digits) else None


def frame(
    path: str | None,
    function: str | None,
    lineno: str | None = None,
    *,
    colno: str | None = None,
    module: str | None = None,
    in_app: bool | None = None,
) -> Frame:
    kept = clean(path, PATH)
    absolute = path is not None and (is_absolute(path) or "://" in path)
    return Frame(
        filename=None if absolute else kept,
        abs_path=kept if absolute else None,
        module=clean(module, NAME),
        function=clean(function, NAME),
        lineno=number(lineno) or None,
        colno=number(colno),
        in_app=in_app,
    )


def unsaid() -> deque[str]:
    """The lines that are no frames, until it is known what they were."""
    return deque(maxlen=SAID)


def headline(line: str) -> tuple[str, str, bool] | None:
    """`Type: message`, maybe behind a log's own words; the third: it is surely one."""
    line = line.strip()
    end = 0
    for _ in range(_PARTS):
        end = line.find(": ", end)
        head = _CODE.sub("", (line if end < 0 else line[:end]).rstrip(":"))
        word = head.rpartition(" ")[2].lstrip("[")
        if word.endswith(_SURE) and _TYPE.fullmatch(word):
            return word, "" if end < 0 else line[end + 2 :], True
        if end < 0:
            break
        end += 2
    head, found, value = line.partition(": ")
    head = _CODE.sub("", head)
    if _TYPE.fullmatch(head) and (found or "." in head or "::" in head):
        return head, value, False
    return None


def captioned(said: Sequence[str]) -> Thrown | None:
    """The exception that the lines before a stack announce: the nearest sure caption, else any."""
    found: tuple[int, str, str] | None = None
    for index in range(len(said) - 1, -1, -1):
        if (caption := headline(said[index])) is None:
            continue
        name, value, sure = caption
        if found is None or sure:
            found = index, name, value
        if sure:
            break
    if found is None:
        return None
    index, name, value = found
    return Thrown(type=name, value=message(value, list(said)[index + 1 :]))


def split_type(thrown: Thrown) -> Thrown:
    """Of a type that is written whole, its package apart."""
    module, _, name = (thrown.type or "").rpartition(".")
    thrown.module, thrown.type = module or None, name or None
    return thrown


def message(first: str | None, more: Sequence[str]) -> str:
    return "\n".join([first or "", *more])[: 2 * MESSAGE].strip()


def told(roots: Sequence[Thrown]) -> tuple[ExceptionValue, ...]:
    """As Event.exceptions has them, numbered if they are no plain chain; none without a frame."""
    for earlier, later in pairwise(roots):  # of one log: it did not lead to the later one
        earlier.source = CONTEXT
        later.hanging.append(earlier)
    ordered: list[tuple[Thrown, int | None]] = []
    waiting: list[tuple[Thrown, int | None]] = [(root, None) for root in roots[-1:]]
    while waiting:
        thrown, parent = waiting.pop()
        waiting += [(each, len(ordered)) for each in reversed(thrown.hanging)]
        ordered.append((thrown, parent))
    if not any(thrown.frames for thrown, _ in ordered):
        return ()
    numbered = any(len(thrown.hanging) > 1 for thrown, _ in ordered)
    exceptions = [
        _exception(thrown, *((index, parent) if numbered else (None, None)))
        for index, (thrown, parent) in enumerate(ordered)
        if thrown.frames or thrown.type or thrown.value
    ]
    return tuple(cut_middle(exceptions[::-1], EXCEPTIONS))


def _exception(thrown: Thrown, own: int | None, parent: int | None) -> ExceptionValue:
    return ExceptionValue(
        type=clean(thrown.type, NAME),
        value=clean(thrown.value, MESSAGE),
        module=clean(thrown.module, NAME),
        source=thrown.source,
        exception_id=own,
        parent_id=parent,
        frames=tuple(cut_middle(thrown.frames[::-1], FRAMES)),
    )
