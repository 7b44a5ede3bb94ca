"""The product in one page: decide whose an event is, record it, queue what must be told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from matchers.engine import complete, match
from matchers.event import Event
from matchers.fingerprint import GROUPINGS, Grouping
from matchers.grouping import Grouped, group_of, title_by
from matchers.ownership import Ownership, decision
from routers.group import Group
from routers.notification import Notification, Outcome
from routers.route import Routing, route, would_tell
from routers.rules import Rules
from routers.verdicts import after, given
from service.incidents import close_incidents
from service.store.transaction import Transaction


class Decided(msgspec.Struct, frozen=True):
    """An event with its owner, and the rules that decided: no decision straddles a reload."""

    event: Event
    ownership: Ownership
    rules: Rules
    grouped: Grouped


class Handled(msgspec.Struct, frozen=True):
    """What became of one accepted event."""

    event_id: str
    outcome: Outcome | Literal["spooled"]
    group: str | None = None  # None: kept undecided until rules load, or spooled
    ownership: Ownership | None = None
    reasons: tuple[tuple[str, str], ...] = ()  # (receiver, reason) of each notification queued
    closed: tuple[tuple[str, str], ...] = ()  # the same of what closes incidents


def decide(event: Event, rules: Rules, groupings: Sequence[Grouping] = GROUPINGS) -> Decided:
    """Pure. groupings: the recipes by which its group may be known, the newest first."""
    event = complete(event, rules.ruleset)
    grouped = group_of(event, rules.ruleset, groupings)
    return Decided(event, match(event, rules.ruleset), rules, grouped)


def handle(decided: Decided, *, tx: Transaction, public_url: str, now: datetime) -> Handled:
    """Record one decided event, and queue what must be told. Durable when the tx commits."""
    event, ownership = decided.event, decided.ownership
    grouped, ruleset = decided.grouped, decided.rules.ruleset
    name = title_by(grouped.entry, event, ruleset)  # of what is masked by now
    group = tx.groups.record(event, ownership, grouped.fingerprints, name)
    ownership = given(ownership, group, decided.rules)
    group = after(
        group,
        event,
        ownership,
        policy=decided.rules.policy,
        first_seen=tx.releases.first_seen,
    )
    routing = route(
        event,
        ownership,
        group,
        rules=decided.rules,
        public_url=public_url,
        now=now,
        silences=tx.silences(now),
    )

    def shown() -> dict[str, Any]:
        return decision(ownership, would_tell(event, ownership, decided.rules, now))

    tx.enqueue(event, group, routing, shown)
    closed = _closed(decided, group, routing, tx=tx, now=now)
    told, ended = (
        tuple((one.receiver, one.reason) for one in queued)
        for queued in (routing.notifications, closed)
    )
    return Handled(event.event_id, routing.outcome, group.id, ownership, told, ended)


def came_before(handled: Sequence[Handled]) -> bool:
    """Whether all errors of an envelope are known already; one without any is always new."""
    return bool(handled) and all(one.outcome == "duplicate" for one in handled)


def _closed(
    decided: Decided, group: Group, routing: Routing, *, tx: Transaction, now: datetime
) -> list[Notification]:
    """The incidents of teams that lost it with this event are closed."""
    if not routing.lost_by:
        return []
    return close_incidents(
        tx,
        group.id,
        decided.rules,
        now=now,
        lost_by=routing.lost_by,
        environment=decided.event.environment or "",
        reason="owner_changed",
    )


def accept(event: Event, decided: Decided | None, *, tx: Transaction, public_url: str) -> Handled:
    """Enter an event that came in. decided=None: no rules have loaded yet, it is kept."""
    before = tx.ids.before(event)
    if before is not None:
        tx.accept_duplicate()
        ownership = decided.ownership if decided else None
        return Handled(event.event_id, "duplicate", before.group, ownership)
    tx.accept(decided.event if decided else event)
    if decided is None:
        tx.undecided(event)
        return Handled(event.event_id, "undecided")
    return handle(decided, tx=tx, public_url=public_url, now=event.received_at)
