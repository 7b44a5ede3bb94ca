"""Every frame of an event: who would have owned it, and why it did not decide.

The trail of a decision ends where it was made; a person who asks "why not us?" wants the rest.
"""

from collections.abc import Iterator

import msgspec

from matchers.climb import Climb, Seen
from matchers.engine import complete
from matchers.event import Event
from matchers.ownership import FrameRef, Ownership, Verdict
from matchers.ruleset import Rule, Ruleset


class Asked(msgspec.Struct, frozen=True):
    """verdict: the trail's; of a frame that was not reached, what it would have been."""

    frame: FrameRef
    verdict: Verdict
    rule: Rule | None  # the one that wins this frame
    beaten: tuple[Rule, ...]
    why: str  # it decided, or why it did not
    decided: bool


def survey(event: Event, ruleset: Ruleset, ownership: Ownership) -> tuple[Asked, ...]:
    """Every frame in the order walked. `ownership` is what match() made of the same two."""
    return tuple(_asked(Climb(complete(event, ruleset), ruleset), ownership))


def _asked(climb: Climb, ownership: Ownership) -> Iterator[Asked]:
    walked = {one.frame.at: one for one in ownership.trail}
    for seen in climb.frames():
        at = seen.ref.at
        decided = ownership.frame is not None and ownership.frame.at == at
        rules = climb.matching(seen)
        verdict = walked[at].verdict if at in walked else _verdict(seen, rules)
        why = _decided(ownership) if decided else _passed_over(verdict, at in walked, ownership)
        yield Asked(seen.ref, verdict, rules[0] if rules else None, tuple(rules[1:]), why, decided)


def _verdict(seen: Seen, rules: list[Rule]) -> Verdict:
    if not seen.in_app:
        return "not_in_app"
    if not rules:
        return "no_rule"
    return "unowned" if rules[0].unowned else "transparent" if rules[0].transparent else "owned"


def _decided(ownership: Ownership) -> str:
    if ownership.step == "transparent":
        return "decides: only shared code is owned"
    if ownership.step == "third_party":
        return "decides: no frame of our own has an owner"
    return "decides"


def _passed_over(verdict: Verdict, was_walked: bool, ownership: Ownership) -> str:
    if verdict == "not_in_app":
        return "not our own code"
    if verdict == "no_rule":
        return "no rule matches"
    if not was_walked:
        return _NOT_REACHED.get(ownership.step, "the walk had ended before it")
    if verdict == "transparent":
        return "shared code: passed on"
    if verdict == "unowned" and ownership.step != "frame":
        return "unowned on purpose: the walk ends"
    return "a later rule matches another frame"  # strategy: sentry


_NOT_REACHED = {
    "explicit": "not asked: the event names its owner",
    "override": "not asked: an override decided",
    "frame": "a frame nearer the raise decided",
}
