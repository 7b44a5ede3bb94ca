"""Go's panics: the goroutine that panicked, and stacks that were logged (debug.Stack, pkg/errors).

The format: https://pkg.go.dev/runtime#hdr-Environment_Variables (GOTRACEBACK) and
https://pkg.go.dev/runtime/debug#PrintStack . Cases: tests/data/texts.yaml.

A panic that was recovered and thrown anew prints one stack for both: `panic(…)` in it parts what
ran after a panic from what raised it. One thrown anew has the recovered one as its cause; one of
a deferred call, while another was under way, only has it as its context.
"""

import re
from dataclasses import dataclass, field

from matchers.event import ExceptionValue, Frame
from matchers.text import MESSAGE
from service.ingest.tracebacks.base import (
    CAUSE,
    CONTEXT,
    EXCEPTIONS,
    Reader,
    Thrown,
    frame,
    lines,
    told,
)

LOCATION = re.compile(
    r"\s+(?P<path>\S.*?\.(?:go|s|c|cc|cpp)):(?P<line>[0-9]{1,9})(?: \+0x[0-9a-f]+)?(?: fp=.*)?"
)
GOROUTINE = re.compile(r"goroutine [0-9]+ .*\[.*\]:")
ABORTED = re.compile(r"(panic|fatal error): (.*)")
SERVING = "panic serving "  # net/http: `http: panic serving 127.0.0.1:51234: …`
RECOVERED = re.compile(r" \[recovered(?:, repanicked)?\]\Z")
PANIC = "panic"
CREATED = "created by "
VERSIONED = re.compile(r"@v[0-9]")
STANDARD = re.compile(
    "archive|bufio|bytes|cmp|compress|container|context|crypto|database|debug|embed|encoding|errors"
    "|expvar|flag|fmt|go|hash|html|image|index|internal|io|iter|log|maps|math|mime|net|os|path"
    "|plugin|reflect|regexp|runtime|slices|sort|strconv|strings|structs|sync|syscall|testing|text"
    "|time|unicode|unique|unsafe|weak"
)


@dataclass(slots=True)
class _Crash:
    """What was said to have gone wrong, the oldest first, and the one stack of it all."""

    kind: str | None = None
    said: list[tuple[str, bool]] = field(default_factory=list)  # and whether it was recovered
    frames: list[Frame] = field(default_factory=list)


def read(text: str) -> tuple[ExceptionValue, ...]:
    reader = _Reader()
    for line in lines(text):
        reader.read(line)
    return told([_thrown(crash) for crash in reader.crashes if crash.frames])


class _Reader:
    def __init__(self) -> None:
        self.crashes = [_Crash()]
        self._inside = True  # the stack that is wanted; a logged one has no goroutine's line
        self._saying = False  # a panic's message goes on
        self._call = self._before = ""

    def read(self, line: str) -> None:
        if (found := LOCATION.fullmatch(line)) is not None and self._call:
            self._at(found)
        elif not line[:1].isspace() and (aborted := ABORTED.search(line[:200])):
            self._crash(aborted[1], line[aborted.start(2) :])
        elif SERVING in line:
            self._crash(PANIC, line.partition(SERVING)[2].partition(": ")[2])
        elif GOROUTINE.fullmatch(line):
            self._inside, self._saying = not self.crashes[-1].frames, False
            self._call = self._before = ""
        elif self._saying and line:
            self._say(line)
        elif not line or not self._inside:
            self._saying = False
        else:
            self._before, self._call = self._call, line

    def _at(self, found: re.Match[str]) -> None:
        crash = self.crashes[-1]
        if self._inside:
            if not crash.frames and not crash.said and self._before:
                crash.said.append((self._before.strip(), False))
            crash.frames.append(_frame(self._call, found["path"], found["line"]))
        self._call = self._before = ""

    def _crash(self, kind: str, value: str) -> None:
        self.crashes.append(_Crash(kind, [_value(value)]))
        self._inside, self._saying, self._call = False, True, ""

    def _say(self, line: str) -> None:
        """Before the goroutine: a panic over the panic, or more of the message."""
        crash = self.crashes[-1]
        value, recovered = crash.said[-1]
        if line.startswith("[signal "):
            return
        if line.startswith("\tpanic: ") and len(crash.said) < EXCEPTIONS:
            crash.said.append(_value(line.removeprefix("\tpanic: ")))
        elif len(value) < MESSAGE:
            crash.said[-1] = f"{value}\n{line}", recovered


def _value(text: str) -> tuple[str, bool]:
    value = RECOVERED.sub("", text)
    return value.strip(), value != text


def _thrown(crash: _Crash) -> Thrown:
    """The newest, with those that it replaced hanging on it."""
    kind = crash.kind or (PANIC if any(map(_is_panic, crash.frames)) else None)
    chain = [Thrown(type=kind)]
    for value, recovered in crash.said:
        last = chain[-1]
        if last.source is None or (last.source == CAUSE and last.value == value):
            last.value = value  # the first, or the same thrown anew
        else:
            chain.append(Thrown(type=kind, value=value, hanging=[last]))
        chain[-1].source = CAUSE if recovered else CONTEXT
    starts = [0, *(index + 1 for index, at in enumerate(crash.frames) if _is_panic(at))]
    for thrown, start in zip(reversed(chain), starts[-len(chain) :], strict=False):
        thrown.frames = crash.frames[start:]
    chain[-1].source = None
    return chain[-1]


def _is_panic(at: Frame) -> bool:
    return at.function == PANIC and at.module is None


def _frame(call: str, path: str, lineno: str) -> Frame:
    name = call.strip().removeprefix(CREATED).partition(" in goroutine ")[0]
    if name.endswith(")") and not call.startswith(CREATED):
        name = name.rpartition("(")[0]
    package, _, rest = name.rpartition("/")
    head, found, function = rest.partition(".")
    module = f"{package}/{head}" if package else head
    if not found:
        module, function = "", head
    module = module.replace("%2e", ".")
    function = function.replace("[...]", "")
    ours = False if _is_foreign(path, module) else None
    return frame(path, function, lineno, module=module or None, in_app=ours)


def _is_foreign(path: str, module: str) -> bool:
    """Go's own and other modules' files, wherever Go is; -trimpath leaves no directory at all."""
    if STANDARD.fullmatch(module.partition("/")[0]):
        return f"/src/{module}/" in path or path.startswith(f"{module}/")
    return VERSIONED.search(path) is not None or (not module and "runtime/" in path)


READER = Reader(
    platform="go",
    words=frozenset({"go", "golang"}),
    marks=re.compile(
        r"^goroutine [0-9]{1,20} [^\n]{0,200}\[|^[^\n]{0,60}\b(?:panic|fatal error): "
        r"|panic serving "
        r"|^[ \t]{1,200}[^\s][^\n]{0,3000}?\.(?:go|s):[0-9]{1,9}(?: \+0x[0-9a-f]|\r?$)",
        re.MULTILINE,
    ),
    read=read,
)
