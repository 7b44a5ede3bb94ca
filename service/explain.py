"""A decision as people and tools ask for it: the API, the CLI and the pages say the same.

It is made of the whole event; what is shown of that is masked, as it is where an event is kept.
"""

import re
from typing import Any

from matchers.event import Event, title
from matchers.explain import Asked, survey
from matchers.fingerprint import GROUPINGS
from matchers.grouping import title_by
from matchers.ownership import decision, frame_json, rule_json
from matchers.whynot import WhyNot, why_not
from routers.route import would_tell
from routers.rules import Rules
from service.masking import masked
from service.pipeline import Decided, decide
from service.scrub import scrub

_MARK = re.compile(r"\[masked: [a-z -]+\]")  # in a glob its place is anything's


def explain(event: Event, rules: Rules, team: str | None = None) -> dict[str, Any]:
    """The decision, with every frame and whom it would tell were the event new. Stores nothing.

    team: a slug; asks why it is not the owner, and which rule would have made it so.
    """
    decided = decide(event, rules)
    told = would_tell(decided.event, decided.ownership, rules, event.received_at)
    frames = survey(decided.event, rules.ruleset, decided.ownership)
    kept = masked(decided)
    shown = decision(kept.ownership, told) | {
        "frames": [_asked(one) for one in frames],
        "grouping": _grouping(kept),
    }
    if team is not None:
        shown["why_not"] = _why_not(why_not(decided.event, rules.ruleset, team))
    return shown


def permanent(event: Event, rules: Rules, team: str) -> dict[str, Any] | None:
    """The entry that would make it the team's by the rules; None: no entry would, or it is."""
    found: dict[str, Any] | None = _why_not(why_not(event, rules.ruleset, team))["proposal"]
    return found


def receivers_shown(team: str, rules: Rules) -> tuple[str, ...]:
    """Every channel that a team may be told through."""
    return tuple(receiver.channel for receiver in rules.receivers_of(team))


def _grouping(decided: Decided) -> dict[str, Any]:
    """Which group it comes to, who made it that, and what the group is called."""
    event, entry = decided.event, decided.grouped.entry
    by = "rules" if entry and entry.fingerprint else "sdk" if event.fingerprint else GROUPINGS[0]
    return {
        "fingerprint": decided.grouped.fingerprints[0],
        "by": by,
        "entry": entry
        and {"file": entry.origin.file, "line": entry.origin.line, "text": entry.text},
        "title": title_by(entry, event, decided.rules.ruleset) or title(event),
    }


def _asked(one: Asked) -> dict[str, Any]:
    return {
        "frame": frame_json(one.frame) | {"exception": scrub(one.frame.exception or "") or None},
        "verdict": one.verdict,
        "rule": rule_json(one.rule),
        "beaten": [rule_json(rule) for rule in one.beaten],
        "why": one.why,
        "decided": one.decided,
    }


def _why_not(found: WhyNot) -> dict[str, Any]:
    proposal = found.proposal
    return {
        "team": found.team,
        "owner": found.ownership.owner,
        "lost": [
            {"path": lost.path, "rule": rule_json(lost.rule), "why": lost.why}
            for lost in found.lost
        ],
        "proposal": proposal
        and {
            "section": proposal.section,
            "entry": _MARK.sub("*", scrub(proposal.text)),
            "after": str(proposal.after) if proposal.after else None,
        },
    }
