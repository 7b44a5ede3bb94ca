"""Incidents that were opened at a team's tool, and are its own no longer: they are closed there.

A closing goes through the outbox as any notification does. What it closes may still be queued,
having failed before: that is then told by nobody, else it would open what was just closed.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec

from routers.channels.base import Channel
from routers.notification import Notification, Reason
from routers.rules import Rules
from service.store.rows import Delivery
from service.store.transaction import Transaction


def close_incidents(
    tx: Transaction,
    group: str,
    rules: Rules | None,
    *,
    now: datetime,
    kept_by: Collection[str | None] = (),
    lost_by: Collection[str | None] | None = None,
    environment: str | None = None,
    reason: Reason | None = None,
) -> list[Notification]:
    """Those of a group that are open, but for what these teams keep; what was queued for it.

    lost_by, environment: only theirs, only there; None: all. reason: None is that of what opened.
    """
    queued = []
    for told in _open(tx.told(group)):
        if told.team in kept_by or (lost_by is not None and told.team not in lost_by):
            continue
        if environment is not None and (told.environment or "") != environment:
            continue
        if rules is not None and _closes(told, rules):
            why = reason or told.reason
            closing = msgspec.structs.replace(told, id="", closes=True, reason=why)
            tx.queue(closing, now)
            queued.append(closing)
    return queued


def unsent(tx: Transaction, closing: Delivery) -> list[Delivery]:
    """What would open again what this one closes; it now carries them."""
    told = closing.notification
    found = [
        one
        for one in tx.told(told.group)
        if one.state == "pending"
        and one.carrier is None
        and one.storm is None
        and one.created_at <= closing.created_at
        and not one.notification.closes
        and _place(one.notification) == _place(told)
    ]
    tx.load(closing, [one.id for one in found])
    return found


def outlived(tx: Transaction, closing: Delivery, now: datetime) -> bool:
    """Whether its group was told there since, which opened the incident anew: it stays so."""
    told = closing.notification
    since = [
        one
        for one in tx.told(told.group)
        if one.created_at > closing.created_at
        and one.state != "dead"
        and not one.notification.closes
        and _place(one.notification) == _place(told)
    ]
    if since:
        moot = {"state": "merged", "carrier": since[-1].id, "settled_at": now}
        tx.free_carried(closing, now)
        tx.put_delivery(msgspec.structs.replace(closing, **moot))
    return bool(since)


def _open(deliveries: list[Delivery]) -> list[Notification]:
    """The last that each audience's receiver was told, where that closed nothing.

    What a storm told opened the storm's incident, which is not one group's to close.
    """
    alone = [one for one in deliveries if one.state != "dead" and one.storm is None]
    last = {_place(one.notification): one.notification for one in alone}
    return [told for told in last.values() if not told.closes]


def _place(told: Notification) -> tuple[str, str | None, str | None]:
    return told.receiver, told.team, told.environment


def _closes(told: Notification, rules: Rules) -> bool:
    channel = rules.channels.get(told.receiver)
    observed = rules.mode_of(told.team) == "observe"
    return isinstance(channel, Channel) and channel.closes and not observed
