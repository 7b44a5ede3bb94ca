"""A decision as people and tools ask for it: the API, the CLI and the pages say the same."""

from typing import Any

from matchers.event import Event
from matchers.ownership import decision
from routers.route import would_tell
from routers.rules import Rules
from service.pipeline import decide


def explain(event: Event, rules: Rules) -> dict[str, Any]:
    """The decision with the receivers that would be told were the event new. Stores nothing."""
    decided = decide(event, rules)
    told = would_tell(decided.event, decided.ownership, rules)
    return decision(decided.ownership, told)


def receivers_shown(team: str, rules: Rules) -> tuple[str, ...]:
    """Every channel that a team may be told through."""
    return tuple(receiver.channel for receiver in rules.receivers_of(team))
