"""What a page says of a group beside its record: why it is that team's, and how badly."""

from typing import Any

import msgspec

from matchers.errors import Origin
from matchers.event import Event
from matchers.ownership import FrameRef, Ownership
from matchers.ruleset import Rule
from routers.notification import Severity
from routers.rules import Rules

# What an outcome's word means, for whoever meets it on a page.
OUTCOMES = {
    "notified": "its team was told",
    "grouped": "its team knows of it already",
    "silenced": "a silence holds",
    "muted_time": "a mute time interval holds",
    "ignored": "the group is ignored",
    "below_level": "its level is below what the policy tells",
    "observed": "the policy only observes: decided and shown, nothing sent",
    "no_receiver": "no receiver of the team fits",
    "unowned": "nobody owns it",
    "duplicate": "this event was accepted before",
    "over_quota": "the quota was used up",
    "undecided": "no rules have loaded yet",
}
VERDICTS = {
    "owned": "a rule gives this frame an owner",
    "transparent": "shared code: its owner is remembered, the walk goes on to the caller",
    "unowned": "nobody's on purpose: the walk ends here",
    "no_rule": "no rule matches, the walk goes on to the caller",
    "not_in_app": "not the application's own code, passed over",
    "not reached": "the decision was made before the walk came here",
}


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why an error is its team's: the frame, the rule, and where the rule is written."""

    step: str
    place: str | None = None  # "server/app/billing/tax.py:88"
    function: str | None = None
    rule: str | None = None
    origin: str | None = None  # "ownership_rules.yaml:12"
    reason: str | None = None  # where no rule decided


def why(decision: dict[str, Any] | None) -> Why:
    """None: the decision is no longer kept."""
    if decision is None:
        return Why(step="unknown", reason="the event is no longer kept")
    ownership = recalled(decision)
    frame, rule = ownership.frame, ownership.rule
    return Why(
        step=ownership.step,
        place=place(frame.path, frame.lineno) if frame else None,
        function=frame.function if frame else None,
        rule=rule.text if rule else None,
        origin=str(rule.origin) if rule else None,
        reason=None if rule else _no_rule(decision),
    )


def place(path: str | None, lineno: int | None) -> str:
    named = path or "(no file)"
    return f"{named}:{lineno}" if lineno else named


def severity_of(event: Event, decision: dict[str, Any], rules: Rules) -> Severity:
    """By the policy now in force."""
    return rules.severity(event, recalled(decision))


def recalled(decision: dict[str, Any]) -> Ownership:
    """The decision as a record again, without its trail; its rule only says, and never matches."""
    rule, frame = decision["rule"], decision["frame"]
    return Ownership(
        owners=tuple(decision["owners"]),
        step=decision["step"],
        rule=rule
        and Rule(
            origin=Origin(rule["file"], rule["line"]),
            text=rule["text"],
            owners=tuple(rule["owners"]),
            feature=decision["feature"],
            criticality=decision["criticality"],
        ),
        frame=frame and msgspec.convert(frame, FrameRef),
        assigned=decision.get("assigned"),
    )


def _no_rule(decision: dict[str, Any]) -> str:
    if decision["step"] == "explicit":
        return "the event itself names its owner"
    on_purpose = [walked for walked in decision["trail"] if walked["verdict"] == "unowned"]
    if not on_purpose:
        return "no frame, fallback or default names an owner"
    ended = on_purpose[0]
    origin = Origin(ended["rule"]["file"], ended["rule"]["line"])
    return f"{ended['frame']['path']} is unowned on purpose ({origin})"
