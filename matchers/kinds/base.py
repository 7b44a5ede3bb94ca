"""What a rule can look at: a key of the rules file and a compiler to a predicate.

A kind is one file with a KIND, one line in the table of this package, one entry in docs/rules.md.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BeforeValidator, Field, WithJsonSchema

from matchers.event import Event, Frame
from matchers.globs import compile_glob

Text = Annotated[str, Field(strict=True, min_length=1)]
# one text stands for a list of one
LISTED = BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
_TEXT_SCHEMA = {"type": "string", "minLength": 1}
_LIST_SCHEMA = {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1}
Texts = Annotated[
    list[Text],
    Field(min_length=1),
    LISTED,
    WithJsonSchema({"anyOf": [_TEXT_SCHEMA, _LIST_SCHEMA]}),
]


class Sight(msgspec.Struct, frozen=True):
    """One frame as a rule sees it."""

    frame: Frame
    path: str | None


class Kind(msgspec.Struct, frozen=True):
    key: str
    looks_at: Literal["frame", "event"]
    value: Any  # the type of what may be written, for the schema
    compile: Callable[[Any], Callable[[Any], bool]]  # value → predicate; raises PatternError
    check: Callable[[Any], object] = lambda _value: None  # what compile would raise, and no more


def event_texts(key: str, texts: Callable[[Event], Iterable[str | None]]) -> Kind:
    """A kind that holds when any of the event's texts fits any of the globs."""
    return Kind(key, "event", Texts, lambda globs: _any_fits(globs, texts))


def frame_text(key: str, text: Callable[[Frame], str | None]) -> Kind:
    """A kind that holds when the frame's text fits any of the globs."""
    return Kind(
        key, "frame", Texts, lambda globs: _any_fits(globs, lambda sight: (text(sight.frame),))
    )


def _any_fits(
    globs: list[str], texts: Callable[[Any], Iterable[str | None]]
) -> Callable[[Any], bool]:
    fits = [compile_glob(glob) for glob in globs]
    return lambda subject: any(
        fit(text) for text in texts(subject) if text is not None for fit in fits
    )
