"""Stack traces of .NET, .NET Framework and Mono.

The format: https://learn.microsoft.com/dotnet/api/system.exception.tostring and, for the members
of an AggregateException, https://learn.microsoft.com/dotnet/api/system.aggregateexception.tostring
Cases: tests/data/texts.yaml.
"""

import re

from matchers.event import ExceptionValue, Frame
from service.ingest.tracebacks.base import (
    CAUSE,
    Reader,
    Thrown,
    captioned,
    frame,
    headline,
    lines,
    message,
    split_type,
    told,
    unsaid,
)

CALL = re.compile(r"[^\s()]+")
MEMBER = re.compile(r"\(Inner Exception #([0-9]{1,4})\) ")
ASYNC = re.compile(r"(.+)\.<(\w+)>d(?:__[0-9]+)?(?:`[0-9]+)?")  # the state machine of a method
RUNTIME = ("System.", "Microsoft.")
INNER, END, CLOSE = "---> ", "--- End of ", "<---"
JAVA = ("Native Method", "Unknown Source")
NESTED = 50


def read(text: str) -> tuple[ExceptionValue, ...]:
    reader = _Reader()
    for line in lines(text):
        reader.read(line.strip())
    return told(reader.roots)


class _Reader:
    def __init__(self) -> None:
        self.roots: list[Thrown] = []
        self._open: list[tuple[Thrown, bool]] = []  # and whether it is a group's member
        self._said = unsaid()

    def read(self, line: str) -> None:
        closes = line.endswith(CLOSE)
        line = line.removesuffix(CLOSE)
        if line.startswith("at ") and (found := _frame(line[3:])):
            self._now().frames.append(found)
        elif line.startswith(INNER):
            self._inner(line.removeprefix(INNER))
        elif line.startswith(END):
            if "inner exception" in line and len(self._open) > 1:
                self._open.pop()
        elif line:
            self._said.append(line)
        if closes:
            self._close()

    def _now(self) -> Thrown:
        """The exception that a frame belongs to: the innermost, or one that was just announced."""
        now = self._open[-1][0] if self._open else None
        begun = None if now and not now.frames else captioned(self._said)
        if now is None or begun is not None:
            return self._begin(begun or Thrown())
        if not now.frames and not now.hanging:
            now.value = message(now.value, self._said)
        self._said.clear()
        return now

    def _begin(self, thrown: Thrown) -> Thrown:
        self._said.clear()
        first, *inner = (thrown.value or "").split(INNER, NESTED)  # .NET Framework: in one line
        thrown.value = first.strip()
        self.roots.append(split_type(thrown))
        self._open = [(thrown, False)]
        for caption in inner:
            self._hang(caption, CAUSE)
        return self._open[-1][0]

    def _inner(self, caption: str) -> None:
        self._now()
        if member := MEMBER.match(caption):
            holder = self._open[-1][0]
            if int(member[1]) == 0:  # .NET Framework says the first of them twice
                holder.hanging.clear()
            self._hang(caption[member.end() :], f"exceptions[{int(member[1])}]")
        else:
            self._hang(caption, CAUSE)

    def _hang(self, caption: str, source: str) -> None:
        name, value, _ = headline(caption) or (None, caption, False)
        thrown = split_type(Thrown(type=name, value=value, source=source))
        self._open[-1][0].hanging.append(thrown)
        self._open.append((thrown, source != CAUSE))

    def _close(self) -> None:
        while len(self._open) > 1 and not self._open.pop()[1]:
            pass


def _frame(call: str) -> Frame | None:
    name, _, rest = call.partition("(")
    arguments, closed, place = rest.partition(")")
    offset, found, place = place.partition(" in ")
    if found:
        name = name.removesuffix(" ")  # Mono: `Call (String s) [0x0000a] in /x.cs:1`
    elif offset:
        return None
    if not closed or not CALL.fullmatch(name) or not _arguments(arguments):
        return None
    module, function = _method(name.partition("[")[0] if name.endswith("]") else name)
    path, lineno = _place(place)
    ours = False if path is None and f"{module}.".startswith(RUNTIME) else None
    return frame(path, function, lineno, module=module, in_app=ours)


def _arguments(text: str) -> bool:
    """`String s, Int32 n` or nothing: not `Shop.java:3`, `/srv/x.js:1:2` or `<anonymous>`."""
    return not text or (" " in text and ":" not in text and text not in JAVA)


def _method(name: str) -> tuple[str | None, str]:
    module, _, function = name.rpartition(".")
    if module.endswith("."):  # `Invoice..ctor`
        module, function = module[:-1], f".{function}"
    if function == "MoveNext" and (found := ASYNC.fullmatch(module)):
        module, function = found.groups()
    return module or None, function


def _place(place: str) -> tuple[str | None, str | None]:
    path, found, lineno = place.rpartition(":line ")
    if not found:
        path, _, lineno = place.rpartition(":")
    return (path, lineno) if path and not path.startswith("<") else (None, None)


READER = Reader(
    platform="csharp",
    words=frozenset({"csharp", "dotnet", ".net", "fsharp", "vb", "mono", "c#"}),
    marks=re.compile(
        r"^[ \t]{0,200}at [^\s()]{1,500}(?: ?\([^()\n:]{0,2000}\) (?:\[0x[0-9a-f]+\] )?in [^\n]"
        r"|\((?!Native Method|Unknown Source|<)[^()\n:]{0,2000}\)(?:<---)?\r?$)"
        r"|^[ \t]{0,200}--- End of inner exc",
        re.MULTILINE,
    ),
    read=read,
)
