"""Which errors are one error: `fingerprint(event)` → "v2:<32 hex digits>".

Parts that the SDK chose are taken as they are; `{{ default }}` among them stands for ours
(`grouping:` of the rules file: matchers/grouping.py). Ours: every exception's type
with the calls of its in-app frames, and the thrown one's message without what varies. A call is a
function and its module, or its file with the two directories above it; no line numbers and no more
directories, since a release moves them.

v1: numbers, ids, dates and quoted parts are out of messages.
v2: and e-mail and IP addresses, units, lists, temporary paths; what compilers number is out of
    names, hashes and releases out of files; an exception that came twice, or in a group in another
    order, counts once. Cases: tests/data/grouping.yaml.

A change of a recipe is a new version; the store still finds a group by the versions before it,
so that an upgrade tells nothing anew.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Literal

import msgspec

from matchers.event import Event, ExceptionValue, Frame
from matchers.paths import flags_are_believed, is_in_app
from matchers.shapes import file_v1, file_v2, message_v1, message_v2, name_v2
from matchers.template import Kind

Grouping = Literal["v2", "v1"]
GROUPINGS: tuple[Grouping, ...] = ("v2", "v1")  # the newest first

_DEFAULT = re.compile(r"\{\{\s*default\s*\}\}")


class Recipe(msgspec.Struct, frozen=True):
    """What of each text counts."""

    message: Callable[[str], str]
    name: Callable[[str], str]  # of a function or a module
    file: Callable[[str], str]
    each_once: bool  # exceptions of one type and stack

    def shown(self, kind: Kind, text: str) -> str:
        """A variable's value, as a part of a fingerprint."""
        if kind == "text":
            return text
        return self.message(text) if kind == "message" else self.name(text)


RECIPES: dict[Grouping, Recipe] = {
    "v2": Recipe(message_v2, name_v2, file_v2, each_once=True),
    "v1": Recipe(message_v1, str, file_v1, each_once=False),
}
Stack = tuple[str, ...]  # of one exception: its type, and its calls


class Told(msgspec.Struct, frozen=True):
    """An event as every recipe is asked about it."""

    event: Event
    frames: tuple[Sequence[Frame], ...]  # of each exception, those that count


def told(event: Event) -> Told:
    believe = flags_are_believed(event)
    return Told(event, tuple(_ours(error.frames, believe=believe) for error in event.exceptions))


def fingerprint(event: Event, grouping: Grouping = GROUPINGS[0]) -> str:
    return hashed(parts(told(event), RECIPES[grouping]), grouping)


def hashed(those: Iterable[str], grouping: Grouping) -> str:
    digest = blake2b(digest_size=16)
    for part in those:
        digest.update(part.encode("utf-8", "replace") + b"\x00")
    return f"{grouping}:{digest.hexdigest()}"


def group_id(project: str, first_fingerprint: str) -> str:
    """16 hex digits, known before any commit."""
    return blake2b(f"{project}\x00{first_fingerprint}".encode(), digest_size=8).hexdigest()


def parts(told: Told, recipe: Recipe) -> Iterator[str]:
    """The SDK's own, or the recipe's."""
    if not told.event.fingerprint:
        yield from _default_parts(told, recipe)
        return
    for part in told.event.fingerprint:
        if _DEFAULT.fullmatch(part.strip()):
            yield from _default_parts(told, recipe)
        else:
            yield part


def _default_parts(told: Told, recipe: Recipe) -> Iterator[str]:
    event = told.event
    if not event.exceptions:
        yield event.logger or ""
        yield recipe.message(event.message or event.transaction or "")
        return
    stacks = [
        _stack(error, frames, recipe)
        for error, frames in zip(event.exceptions, told.frames, strict=True)
    ]
    for stack in _each_once(stacks) if recipe.each_once else stacks:
        yield from stack
    yield recipe.message(event.exceptions[-1].value or event.message or "")


def _each_once(stacks: list[Stack]) -> list[Stack]:
    """The thrown one last; members of a group come in any order, and retries again and again."""
    return [*sorted({*stacks} - {stacks[-1]}), stacks[-1]] if len(stacks) > 1 else stacks


def _ours(frames: Sequence[Frame], *, believe: bool) -> Sequence[Frame]:
    """In-app frames; where there are none, the last five."""
    return [frame for frame in frames if is_in_app(frame, believe=believe)] or frames[-5:]


def _stack(error: ExceptionValue, frames: Iterable[Frame], recipe: Recipe) -> Stack:
    """Calls, caller first; a recursion counts once however deep it went."""
    calls = dict.fromkeys(_call(frame, recipe) for frame in frames)
    return (f"{error.module or ''}.{error.type or ''}", *calls)


def _call(frame: Frame, recipe: Recipe) -> str:
    where = recipe.name(frame.module) if frame.module else ""
    where = where or recipe.file(frame.filename or frame.abs_path or "")
    return f"{where}:{recipe.name(frame.function or '')}"
