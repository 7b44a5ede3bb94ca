"""Printed stack traces, of whatever runtime wrote them, in the midst of a log's other lines.

One file a language family; the sender's word for its platform is believed where the text bears it
out, else the reader whose lines the text has most of is asked first.
Cases: tests/data/texts.yaml, traceback_forms.yaml and tests/ingest/test_tracebacks.py.
"""

import re

from matchers.event import ExceptionValue
from service.ingest.base import InvalidEventError
from service.ingest.tracebacks import dotnet, golang, javascript, jvm, php, python, ruby, rust
from service.ingest.tracebacks.base import LINES, TEXT, Reader

READERS = (
    python.READER,
    javascript.NODE,
    javascript.BROWSER,
    jvm.READER,
    dotnet.READER,
    golang.READER,
    ruby.READER,
    php.READER,
    rust.READER,
)
COLOURS = re.compile("\x1b\\[[0-9;]{0,20}m")
# what docker compose and kubernetes write before every line
SHIPPED = re.compile(
    r"^(?:[\w.-]{1,64} {1,64}\| "
    r"|\d{4}-\d\d-\d\dT[\d:.,]{8,20}(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) F )?)",
    re.MULTILINE,
)


def parse_traceback(text: str, platform: str | None = None) -> tuple[ExceptionValue, ...]:
    """Return every exception of the text, in the order of `Event.exceptions`.

    platform: the sender's word for its runtime, as in `Event.platform`; None: not said.
    Raises InvalidEventError (no_traceback).
    """
    return recognise(text, platform)[1]


def recognise(text: str, platform: str | None = None) -> tuple[str, tuple[ExceptionValue, ...]]:
    """Return the platform of the text too: the sender's word where it is one for what was read.

    Raises InvalidEventError (no_traceback).
    """
    text = _bare(_end(text[-TEXT:]))
    for reader in _likeliest_first(text, platform):
        if exceptions := reader.read(text):
            named = platform if platform and _is_called(reader, platform) else reader.platform
            return named, exceptions
    known = ", ".join(reader.platform for reader in READERS)
    raise InvalidEventError("no_traceback", f"holds no stack trace as it is printed by {known}")


def _end(text: str) -> str:
    return text if text.count("\n") <= LINES else "\n".join(text.rsplit("\n", LINES)[-LINES:])


def _bare(text: str) -> str:
    text = COLOURS.sub("", text)
    bare, shipped = SHIPPED.subn("", text)
    return bare if shipped * 2 > text.count("\n") else text


def _likeliest_first(text: str, platform: str | None) -> list[Reader]:
    marks = {reader.platform: sum(1 for _ in reader.marks.finditer(text)) for reader in READERS}
    # Python's headers may stand without a frame, which is all that its marks find
    likely = [reader for reader in READERS if marks[reader.platform] or reader is python.READER]

    def unlikely(reader: Reader) -> tuple[bool, int]:
        seen = marks[reader.platform]
        return not (seen and platform and _is_called(reader, platform)), -seen

    return sorted(likely, key=unlikely)


def _is_called(reader: Reader, platform: str) -> bool:
    return platform.lower() in reader.words
