"""Stack traces of the JVM: Java, Kotlin, Scala, and what Logback makes of them.

The format: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Throwable.html
and StackTraceElement.html#toString() for `loader/module@version/class.method(file:line)`.
Cases: tests/data/texts.yaml.

`... n more` are the frames of the exception that it is printed with: they are not made up again.
What was suppressed did not lead to the exception, so it hangs on it as `__context__`.
"""

import re

from matchers.event import ExceptionValue, Frame
from service.ingest.tracebacks.base import (
    CAUSE,
    CONTEXT,
    Reader,
    Thrown,
    captioned,
    frame,
    headline,
    indent,
    lines,
    message,
    split_type,
    told,
    unsaid,
)

FRAME = re.compile(
    r"at (?:[^\s()/]*/)?(?:(?P<of>[^\s()/]*)/)?(?P<module>[^\s()/]+)\.(?P<function>[^().]+)"
    r"\((?:Native Method|Unknown Source(?::[0-9]+)?|<\w+>"
    r"|(?P<file>[^()\s:]*)(?::(?P<line>[0-9]{1,9}))?)\)(?: ~?\[[^\[\]]*\])?"
)
SOURCE = re.compile(r"[^()\s:]+\.\w+")
HIDDEN = re.compile(r"/0x[0-9a-f]{1,16}(?=[.])")  # `Shop$$Lambda$14/0x00000008.run`
JDK = ("java.", "jdk.")
THREAD = 'Exception in thread "'
SUPPRESSED, CAUSED, WRAPPED = "Suppressed: ", "Caused by: ", "Wrapped by: "


def read(text: str) -> tuple[ExceptionValue, ...]:
    reader = _Reader()
    for line in lines(text):
        reader.read(line)
    return told(reader.roots)


class _Reader:
    def __init__(self) -> None:
        self.roots: list[Thrown] = []
        self._open: list[tuple[int, Thrown]] = []  # with the column of its caption
        self._said = unsaid()

    def read(self, line: str) -> None:
        stripped = line.strip()
        if stripped.startswith("at ") and (found := _frame(stripped)):
            self._at(found)
        elif stripped.startswith(CAUSED):
            self._hang(indent(line) + 1, stripped.removeprefix(CAUSED), CAUSE)
        elif stripped.startswith(SUPPRESSED):
            self._hang(indent(line), stripped.removeprefix(SUPPRESSED), CONTEXT)
        elif stripped.startswith(WRAPPED) and self.roots:
            self._wrap(_named(stripped.removeprefix(WRAPPED)))
        elif not stripped.startswith("... "):
            self._said.append(_without_thread(stripped))

    def _at(self, found: Frame) -> None:
        now = self._open[-1][1] if self._open else None
        if now is not None and not now.frames:
            now.value = message(now.value, self._said)
        elif (begun := captioned(self._said)) or now is None:
            now = split_type(begun or Thrown())
            self.roots.append(now)
            self._open = [(-1, now)]
        now.frames.append(found)
        self._said.clear()

    def _hang(self, column: int, caption: str, source: str) -> None:
        """column: what hangs there, or further in, is done."""
        thrown = _named(caption)
        if self._open:
            while len(self._open) > 1 and self._open[-1][0] >= column:
                self._open.pop()
            thrown.source = source
            self._open[-1][1].hanging.append(thrown)
        else:
            self.roots.append(thrown)
        self._open.append((column - (source == CAUSE), thrown))
        self._said.clear()

    def _wrap(self, thrown: Thrown) -> None:
        """Logback's other order: the root cause stands first."""
        cause = self.roots.pop()
        cause.source = CAUSE
        thrown.hanging.append(cause)
        self.roots.append(thrown)
        self._open = [(-1, thrown)]
        self._said.clear()


def _frame(line: str) -> Frame | None:
    if "$$Lambda" in line:
        line = HIDDEN.sub("", line)
    found = FRAME.fullmatch(line)
    if found is None:
        return None
    file, lineno = found["file"], found["line"]
    if file and lineno is None and not SOURCE.fullmatch(file):
        return None
    if file == "" and lineno is None:
        return None  # `at f()` is .NET's
    ours = False if (found["of"] or "").startswith(JDK) else None
    return frame(file, found["function"], lineno, module=found["module"], in_app=ours)


def _without_thread(line: str) -> str:
    return line.partition(THREAD)[2].partition('" ')[2] if THREAD in line else line


def _named(caption: str) -> Thrown:
    name, _, value = caption.partition(": ")
    name, value, _ = headline(caption) or (name, value, False)
    return split_type(Thrown(type=name, value=value))


READER = Reader(
    platform="java",
    words=frozenset({"java", "kotlin", "scala", "groovy", "clojure", "android", "jvm"}),
    marks=re.compile(
        r"^[ \t]{0,200}at (?:[^\s()/]{0,200}/){0,2}[^\s()/]{1,500}\.[^().\n]{1,300}"
        r"\((?:Native Method|Unknown Source|[^()\s:]{0,300}"
        r"(?::[0-9]|\.(?:java|kt|kts|scala|groovy|clj)\)))",
        re.MULTILINE,
    ),
    read=read,
)
