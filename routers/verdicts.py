"""What people say of a group: dealt with, of no interest for now, not ours; and what ends it. Pure.

A resolve ends with an event that comes after it; one in a release, with an event of a newer one.
An ignoring ends with the event that its Until names.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec

from matchers.event import Event
from matchers.ownership import Ownership, Warned
from routers.group import Group, Ignored, Until
from routers.policy import Policy
from routers.releases import is_newer
from routers.route import crossed
from routers.rules import Rules

FirstSeen = Callable[[str, str], datetime | None]  # of a project's release; None: never
_replaced = msgspec.structs.replace


def resolved(group: Group, now: datetime, release: str | None = None) -> Group:
    """release: it is dealt with in this one; None: in whatever runs now."""
    return _replaced(group, status="resolved", resolved_at=now, resolved_in=release, ignored=None)


def unresolved(group: Group) -> Group:
    """As if it had been neither resolved nor ignored."""
    return _replaced(
        group, status="unresolved", resolved_at=None, resolved_in=None, ignored=None, woken_at=None
    )


def ignored(group: Group, now: datetime, until: Until) -> Group:
    said = Ignored(at=now, times_seen=group.times_seen, until=until)
    return _replaced(group, status="ignored", ignored=said, woken_at=None)


def assigned(group: Group, now: datetime, team: str | None, decided: str | None) -> Group:
    """team: a slug; None: whoever the rules name again, which `decided` last was."""
    whose = team or decided
    moved_at = group.moved_at if whose == group.team else now
    return _replaced(group, assigned=team, moved_at=moved_at, team=whose)


def given(ownership: Ownership, group: Group, rules: Rules) -> Ownership:
    """The decision as it is, with the team that a person gave the group to beside it."""
    if group.assigned is None:
        return ownership
    team = rules.ruleset.names.get(group.assigned)
    if team is None:
        said = f'it was assigned to "{group.assigned}", a team that the rules no longer know'
        warnings = (*ownership.warnings, Warned("assigned_team_gone", said))
        return _replaced(ownership, warnings=warnings)
    return _replaced(ownership, assigned=team)


def after(
    group: Group, event: Event, ownership: Ownership, *, policy: Policy, first_seen: FirstSeen
) -> Group:
    """As it stands after this event, which it counts already."""
    if group.team != ownership.team:
        group = _replaced(group, team=ownership.team)
    if group.status == "resolved" and _reopens(group, event, first_seen):
        return _replaced(group, status="unresolved")
    if group.status == "ignored" and (why := _wakes(group, event, ownership, policy)):
        now = event.received_at
        return _replaced(group, status="unresolved", ignored=None, woken_at=now, woken_for=why)
    return group


def _reopens(group: Group, event: Event, first_seen: FirstSeen) -> bool:
    resolved_at, fixed = group.resolved_at, group.resolved_in
    if resolved_at is None or event.received_at <= resolved_at:
        return False
    if fixed is None or event.release is None:
        return True
    newer = False if event.release == fixed else is_newer(event.release, fixed)
    if newer is not None:
        return newer
    came = first_seen(event.project, event.release) or event.received_at
    return came > (first_seen(event.project, fixed) or resolved_at)


def _wakes(
    group: Group, event: Event, ownership: Ownership, policy: Policy
) -> Literal["escalation", "repeat"] | None:
    said = group.ignored
    if said is None:
        return None
    until = said.until
    if until.escalation and any(_crosses(team, group, event, policy) for team in _told(ownership)):
        return "escalation"
    if until.times is not None and group.times_seen >= said.times_seen + until.times:
        return "escalation"
    over = until.moment is not None and event.received_at >= until.moment
    return "repeat" if over else None


def _told(ownership: Ownership) -> tuple[str | None, ...]:
    return ownership.told or (None,)


def _crosses(team: str | None, group: Group, event: Event, policy: Policy) -> bool:
    """Whether it is just this event that reaches a threshold; its audience does not count it."""
    before = group.audience(team, event.environment or "").times_seen
    return crossed(before + 1, policy) > crossed(before, policy)
