"""What a rule can look at: a key of the rules file and a compiler to a predicate.

A kind is one file with a KIND, one line in the table of this package, one entry in docs/rules.md.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BeforeValidator, Field

from matchers.event import Event, Frame
from matchers.globs import compile_glob

Text = Annotated[str, Field(strict=True, min_length=1)]
# one text stands for a list of one
LISTED = BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
Texts = Annotated[list[Text], Field(min_length=1), LISTED]


class Sight(msgspec.Struct, frozen=True):
    """One frame as a rule sees it."""

    frame: Frame
    path: str | None


class Kind(msgspec.Struct, frozen=True):
    key: str
    looks_at: Literal["frame", "event"]
    value: Any  # the type of what may be written, for the schema
    compile: Callable[[Any], Callable[[Any], bool]]  # value → predicate; raises PatternError


class PatternError(Exception):
    """A value that cannot be a condition; the text says why, and what was probably meant."""


def event_texts(key: str, texts: Callable[[Event], Iterable[str | None]]) -> Kind:
    """A kind that holds when any of the event's texts fits any of the globs."""

    def compile_texts(globs: list[str]) -> Callable[[Event], bool]:
        fits = [compile_glob(glob) for glob in globs]
        return lambda event: any(
            fit(text) for text in texts(event) if text is not None for fit in fits
        )

    return Kind(key, "event", Texts, compile_texts)
