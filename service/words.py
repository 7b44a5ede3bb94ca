"""The words by which a text is found, and those of a question.

A word is a run of letters and digits, its case and accents aside. A text is found by the beginning
of each of its words' parts: TimeoutError by `time`, by `error`, and by itself. What could be syntax
to a database separates words, so none ever reaches one. Cases: tests/data/search.yaml.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from matchers.event import Event

LONGEST = 40  # characters of a word
ASKED = 20  # words of a question
OF_EVENT = 100  # words by which an event is found
OF_GROUP = 300  # and a group: its own, and of its events the newest
_LOOKED_AT = 5000  # characters of a text
_PARTS = 8  # of a word, by which it is found
_SHORT = 100  # characters
_MESSAGE = 300  # characters
_NEAREST = 3  # frames of each exception
_IDEOGRAPH = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"  # written without blanks: each is a word
_WORD = re.compile(rf"{_IDEOGRAPH}|(?:(?!{_IDEOGRAPH})[^\W_])+")
_PART = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+|[^\W_]")
_HEX = re.compile(r"(?=[a-f]*[0-9])[0-9a-f]{8,}", re.IGNORECASE)
_VARIES = re.compile(rf"\d|{_HEX.pattern}$", re.IGNORECASE)


def words(texts: Iterable[str | None], limit: int) -> list[str]:
    """Each once, in the order of the texts; `limit` of them at most."""
    found: dict[str, None] = {}
    for text in texts:
        if text:
            # what many events have in common is taken apart once
            told = _known(text) if len(text) <= _SHORT else _taken_apart(text)
            found.update(dict.fromkeys(told))
            if len(found) >= limit:
                return list(found)[:limit]
    return list(found)


def asked(question: str) -> tuple[str, ...]:
    """The words that must all be found; none: it asks for nothing that a text could have."""
    typed = _WORD.findall(_plain(question))[:ASKED]
    return tuple(dict.fromkeys(word.casefold()[:LONGEST] for word in typed))


def of_event(event: Event) -> list[str]:
    """What many ask for first: there may be more than is kept of it."""
    ids = (event.event_id, event.trace_id)
    rest = (*event.tags.values(), event.server_name, event.url, event.logger)
    return words((*ids, *_facts(event), *_said(event), *_frames(event), *rest), OF_EVENT)


def of_its_group(event: Event) -> list[str]:
    """Nothing that every event has of its own: numbers and ids that it says, where it ran."""
    said = [word for word in words(_said(event), OF_EVENT) if not _VARIES.match(word)]
    return list(dict.fromkeys((*words((*_facts(event), *_frames(event)), OF_EVENT), *said)))


def of_group(title: str, culprit: str, *of_events: Iterable[str]) -> list[str]:
    """of_events: the words of its events, the newest first."""
    found = dict.fromkeys(words((title, culprit), OF_GROUP))
    for some in of_events:
        found.update(dict.fromkeys(some))
    return list(found)[:OF_GROUP]


def _facts(event: Event) -> Iterator[str | None]:
    yield from (error.type for error in event.exceptions[::-1])  # what was thrown first
    yield from (event.release, event.environment, event.transaction)


def _said(event: Event) -> Iterator[str]:
    for said in (*(error.value for error in event.exceptions[::-1]), event.message):
        yield (said or "")[:_MESSAGE]


def _frames(event: Event) -> Iterator[str | None]:
    for error in event.exceptions[::-1]:
        for frame in error.frames[: -_NEAREST - 1 : -1]:
            yield frame.filename or frame.abs_path
            yield frame.function


@lru_cache(8192)
def _known(text: str) -> tuple[str, ...]:
    return _taken_apart(text)


def _taken_apart(text: str) -> tuple[str, ...]:
    return tuple(told for word in _WORD.findall(_plain(text)) for told in _told(word))


def _told(word: str) -> Iterator[str]:
    """From each of its parts on. An id is found by its beginning only."""
    if _HEX.fullmatch(word):
        yield word.casefold()[:LONGEST]
        return
    for part in list(_PART.finditer(word))[:_PARTS]:
        yield word[part.start() :].casefold()[:LONGEST]


def _plain(text: str) -> str:
    """Without accents."""
    text = text[:_LOOKED_AT]
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if not unicodedata.combining(one))
