"""A decision: who owns an event, at which step of the ladder, and the whole way there."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from matchers.ruleset import Rule

Step = Literal[
    "explicit",
    "override",
    "frame",
    "transparent",
    "third_party",
    "fallback",
    "default",
    "unowned",
]
Verdict = Literal["owned", "transparent", "unowned", "no_rule", "not_in_app"]


class FrameRef(msgspec.Struct, frozen=True):
    """A frame of the event, as a decision names it."""

    path: str | None
    function: str | None
    lineno: int | None
    exception: str | None  # the type of the exception whose stack it is on
    at: tuple[int, int] = (0, 0)  # its exception's and its own index in the event
    by: str | None = None  # "repository": the repository's file list gave the path


class Walked(msgspec.Struct, frozen=True):
    """One frame that was looked at, and what came of it."""

    frame: FrameRef
    verdict: Verdict
    rule: Rule | None = None
    beaten: tuple[Rule, ...] = ()  # rules that matched the same frame and lost, nearest loser first


class Passed(msgspec.Struct, frozen=True):
    """A step of the ladder that did not decide, and why."""

    step: Step
    reason: str


class Warned(msgspec.Struct, frozen=True):
    code: str
    message: str


class Ownership(msgspec.Struct, frozen=True, kw_only=True):
    owners: tuple[str, ...] = ()  # slugs, primary first; empty: nobody
    step: Step
    rule: Rule | None = None  # None where no rule decided: explicit, default, unowned
    frame: FrameRef | None = None
    trail: tuple[Walked, ...] = ()  # frames only, each once, in the order walked
    steps: tuple[Passed, ...] = ()
    warnings: tuple[Warned, ...] = ()
    revision: str = ""
    assigned: str | None = None  # the team a person gave the group to, whatever was decided

    @property
    def owner(self) -> str | None:
        return self.owners[0] if self.owners else None

    @property
    def team(self) -> str | None:
        """Whose it is: the primary owner's, unless a person gave it to another."""
        return self.assigned or self.owner

    @property
    def told(self) -> tuple[str, ...]:
        """The teams that are to be told: the primary owner, all where the rule says `notify: all`,
        or whoever it is assigned to.
        """
        if self.assigned:
            return (self.assigned,)
        return self.owners if self.rule and self.rule.notify_all else self.owners[:1]


def decision(ownership: Ownership, receivers: Sequence[str] = ()) -> dict[str, Any]:
    """The decision in JSON: the same in the API, the CLI, the store and the webhook channel."""
    rule = ownership.rule
    shown = {
        "owners": list(ownership.owners),
        "step": ownership.step,
        "frame": _frame(ownership.frame),
        "rule": rule_json(rule),
        "feature": rule.feature if rule else None,
        "criticality": rule.criticality if rule else None,
        "receivers": list(receivers),
        "warnings": [msgspec.to_builtins(warned) for warned in ownership.warnings],
        "trail": [
            {
                "frame": _frame(walked.frame),
                "verdict": walked.verdict,
                "rule": rule_json(walked.rule),
                "beaten": [rule_json(rule) for rule in walked.beaten],
            }
            for walked in ownership.trail
        ],
        "steps": [msgspec.to_builtins(passed) for passed in ownership.steps],
        "revision": ownership.revision,
    }
    return shown | ({"assigned": ownership.assigned} if ownership.assigned else {})


def frame_json(ref: FrameRef) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(ref)
    if ref.by is None:
        del shown["by"]
    return shown


def rule_json(rule: Rule | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    return {
        "file": rule.origin.file,
        "line": rule.origin.line,
        "text": rule.text,
        "owners": list(rule.owners),
    }


def _frame(ref: FrameRef | None) -> dict[str, Any] | None:
    return None if ref is None else frame_json(ref)


def why(ownership: Ownership) -> str:
    """One line for a person: the frame, the rule, and where the rule is written."""
    decided, owner = _decided(ownership), ownership.owner or "nobody"
    if ownership.assigned:
        return f"assigned by a person; the rules name {owner}: {decided}"
    return decided


def _decided(ownership: Ownership) -> str:
    rule, frame = ownership.rule, ownership.frame
    written = f"{rule.text} ({rule.origin})" if rule else ""
    if frame is not None:
        return f"{_call(frame)} — {written}"
    if ownership.step == "explicit":
        return "the event itself names its owner"
    if rule is not None:
        return f"no frame decided — {ownership.step} {written.removeprefix('default: ')}"
    unowned = next((one for one in ownership.trail if one.verdict == "unowned"), None)
    if unowned is not None and unowned.rule is not None:
        told = f"{unowned.rule.text} ({unowned.rule.origin})"
        return f"{_call(unowned.frame)} is unowned on purpose — {told}"
    return "no frame, fallback or default names an owner"


def culprit(ownership: Ownership, transaction: str | None) -> str:
    """Where it broke, in a few words; "" where nothing says."""
    nearest = ownership.frame or next((walked.frame for walked in ownership.trail), None)
    if nearest is None or nearest.path is None:
        return transaction or ""
    return f"{nearest.path} in {nearest.function}" if nearest.function else nearest.path


def _call(frame: FrameRef) -> str:
    place = f"{frame.path}:{frame.lineno}" if frame.lineno else f"{frame.path}"
    return f"{place} in {frame.function}" if frame.function else place
