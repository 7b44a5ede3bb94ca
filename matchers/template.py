"""`{{ variable }}` in a text of the rules file's `grouping:`, in Sentry's words.

Spec: https://docs.sentry.io/concepts/data-management/event-grouping/fingerprint-rules/#variables
"""

import re
from collections.abc import Callable
from typing import Literal

import msgspec

from matchers.errors import did_you_mean
from matchers.event import Event, ExceptionValue, Frame
from matchers.patterns import PatternError

DEFAULT = "default"
Kind = Literal["text", "message", "name"]  # how a recipe reads it: matchers/fingerprint.py
_SLOT = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_TAG = "tags."


class Subject(msgspec.Struct, frozen=True):
    """An event, and the in-app call nearest the raise of what was thrown."""

    event: Event
    frame: Frame | None = None
    path: str | None = None  # the frame's, in the repository

    @property
    def thrown(self) -> ExceptionValue:
        return self.event.exceptions[-1] if self.event.exceptions else ExceptionValue()

    @property
    def call(self) -> Frame:
        return self.frame or Frame()


VARIABLES: dict[str, tuple[Kind, Callable[[Subject], str | None]]] = {
    "type": ("text", lambda subject: subject.thrown.type),
    "value": ("message", lambda subject: subject.thrown.value),
    "message": ("message", lambda subject: subject.event.message or subject.thrown.value),
    "function": ("name", lambda subject: subject.call.function),
    "module": ("name", lambda subject: subject.call.module),
    "path": ("text", lambda subject: subject.path),
    "transaction": ("text", lambda subject: subject.event.transaction),
    "logger": ("text", lambda subject: subject.event.logger),
    "level": ("text", lambda subject: subject.event.level),
    "environment": ("text", lambda subject: subject.event.environment),
    "release": ("text", lambda subject: subject.event.release),
}
_SENTRYS = {
    "error.type": "type",
    "error.value": "value",
    "stack.function": "function",
    "stack.module": "module",
    "stack.abs_path": "path",
}
_KNOWN = (DEFAULT, *VARIABLES, *_SENTRYS, _TAG + "NAME")


class Slot(msgspec.Struct, frozen=True):
    variable: str  # of VARIABLES, DEFAULT, or a tag's name behind `tags.`


class Template(msgspec.Struct, frozen=True):
    pieces: tuple[str | Slot, ...]

    @property
    def is_default(self) -> bool:
        return self.pieces == (Slot(DEFAULT),)

    @property
    def tags(self) -> tuple[str, ...]:
        named = (piece.variable for piece in self.pieces if isinstance(piece, Slot))
        return tuple(name.removeprefix(_TAG) for name in named if name.startswith(_TAG))

    def render(self, subject: Subject, shown: Callable[[Kind, str], str], default: str) -> str:
        """shown: how a value of that kind is written. What an event lacks is nothing."""
        return "".join(
            piece if isinstance(piece, str) else _value(piece.variable, subject, shown, default)
            for piece in self.pieces
        )


def parse_template(text: str) -> Template:
    """Raises PatternError."""
    pieces: list[str | Slot] = []
    end = 0
    for found in _SLOT.finditer(text):
        pieces += [text[end : found.start()], Slot(_variable(found[1]))]
        end = found.end()
    pieces.append(text[end:])
    if any("{{" in piece or "}}" in piece for piece in pieces if isinstance(piece, str)):
        raise PatternError("`{{` and `}}` stand around the name of one variable")
    return Template(tuple(piece for piece in pieces if piece != ""))


def _variable(name: str) -> str:
    name = _SENTRYS.get(name, name)
    if name in VARIABLES or name == DEFAULT or (len(name) > len(_TAG) and name.startswith(_TAG)):
        return name
    raise PatternError(f'unknown variable "{name[:80]}"{did_you_mean(name, _KNOWN)}')


def _value(name: str, subject: Subject, shown: Callable[[Kind, str], str], default: str) -> str:
    if name == DEFAULT:
        return default
    if name.startswith(_TAG):
        return subject.event.tags.get(name.removeprefix(_TAG), "")
    kind, of = VARIABLES[name]
    return shown(kind, of(subject) or "")
