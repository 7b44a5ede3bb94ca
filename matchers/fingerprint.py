"""Which errors are one error: `fingerprint(event)` → "v1:<32 hex digits>".

v1: the SDK's own fingerprint where it set one (`{{ default }}` stands for ours). Otherwise every
exception's type with the calls of its in-app frames, and the thrown one's message with numbers,
ids, dates and quoted parts out. A call is a function and its module, or its file with the two
directories above it; no line numbers and no more directories, since a release moves them.

A change of this recipe is a new version; the store still finds a group by the versions before it,
so that an upgrade tells nothing anew.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Literal

from matchers.event import Event, ExceptionValue, Frame
from matchers.paths import flags_are_believed, is_in_app

Grouping = Literal["v1"]
GROUPINGS: tuple[Grouping, ...] = ("v1",)  # the newest first

_DEFAULT = re.compile(r"\{\{\s*default\s*\}\}")
_VARIABLE = re.compile(
    r"""
    "[^"\n]{0,200}" | '[^'\n]{0,200}' | `[^`\n]{0,200}`                     # quoted
    | \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b      # uuid
    | \b0x[0-9a-f]+\b | \b(?=[a-f]*[0-9])[0-9a-f]{8,}\b                      # hex
    | [0-9]+(?:[.:,/T-][0-9]+)*                                              # numbers, dates, times
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MESSAGE_LIMIT = 1000  # characters that are looked at


def fingerprint(event: Event, grouping: Grouping = "v1") -> str:
    digest = blake2b(digest_size=16)
    for part in _parts(event):
        digest.update(part.encode("utf-8", "replace") + b"\x00")
    return f"{grouping}:{digest.hexdigest()}"


def group_id(project: str, first_fingerprint: str) -> str:
    """16 hex digits, known before any commit."""
    return blake2b(f"{project}\x00{first_fingerprint}".encode(), digest_size=8).hexdigest()


def normalised(message: str) -> str:
    return " ".join(_VARIABLE.sub("*", message[:_MESSAGE_LIMIT]).split())


def _parts(event: Event) -> Iterator[str]:
    if not event.fingerprint:
        yield from _default_parts(event)
        return
    for part in event.fingerprint:
        if _DEFAULT.fullmatch(part.strip()):
            yield from _default_parts(event)
        else:
            yield part


def _default_parts(event: Event) -> Iterator[str]:
    if not event.exceptions:
        yield event.logger or ""
        yield normalised(event.message or event.transaction or "")
        return
    believe = flags_are_believed(event)
    for error in event.exceptions:
        yield f"{error.module or ''}.{error.type or ''}"
        yield from _calls(error, believe=believe)
    yield normalised(event.exceptions[-1].value or event.message or "")


def _calls(error: ExceptionValue, *, believe: bool) -> Iterator[str]:
    """In-app calls, caller first; a recursion counts once however deep it went."""
    ours = [frame for frame in error.frames if is_in_app(frame, believe=believe)]
    seen: dict[str, None] = dict.fromkeys(map(_call, ours or error.frames[-5:]))
    yield from seen


def _call(frame: Frame) -> str:
    return f"{frame.module or _file(frame)}:{frame.function or ''}"


def _file(frame: Frame) -> str:
    path = (frame.filename or frame.abs_path or "").replace("\\", "/")
    return normalised("/".join(path.split("/")[-3:]))
