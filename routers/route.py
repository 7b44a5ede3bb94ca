"""route(): who is told of this event, through which channels, and why or why not. Pure.

Judged per audience (group, environment, team): an error known from staging is news in
production, and a team that takes over is told what its predecessor knew.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from matchers.event import Event
from matchers.ownership import Ownership, why
from routers.group import Audience, Group
from routers.notification import Notification, Outcome, Reason
from routers.policy import Policy, StormPolicy, is_below
from routers.rules import Rules
from routers.silences import Hidden, Silence, Subject, hiding
from routers.storm import dependency, raised_in
from routers.teams import Situation, choose


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    outcome: Outcome
    notifications: tuple[Notification, ...] = ()  # one per receiver; each becomes a delivery
    audiences: tuple[Audience, ...] = ()  # as they stand after this event
    hidden: tuple[Hidden, ...] = ()  # by which silences, from whom
    # teams that were told of it here, until newer rules moved it with this event
    lost_by: tuple[str | None, ...] = ()
    storm: StormPolicy = StormPolicy()  # when its notifications become one message with others


class _Told(msgspec.Struct, frozen=True):
    audience: Audience
    outcome: Outcome
    reason: Reason | None = None
    receivers: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
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
    came: int = 1,
) -> Routing:
    """`group` already counts this event; its audiences do not yet. silences: the active ones.

    came: 0 where they do too, and only whose it is has changed.
    """

    def hidden(team: str | None) -> tuple[Hidden, ...]:
        if not silences:
            return ()
        severe = rules.severity(event, ownership)
        return hiding(silences, Subject(event, ownership, group, severe), team)

    told = [
        _tell(team, event, ownership, group, rules=rules, now=now, hidden=hidden, came=came)
        for team in ownership.told or (None,)
    ]
    return Routing(
        outcome=_outcome(told),
        notifications=tuple(_notifications(told, event, ownership, group, rules, public_url)),
        audiences=tuple([one.audience for one in told]),
        hidden=tuple([each for one in told for each in one.hidden]),
        lost_by=_lost_by(told, group, rules.sequence),
        storm=rules.policy.storm,
    )


def _notifications(
    told: list[_Told],
    event: Event,
    ownership: Ownership,
    group: Group,
    rules: Rules,
    public_url: str,
) -> Iterator[Notification]:
    for one in told:
        if one.reason is None:
            continue
        for receiver in one.receivers:
            yield Notification(
                group=group.id,
                project=group.project,
                receiver=receiver,
                team=one.audience.team,
                reason=one.reason,
                severity=rules.severity(event, ownership),
                title=group.title,
                culprit=group.culprit,
                why=why(ownership),
                permalink=f"{public_url}/groups/{group.id}",
                event_id=event.event_id,
                environment=event.environment,
                release=event.release,
                times_seen=group.times_seen,
                threshold=_past(one, group) if one.reason == "escalation" else 0,
                first_seen=group.first_seen,
                last_seen=group.last_seen,
                raised_in=raised_in(event, ownership),
                dependency=dependency(event, ownership),
                spare=one.spare,
            )


def would_tell(event: Event, ownership: Ownership, rules: Rules, now: datetime) -> tuple[str, ...]:
    """The channels that are told of such an event when it is new."""
    about = _situation(event, ownership, rules, "first_seen", now)
    chosen = (
        channel
        for team in ownership.told or (None,)
        for channel in choose(rules.receivers_of(team), about).channels
    )
    return tuple(dict.fromkeys(chosen))


def reason_to_tell(
    audience: Audience, group: Group, *, policy: Policy, sequence: int, now: datetime
) -> Reason | None:
    """None: this audience knows. `audience` counts this event already.

    `sequence` orders the rules' revisions, the newest highest; the audience has that of the rules
    that last sent an event here, before this one.
    """
    notify, last = policy.notify, audience.last_notified_at
    moved = _moved_by_rules(audience, group, sequence) or _moved_by_a_person(audience, group)
    if notify.owner_changed and moved:
        return "owner_changed"
    if last is None:
        return "first_seen" if notify.first_seen else None
    if notify.regression and group.resolved_at is not None and last < group.resolved_at <= now:
        return "regression"
    woken_for = group.woken_for if group.woken_at is not None and last < group.woken_at else None
    if woken_for == "escalation" or crossed(audience.times_seen, policy) > audience.threshold:
        return "escalation"
    was_told = audience.last_reason is not None  # else by a baseline, which nobody heard
    is_due = was_told and notify.repeat_interval and now - last >= notify.repeat_interval
    return "repeat" if is_due or woken_for else None


def crossed(times_seen: int, policy: Policy) -> int:
    """The highest threshold of escalation that so many are past; 0: none."""
    return max((one for one in policy.notify.escalation if one <= times_seen), default=0)


def _moved_by_rules(audience: Audience, group: Group, sequence: int) -> bool:
    """A newer revision took it from a team that had been told of it in this environment."""
    others = [other.sequence for other in _others_told(audience, group)]
    return bool(others) and audience.sequence < max(others) < sequence


def _moved_by_a_person(audience: Audience, group: Group) -> bool:
    """Since this audience was last told; and another knew of it in this environment."""
    last, moved_at = audience.last_notified_at, group.moved_at
    if moved_at is None or (last is not None and last >= moved_at):
        return False
    return any(
        one.last_notified_at < moved_at
        for one in _others_told(audience, group)
        if one.last_notified_at
    )


def _others_told(audience: Audience, group: Group) -> list[Audience]:
    """Other teams that know of the group in this environment."""
    return [
        other
        for other in group.audiences
        if other.environment == audience.environment
        and other.team != audience.team
        and other.last_notified_at is not None
    ]


def _lost_by(told: list[_Told], group: Group, sequence: int) -> tuple[str | None, ...]:
    """The teams that knew of it here, where newer rules gave it to others with this event."""
    teams = {one.audience.team for one in told}
    before = [
        group.audience(one.audience.team, one.audience.environment)
        for one in told
        if one.audience.sequence >= sequence  # else it stands as it did, and is moved later
    ]
    return tuple(
        {
            other.team: None
            for audience in before
            if _moved_by_rules(audience, group, sequence)
            for other in _others_told(audience, group)
            if other.team not in teams
        }
    )


def _past(told: _Told, group: Group) -> int:
    """The threshold that is told of; where a person waited for a count, how often it was seen."""
    before = group.audience(told.audience.team, told.audience.environment).threshold
    return told.audience.threshold if told.audience.threshold > before else group.times_seen


def _situation(
    event: Event, ownership: Ownership, rules: Rules, reason: Reason, now: datetime
) -> Situation:
    return Situation(
        severity=rules.severity(event, ownership),
        environment=event.environment or "",
        reason=reason,
        level=event.level,
        project=event.project,
        project_slug=event.project_slug,
        feature=ownership.rule.feature if ownership.rule else None,
        now=now,
    )


def _tell(
    team: str | None,
    event: Event,
    ownership: Ownership,
    group: Group,
    *,
    rules: Rules,
    now: datetime,
    hidden: Callable[[str | None], tuple[Hidden, ...]],
    came: int,
) -> _Told:
    before = group.audience(team, event.environment or "")
    counted = msgspec.structs.replace(before, times_seen=before.times_seen + came)
    seen = counted
    if before.sequence < rules.sequence:
        seen = msgspec.structs.replace(counted, sequence=rules.sequence)
    reason = reason_to_tell(counted, group, policy=rules.policy, sequence=rules.sequence, now=now)
    quiet = _quiet(event, group, reason, rules.policy, rules.mode_of(team))
    if quiet is not None or reason is None:
        return _Told(seen, _unless_nobodys(team, quiet or "grouped"))
    if by := hidden(team):  # it stands as it did, but for the count: told once they are over
        return _Told(counted, _unless_nobodys(team, "silenced"), hidden=by)
    choice = choose(rules.receivers_of(team), _situation(event, ownership, rules, reason, now))
    if not choice.channels:  # a move is told once it can be
        stands = counted if reason == "owner_changed" else seen
        return _Told(stands, _unless_nobodys(team, "muted_time" if choice.muted else "no_receiver"))
    told = msgspec.structs.replace(
        seen,
        last_notified_at=now,
        last_reason=reason,
        threshold=max(before.threshold, crossed(seen.times_seen, rules.policy)),
    )
    return _Told(told, _unless_nobodys(team, "notified"), reason, choice.channels, choice.spare)


def _quiet(
    event: Event, group: Group, reason: Reason | None, policy: Policy, mode: str
) -> Outcome | None:
    """Why nobody is told, whoever would be; None: nothing stands against it."""
    if group.status == "ignored":
        return "ignored"
    if reason is None or group.status == "resolved":  # in a newer release than this event's
        return "grouped"
    if is_below(event.level, policy.notify.level):
        return "below_level"
    return "observed" if mode == "observe" else None


def _unless_nobodys(team: str | None, outcome: Outcome) -> Outcome:
    """What nobody owns is `unowned`, also when its receiver was told."""
    return "unowned" if team is None else outcome


def _outcome(told: list[_Told]) -> Outcome:
    """`notified` if anything was queued for a team, else the primary owner's."""
    if any(one.outcome == "notified" for one in told):
        return "notified"
    return told[0].outcome
