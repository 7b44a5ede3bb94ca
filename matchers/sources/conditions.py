"""The conditions of an entry of the rules file, compiled: what it asks of events and frames."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from matchers.event import Event
from matchers.kinds import KINDS
from matchers.kinds.base import Sight
from matchers.patterns import PatternError
from matchers.ruleset import always
from matchers.sources.checker import Checker
from matchers.sources.document import Path

# What becomes of conditions on frames: an index finds the entry by the first of them, or each is
# asked, or there are no frames to look at.
Frames = Literal["indexed", "asked", "refused"]


class Conditions(msgspec.Struct):
    """Predicates, by what they look at. What an index finds the entry by is none."""

    event: list[Callable[[Event], bool]] = []
    frame: list[Callable[[Sight], bool]] = []
    not_frame: list[Callable[[Sight], bool]] = []
    asks_of_calls: bool = False
    tags: list[str] = []


def read_conditions(entry: Any, path: Path, checker: Checker, *, frames: Frames) -> Conditions:
    found = Conditions()
    _add(entry, path, checker, found, frames)
    if entry.not_ is not None:
        _add(entry.not_, (*path, "not"), checker, found, frames)
    return found


def _add(entry: Any, path: Path, checker: Checker, found: Conditions, frames: Frames) -> None:
    is_not = path[-1] == "not"
    indexed = is_not or frames == "asked"  # what must not match is never found by the index
    for key, kind in KINDS.items():
        value = getattr(entry, key)
        if value is None:
            continue
        place = (*path, key)
        if kind.looks_at == "frame" and frames == "refused":
            said = f"{path[0]} look at the event alone: `{key}` belongs under `rules:`"
            checker.problem(place, said, key=True)
            continue
        on_frame = kind.looks_at == "frame"
        found.asks_of_calls |= on_frame and key != "path"
        found.tags += value if key == "tags" else ()
        try:
            kind.check(value)
        except PatternError as error:
            checker.problem(place, str(error))
            continue
        if on_frame and not indexed:
            indexed = True  # the first frame condition; KINDS is in the index's order
            continue
        holds = kind.compile(value)
        if on_frame:
            (found.not_frame if is_not else found.frame).append(holds)
        else:
            found.event.append(negated(holds) if is_not else holds)


def written(value: Mapping[str, Any]) -> str:
    """The conditions as they were written, in their order."""
    return ", ".join(f"{key}: {_flow(value[key])}" for key in value if key in KINDS or key == "not")


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)


def holds_all(predicates: Sequence[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if not predicates:
        return always
    if len(predicates) == 1:
        return predicates[0]
    return lambda subject: all(holds(subject) for holds in predicates)


def negated(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda subject: not holds(subject)
