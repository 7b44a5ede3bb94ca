"""A decision as people and tools ask for it: the API, the CLI and the pages say the same."""

from typing import Any

from matchers.event import Event
from matchers.ownership import decision
from routers.policy import severity
from routers.rules import Rules
from routers.teams import choose
from service.pipeline import decide


def explain(event: Event, rules: Rules) -> dict[str, Any]:
    """The decision with the receivers that would be told were the event new. Stores nothing."""
    decided = decide(event, rules)
    ownership = decided.ownership
    severe = severity(decided.event, ownership)
    told = dict.fromkeys(
        receiver
        for team in ownership.told or (None,)
        for receiver in choose(rules.receivers_of(team), severe, decided.event.environment or "")
    )
    return decision(ownership, tuple(told))


def receivers_shown(team: str, rules: Rules) -> tuple[str, ...]:
    """Every channel that a team may be told through."""
    return tuple(receiver.channel for receiver in rules.receivers_of(team))
