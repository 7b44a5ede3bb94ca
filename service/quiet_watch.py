"""A thread that looks whether a source went quiet (routers/quiet.py), and tells its team once.

A source in one environment has no moment of its own in the database, only a count, so the moment
is when the count was last seen to rise. After a restart it begins at the newest of its groups,
whichever environment that was seen in: what it finds quiet is, and late by `after` at most.
That a spell was told is known by what was queued of it, so a restart tells of none twice; of
several services on one database each looks, for its metric, and the one with the lease tells.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from routers.policy import QuietSource
from routers.quiet import Activity, group_of, name_of, notifications, number_of
from routers.rules import Rules
from service.incidents import close_incidents
from service.lease import Lease
from service.spool import Spool
from service.store.activity import ActivityStore
from service.store.rows import Delivery
from service.store.transaction import Transaction
from service.store.writer import Writer
from service.telemetry import Telemetry
from service.watch import Watch

SECONDS = 30.0  # between two looks


class QuietWatch(Watch):
    def __init__(
        self,
        writer: Writer,
        store: ActivityStore,
        rules: Callable[[], Rules | None],
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
        public_url: str,
        spool: Spool,
        lease: Lease | None = None,
    ) -> None:
        super().__init__("quiet", SECONDS)
        self._speaker = lease
        self._spool = spool
        self._writer = writer
        self._store = store
        self._rules = rules
        self._telemetry = telemetry
        self._clock = clock
        self._public_url = public_url
        self._seen: dict[str, Activity] = {}  # by the source's group
        self._closed: set[str] = set()  # groups of which no incident is open any more

    def look(self) -> None:
        """Tell of those that went quiet since, and close what was told of those that are back."""
        rules = self._rules()
        if rules is None or self._spool.standing().oldest is not None:
            return
        named = rules.policy.source_went_quiet
        quiet = {name_of(source, rules): self._look_at(source, rules) for source in named}
        self._telemetry.sources_quiet(quiet)

    def _look_at(self, source: QuietSource, rules: Rules) -> bool:
        """Whether it is quiet."""
        group, now = group_of(source, rules), self._clock()
        sent = self._store.of(number_of(source, rules), source.environment)
        if sent is None:
            return False
        before = self._seen.get(group)
        if before and sent.events <= before.events:  # fewer: retention took some
            sent = msgspec.structs.replace(sent, last_at=before.last_at)
        self._seen[group] = sent
        is_quiet = now - sent.last_at >= source.after
        if is_quiet:
            self._closed.discard(group)
        if self._speaker is None or self._speaker.is_held():
            if is_quiet:
                self._tell(source, sent, rules, now)
            elif group not in self._closed:
                self._close(group, rules, now)
        return is_quiet

    def _tell(self, source: QuietSource, sent: Activity, rules: Rules, now: datetime) -> None:
        told = tuple(notifications(source, sent, rules, public_url=self._public_url, now=now))

        def work(tx: Transaction) -> bool:
            is_new = bool(told) and not _knows(tx.told(told[0].group), sent)
            for one in told if is_new else ():
                tx.queue(one, now)
            return is_new

        if self._writer.run(work):
            for one in told:
                self._telemetry.queued(one)

    def _close(self, group: str, rules: Rules, now: datetime) -> None:
        for one in self._writer.run(lambda tx: close_incidents(tx, group, rules, now=now)):
            self._telemetry.queued(one)
        self._closed.add(group)


def _knows(told: list[Delivery], sent: Activity) -> bool:
    """Whether this spell was told: nothing came since."""
    spells = [one for one in told if not one.notification.closes]
    return any(
        one.created_at > sent.last_at or one.notification.times_seen == sent.events
        for one in spells
    )
