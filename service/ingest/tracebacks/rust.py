"""Rust's panics, with and without their backtrace, and what `anyhow` and `eyre` print of an error.

The format: https://doc.rust-lang.org/std/backtrace/index.html , https://docs.rs/anyhow (Debug of
Error). Cases: tests/data/texts.yaml.
"""

import re
from dataclasses import dataclass, field

from matchers.event import ExceptionValue, Frame
from matchers.text import MESSAGE
from service.ingest.tracebacks.base import (
    CAUSE,
    Reader,
    Thrown,
    frame,
    lines,
    message,
    told,
    unsaid,
)

PANICKED = " panicked at "
CALL = re.compile(r"([0-9]{1,6}):\s+(?:0x[0-9a-f]{1,16} - )?(\S.*)")
PLACE = re.compile(r"(.+?):([0-9]{1,9})(?::([0-9]{1,9}))?")
CAUSE_LINE = re.compile(r"(?:[0-9]{1,6}: )?(.+)")
BACKTRACES = ("stack backtrace:", "backtrace:")
CAUSES = "Caused by:"
HASHES = re.compile(r"::h[0-9a-f]{16}\Z|\[[0-9a-f]{8,16}\]")
OF_STD = re.compile(r"<*(?:std|core|alloc|test|backtrace|__rustc)::|_{0,2}rust_|__rust")
OF_LIBC = frozenset({"clone", "clone3", "start_thread", "_start", "__libc_start_main"})


@dataclass(slots=True)
class _Report:
    thrown: Thrown
    place: Frame | None = None  # where it panicked
    causes: list[str] = field(default_factory=list)


def read(text: str) -> tuple[ExceptionValue, ...]:
    reader = _Reader()
    for line in lines(text):
        reader.read(line)
    reader.leave_call()
    return told([_finished(report) for report in reader.reports])


class _Reader:
    def __init__(self) -> None:
        self.reports: list[_Report] = []
        self._mode = ""  # what the lines are: "value", "causes" or "stack" of the last report
        self._said = unsaid()
        self._call: str | None = None  # a function whose place is not read yet

    def read(self, line: str) -> None:
        stripped = line.strip()
        if PANICKED in line and "thread '" in line:
            self._panic(stripped.partition(PANICKED)[2])
        elif stripped.lower() in BACKTRACES:
            self._report("stack")
        elif stripped == CAUSES:
            self._report("causes")
        elif self._mode == "stack" and self._stack(stripped):
            pass
        elif (
            self._mode == "causes" and line[:1].isspace() and (found := CAUSE_LINE.match(stripped))
        ):
            self.reports[-1].causes.append(found[1])
        elif self._mode == "value" and stripped and not stripped.startswith("note: "):
            self._value(stripped)
        else:
            self.leave_call()
            self._mode = self._mode if self._mode == "causes" and not stripped else ""
            if stripped:
                self._said.append(stripped)

    def leave_call(self) -> None:
        if self._call is not None:
            self._locate(None, None, None)

    def _panic(self, rest: str) -> None:
        """`src/x.rs:1:2:` and the message below it; until 1.73 `'message', src/x.rs:1:2`."""
        self.leave_call()
        report = _Report(Thrown(type="panic"))
        self.reports.append(report)
        self._mode, self._said = "value", unsaid()
        if rest.startswith("'"):
            self._value(rest)
        elif found := PLACE.fullmatch(rest.removesuffix(":")):
            report.place = frame(found[1], None, found[2], colno=found[3])

    def _value(self, line: str) -> None:
        report = self.reports[-1]
        if len(report.thrown.value or "") > MESSAGE:
            return
        value = message(report.thrown.value, [line])
        before, quoted, place = value.rpartition("', ")
        if report.place is None and quoted and (found := PLACE.fullmatch(place)):
            report.place = frame(found[1], None, found[2], colno=found[3])
            value, self._mode = before[1:], ""
        report.thrown.value = value

    def _report(self, mode: str) -> None:
        """A list of causes, or a backtrace: of the last report, or of what was just said."""
        self.leave_call()
        if self._said or not self.reports:
            said = self._said[-1] if self._said else None
            name = "Error" if said and said.startswith("Error: ") else None
            value = said.removeprefix("Error: ") if said else None
            self.reports.append(_Report(Thrown(type=name, value=value)))
            self._said.clear()
        self._mode = mode

    def _stack(self, line: str) -> bool:
        if found := CALL.fullmatch(line):
            self.leave_call()
            self._call = found[2]
        elif line.startswith("at ") and (place := PLACE.fullmatch(line[3:])):
            self._locate(place[1], place[2], place[3])
        else:
            return False
        return True

    def _locate(self, path: str | None, lineno: str | None, colno: str | None) -> None:
        name, self._call = HASHES.sub("", self._call or ""), None
        foreign = name in OF_LIBC or (path is None and OF_STD.match(name) is not None)
        foreign = foreign or (path is not None and "/rustlib/" in path)
        at = frame(path, name, lineno, colno=colno, in_app=False if foreign else None)
        self.reports[-1].thrown.frames.append(at)


def _finished(report: _Report) -> Thrown:
    thrown = report.thrown
    if report.place is not None and not any(_same(at, report.place) for at in thrown.frames):
        thrown.frames.insert(0, report.place)
    inner = thrown
    for said in report.causes:
        inner.hanging.append(Thrown(value=said, source=CAUSE))
        inner = inner.hanging[0]
    return thrown


def _same(at: Frame, place: Frame) -> bool:
    """`src/x.rs` in the message may be `./src/x.rs` in the backtrace, or absolute."""
    ours, theirs = at.abs_path or at.filename or "", place.abs_path or place.filename or ""
    return at.lineno == place.lineno and ours.endswith(theirs.removeprefix("./"))


READER = Reader(
    platform="rust",
    words=frozenset({"rust"}),
    marks=re.compile(
        r"^[^\n]{0,300}?thread '[^\n]{0,300}?' (?:\([0-9]{1,20}\) )?panicked at "
        r"|^[ \t]{1,200}at [^\n]{1,3000}?\.rs:[0-9]|^[Ss]tack backtrace:",
        re.MULTILINE,
    ),
    read=read,
)
