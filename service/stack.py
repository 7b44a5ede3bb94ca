"""The stack of an event as a page shows it: each frame with what the decision made of it."""

from itertools import groupby
from typing import Any

import msgspec

from matchers.chain import parents, walked_exceptions
from matchers.engine import match
from matchers.event import Event
from matchers.explain import Asked, survey
from matchers.ownership import rule_json
from matchers.ruleset import Ruleset
from service.overview import place

NOT_REACHED = "not reached"  # an earlier frame had decided
_QUIET = {NOT_REACHED, "not_in_app", "no_rule"}
_SHOWN = 2  # of a run of frames that say the same; what is more is folded
_FOLDED = 2  # no fewer are worth folding


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    place: str  # "path:line", the path as the rules see it
    function: str | None
    context_line: str | None
    verdict: str  # the trail's, or NOT_REACHED
    rule: dict[str, Any] | None  # of a frame not reached: the one that would have won it
    beaten: list[dict[str, Any]]  # rules that matched as well, and lost
    decided: bool


class Run(msgspec.Struct, frozen=True):
    """Frames one after the other. folded: nothing is to be learnt from them at first sight."""

    frames: tuple[Shown, ...]
    folded: bool = False


class Thrown(msgspec.Struct, frozen=True, kw_only=True):
    type: str | None
    module: str | None
    value: str | None
    relation: str  # to the exception that was thrown at last
    runs: tuple[Run, ...]  # the raise first


def stack(event: Event, decision: dict[str, Any] | None, ruleset: Ruleset) -> list[Thrown]:
    """In the order the rules walk it, so that whose it is can be read from the top.

    Of frames that the decision did not come to, `ruleset` says whose they would have been.
    """
    trail = {tuple(walked["frame"]["at"]): walked for walked in (decision or {}).get("trail", ())}
    decider = tuple(((decision or {}).get("frame") or {}).get("at") or ())
    asked = {one.frame.at: one for one in survey(event, ruleset, match(event, ruleset))}
    found = []
    thrown_after = parents(event.exceptions)
    for index in walked_exceptions(event.exceptions, ruleset.exceptions):
        error = event.exceptions[index]
        frames = [
            _shown(event, asked[index, at], trail.get((index, at)), decider)
            for at in reversed(range(len(error.frames)))
        ]
        found.append(
            Thrown(
                type=error.type,
                module=error.module,
                value=error.value,
                relation=_relation(event, index, thrown_after[index]),
                runs=tuple(_runs(frames)),
            )
        )
    return found


def _shown(
    event: Event, asked: Asked, walked: dict[str, Any] | None, decider: tuple[int, ...]
) -> Shown:
    frame = event.exceptions[asked.frame.at[0]].frames[asked.frame.at[1]]
    path = asked.frame.path
    if walked is not None:  # as it was seen when it was decided
        path = walked["frame"]["path"]
    return Shown(
        place=place(path or frame.filename or frame.abs_path or frame.module, frame.lineno),
        function=frame.function,
        context_line=frame.context_line and frame.context_line.strip(),
        verdict=walked["verdict"] if walked else NOT_REACHED,
        rule=walked["rule"] if walked else rule_json(asked.rule),
        beaten=walked["beaten"] if walked else list(filter(None, map(rule_json, asked.beaten))),
        decided=asked.frame.at == decider,
    )


def _relation(event: Event, index: int, parent: int | None) -> str:
    if parent is None:
        return "thrown"
    after = event.exceptions[parent].type or "the next"
    if event.exceptions[index].source == "__context__":
        return f"being handled when {after} was thrown"
    return f"cause of {after}"


def _runs(frames: list[Shown]) -> list[Run]:
    runs: list[Run] = []
    for verdict, same in groupby(frames, key=lambda frame: frame.verdict):
        run = tuple(same)
        if verdict in _QUIET and len(run) >= _SHOWN + _FOLDED:
            runs += [Run(run[:_SHOWN]), Run(run[_SHOWN:], folded=True)]
        else:
            runs.append(Run(run))
    return runs
