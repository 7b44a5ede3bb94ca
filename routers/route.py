"""route(): who is told of this event, through which channels, and why or why not. Pure.

Judged per audience (group, environment, team): an error known from staging is news in
production, and a team that takes over is told what its predecessor knew.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import msgspec

from matchers.event import Event
from matchers.ownership import Ownership, why
from routers.group import Audience, Group
from routers.notification import Notification, Outcome, Reason, Severity
from routers.policy import Policy, severity
from routers.rules import Rules
from routers.silences import Hidden, Silence, Subject, hiding
from routers.teams import choose


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    outcome: Outcome
    receivers: tuple[str, ...] = ()  # that are told, or would be were it news
    notifications: tuple[Notification, ...] = ()  # one per receiver; each becomes a delivery
    audiences: tuple[Audience, ...] = ()  # as they stand after this event
    hidden: tuple[Hidden, ...] = ()  # by which silences, from whom


class _Told(msgspec.Struct, frozen=True):
    audience: Audience
    outcome: Outcome
    reason: Reason | None = None
    receivers: tuple[str, ...] = ()
    hidden: tuple[Hidden, ...] = ()


def route(
    event: Event,
    ownership: Ownership,
    group: Group,
    *,
    rules: Rules,
    public_url: str,
    now: datetime,
    silences: Sequence[Silence] = (),
) -> Routing:
    """`group` already counts this event; its audiences do not yet. silences: the active ones."""
    severe = severity(event, ownership)
    receivers = would_tell(event, ownership, rules)
    hidden = partial(hiding, silences, Subject(event, ownership, group, severe))
    told = [
        _tell(team, event, group, severe, rules=rules, now=now, hidden=hidden)
        for team in ownership.told or (None,)
    ]
    notifications = [
        Notification(
            group=group.id,
            project=group.project,
            receiver=receiver,
            team=one.audience.team,
            reason=one.reason,
            severity=severe,
            title=group.title,
            culprit=group.culprit,
            why=why(ownership),
            permalink=f"{public_url}/groups/{group.id}",
            event_id=event.event_id,
            environment=event.environment,
            release=event.release,
            times_seen=group.times_seen,
            first_seen=group.first_seen,
            last_seen=group.last_seen,
        )
        for one in told
        if one.reason is not None
        for receiver in one.receivers
    ]
    return Routing(
        outcome=_outcome(told),
        receivers=receivers,
        notifications=tuple(notifications),
        audiences=tuple(one.audience for one in told),
        hidden=tuple(each for one in told for each in one.hidden),
    )


def would_tell(event: Event, ownership: Ownership, rules: Rules) -> tuple[str, ...]:
    """The channels that are told of such an event when it is news."""
    severe = severity(event, ownership)
    chosen = (
        channel
        for team in ownership.told or (None,)
        for channel in choose(rules.receivers_of(team), severe, event.environment or "")
    )
    return tuple(dict.fromkeys(chosen))


def reason_to_tell(
    audience: Audience, group: Group, *, policy: Policy, sequence: int, now: datetime
) -> Reason | None:
    """None: this audience knows. `sequence` orders the rules' revisions, the newest highest."""
    notify, last = policy.notify, audience.last_notified_at
    if notify.owner_changed and _moved_here(audience, group, sequence):
        return "owner_changed"
    if last is None:
        return "first_seen" if notify.first_seen else None
    resolved_since = group.resolved_at is not None and last < group.resolved_at <= now
    return "regression" if notify.regression and resolved_since else None


def _moved_here(audience: Audience, group: Group, sequence: int) -> bool:
    """A newer revision took it from a team that had been told of it in this environment."""
    others = [
        other.sequence
        for other in group.audiences
        if other.environment == audience.environment
        and other.team != audience.team
        and other.last_notified_at is not None
    ]
    return bool(others) and audience.sequence < max(others) < sequence


def _tell(
    team: str | None,
    event: Event,
    group: Group,
    severe: Severity,
    *,
    rules: Rules,
    now: datetime,
    hidden: Callable[[str | None], tuple[Hidden, ...]],
) -> _Told:
    environment = event.environment or ""
    before = group.audience(team, environment)
    seen = msgspec.structs.replace(
        before,
        times_seen=before.times_seen + 1,
        sequence=max(before.sequence, rules.sequence),
    )
    nobody: Outcome = "unowned"
    if group.status == "ignored":
        return _Told(seen, nobody if team is None else "ignored")
    reason = reason_to_tell(before, group, policy=rules.policy, sequence=rules.sequence, now=now)
    if reason is None:
        return _Told(seen, nobody if team is None else "grouped")
    if rules.policy.mode == "observe":
        return _Told(seen, nobody if team is None else "observed")
    if by := hidden(team):  # it is counted, and stands as it did: told once they are over
        counted = msgspec.structs.replace(before, times_seen=seen.times_seen)
        return _Told(counted, nobody if team is None else "silenced", hidden=by)
    receivers = choose(rules.receivers_of(team), severe, environment)
    if not receivers:
        return _Told(seen, nobody if team is None else "no_receiver")
    told = msgspec.structs.replace(seen, last_notified_at=now, last_reason=reason)
    return _Told(told, nobody if team is None else "notified", reason, receivers)


def _outcome(told: list[_Told]) -> Outcome:
    """`notified` if anything was queued for a team, else the primary owner's."""
    if any(one.outcome == "notified" for one in told):
        return "notified"
    return told[0].outcome
