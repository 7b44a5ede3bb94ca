"""A thread that deletes what is past its time: docs/operating.md, "What is kept, and how long".

A batch is one short job of the writer, as many rows as fit in TARGET; between two of them the
writer is everybody else's for so long that this never takes more than SHARE of its time.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec

from service.settings import Settings
from service.store.event_ids import START, WINDOW, Id
from service.store.retention import KINDS, Kind
from service.store.tables import to_us
from service.store.transaction import Transaction
from service.store.writer import Writer
from service.telemetry import Telemetry
from service.watch import Watch

LOG = logging.getLogger(__name__)
SECONDS = 60.0  # between two looks
SHARE = 0.05  # of the writer's time
TARGET = 0.01  # seconds that a batch should take
FEWEST, MOST = 10, 5000  # rows of a batch
IDS_EVERY = timedelta(hours=1)
T = TypeVar("T")


class Periods(msgspec.Struct, frozen=True, kw_only=True):
    """How long each is kept; None: for ever."""

    events: timedelta | None
    groups: timedelta | None  # since they were last seen
    deliveries: timedelta | None  # since they were settled
    audit: timedelta | None

    def of(self, kind: Kind) -> timedelta | None:
        if kind in ("events", "tallies"):
            return self.events
        if kind == "groups":  # its page shows its events
            return self.groups and self.events and max(self.groups, self.events)
        return self.deliveries if kind in ("deliveries", "storms") else self.audit


class RetentionWatch(Watch):
    def __init__(
        self,
        writer: Writer,
        telemetry: Telemetry,
        periods: Periods,
        *,
        leads: Callable[[], bool],
        clock: Callable[[], datetime],
        oldest_spooled: Callable[[], datetime | None] = lambda: None,
        share: float = SHARE,
    ) -> None:
        """leads: whether of all services on the database it is this one that deletes;
        oldest_spooled: when what still waits beside the database came; None: nothing waits.
        """
        super().__init__("retention", SECONDS)
        self._writer = writer
        self._telemetry = telemetry
        self._periods = periods
        self._leads = leads
        self._clock = clock
        self._oldest_spooled = oldest_spooled
        self._rest = 1 / share - 1
        self._sizes: dict[str, int] = {}  # rows of a batch, by kind
        self._ids_at: datetime | None = None  # when all ids were last walked through

    def look(self) -> None:
        """Delete all that is due."""
        if not self._leads():
            return
        taken = {kind: self._clear(kind) for kind in KINDS} | {"ids": self._expire_ids()}
        if any(taken.values()):
            LOG.info("retention", extra=taken)
        self._telemetry.retention_ended.set(self._clock().timestamp())

    def _clear(self, kind: Kind) -> int:
        """How many rows it took."""
        period, taken = self._periods.of(kind), 0
        if period is None:
            return 0
        before = self._clock() - period
        while not self._stopping.is_set():
            limit = self._sizes.get(kind, FEWEST)
            count = self._batch(kind, partial(_take, kind, before, limit))
            taken += count
            self._telemetry.retired(kind, count)
            if count < limit:
                break
        return taken

    def _expire_ids(self) -> int:
        """All are walked through, so not at every look."""
        now, taken = self._clock(), 0
        if self._ids_at is not None and now - self._ids_at < IDS_EVERY:
            return 0
        before = min(now - WINDOW, self._oldest_spooled() or now)
        after: Id | None = START
        while after is not None and not self._stopping.is_set():
            limit = self._sizes.get("ids", FEWEST)
            after, count = self._batch("ids", partial(_expire, before, after, limit))
            taken += count
            self._telemetry.retired("ids", count)
        self._ids_at = now
        return taken

    def _batch(self, kind: str, work: Callable[[Transaction], T]) -> T:
        """One job of the writer, and the rest after it."""
        seconds = 0.0

        def timed(tx: Transaction) -> T:
            nonlocal seconds
            started = time.perf_counter()
            done = work(tx)
            seconds = time.perf_counter() - started
            return done

        done = self._writer.run(timed)
        size = self._sizes.get(kind, FEWEST)
        self._sizes[kind] = max(FEWEST, size // 2) if seconds > TARGET else min(MOST, size * 2)
        self._stopping.wait(seconds * self._rest)
        return done


def periods(settings: Settings) -> Periods:
    return Periods(
        events=_days(settings.keep_events_days),
        groups=_days(settings.keep_groups_days),
        deliveries=_days(settings.keep_deliveries_days),
        audit=_days(settings.keep_audit_days),
    )


def _days(days: int) -> timedelta | None:
    return timedelta(days=days) if days else None


def _take(kind: Kind, before: datetime, limit: int, tx: Transaction) -> int:
    return tx.retention.take(kind, before, limit)


def _expire(before: datetime, after: Id, limit: int, tx: Transaction) -> tuple[Id | None, int]:
    return tx.ids.expire(to_us(before), after, limit)
