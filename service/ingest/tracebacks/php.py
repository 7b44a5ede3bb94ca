"""PHP's uncaught exceptions, `echo $exception`, and Monolog's `[stacktrace]` (Laravel, Symfony).

The format: https://www.php.net/manual/en/throwable.gettraceasstring.php ; `#0 file(line): f()` says
where f was called, so the function of a place is told by the line before it.
https://github.com/Seldaek/monolog/blob/main/src/Monolog/Formatter/LineFormatter.php
Cases: tests/data/texts.yaml.
"""

import re

from matchers.event import ExceptionValue
from service.ingest.tracebacks.base import (
    CAUSE,
    Reader,
    Thrown,
    frame,
    headline,
    lines,
    number,
    told,
    unsaid,
)

CALL = re.compile(r"#[0-9]{1,9} (.+)")
STACKS = ("Stack trace:", "[stacktrace]")
UNCAUGHT, NEXT = "Uncaught ", "Next "
LOGGED = "[object] ("  # Monolog: `[object] (Class(code: 0): message at /file.php:3)`
MAIN, INTERNAL = "{main}", "[internal function]"
Place = tuple[str | None, str | None]  # a file and a line


def read(text: str) -> tuple[ExceptionValue, ...]:
    reader = _Reader()
    for line in lines(text):
        reader.read(line)
    reader.end()
    return told(reader.roots)


class _Reader:
    def __init__(self) -> None:
        self.roots: list[Thrown] = []
        self._now: Thrown | None = None
        self._said = unsaid()
        self._place: Place | None = None  # whose function the next line tells

    def read(self, line: str) -> None:
        if line.strip() in STACKS:
            self.end()
            self._begin(list(self._said))
            self._said.clear()
        elif found := CALL.fullmatch(line.strip()):
            self._called(found[1])
        else:
            self._said.append(line)

    def end(self) -> None:
        """A stack that was cut off: what called the last place is not told."""
        self._leave(None)

    def _begin(self, said: list[str]) -> None:
        thrown, self._place, continues = _announced(said)
        if continues == LOGGED and self._now is not None:
            thrown.source = CAUSE
            self._now.hanging.append(thrown)
        else:
            if continues == NEXT and self.roots:
                self.roots[-1].source = CAUSE
                thrown.hanging.append(self.roots.pop())
            self.roots.append(thrown)
        self._now = thrown

    def _called(self, call: str) -> None:
        if self._now is None:
            self._begin([])
        if call == MAIN:
            self._leave(MAIN)
            return
        head, found, function = call.partition(": ")
        if head == INTERNAL:
            place: Place = (None, None)
        else:
            head, found, function = call.partition("): ")
            # `/x.php(5) : eval()'d code(1): f()`
            path, _, lineno = head.partition(") : ")[0].rpartition("(")
            if not any(sign in path for sign in "/\\.") or number(lineno) is None:
                return
            place = path, lineno
        if found:
            self._leave(_name(function))
            self._place = place
        self._said.clear()

    def _leave(self, function: str | None) -> None:
        if self._place is not None and self._now is not None:
            path, lineno = self._place
            ours = None if path else False
            self._now.frames.append(frame(path, function, lineno, in_app=ours))
        self._place = None


def _announced(said: list[str]) -> tuple[Thrown, Place | None, str]:
    """What the lines before `Stack trace:` say, where it was thrown, and how it continues."""
    for index in range(len(said) - 1, -1, -1):
        line = said[index]
        rest = "\n".join(said[index + 1 :])
        if LOGGED in line:
            before, _, first = line.rpartition(LOGGED)
            continues = LOGGED if before.startswith("[previous exception]") else ""
            return *_logged(f"{first}\n{rest}".strip()), continues
        if line.startswith(NEXT):
            return *_thrown(f"{line[len(NEXT) :]}\n{rest}".strip()), NEXT
        if UNCAUGHT in line:
            return *_thrown(f"{line.partition(UNCAUGHT)[2]}\n{rest}".strip()), ""
        if (found := headline(line)) and (found[2] or _placed(line, " in ")[1]):
            return *_thrown(f"{found[0]}: {found[1]}\n{rest}".strip()), ""
    return Thrown(), None, ""


def _thrown(text: str) -> tuple[Thrown, Place | None]:
    """`Type: message in /file.php:3`"""
    text, place = _placed(text, " in ")
    name, _, value = text.partition(": ")
    return Thrown(type=name, value=value), place


def _logged(text: str) -> tuple[Thrown, Place | None]:
    text, place = _placed(text.removesuffix(")"), " at ")
    name, _, rest = text.partition("(code: ")
    value = rest.partition("): ")[2]
    return Thrown(type=name.replace("\\\\", "\\"), value=value), place


def _placed(text: str, word: str) -> tuple[str, Place | None]:
    before, found, place = text.rpartition(word)
    path, _, lineno = place.partition(") : ")[0].rpartition("(" if ") : " in place else ":")
    return (before, (path, lineno)) if found and number(lineno) is not None else (text, None)


def _name(call: str) -> str:
    """`Klass->method` of a call; from 8.4 a closure's name has its place in it."""
    closure, found, _ = call.partition("}") if "{closure:" in call else (call, "", "")
    name = closure + found if found else call.partition("(")[0]
    return name.replace("\\\\", "\\")


READER = Reader(
    platform="php",
    words=frozenset({"php", "laravel", "symfony"}),
    marks=re.compile(
        r"^[ \t]{0,200}#[0-9]{1,9} (?:\{main\}|\[internal function\]: "
        r"|[^\n]{1,3000}?\([0-9]{1,9}\)(?:: | : ))",
        re.MULTILINE,
    ),
    read=read,
)
