"""A thread that deletes what is past its time: docs/operating.md, "What is kept, and how long".

A batch is one short job of the writer; between two of them the writer is everybody else's for so
long that this never takes more than SHARE of its time.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec

from service.lease import Lease
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
LONG = 0.02  # seconds, of a batch
# Rows of a batch, by what it costs to delete one: a few ms each (`python -m benchmarks.month`).
# Of a batch that took LONG the next has half as many.
ROWS: dict[Kind, int] = {
    "events": 100,
    "tallies": 500,
    "groups": 50,
    "deliveries": 200,
    "storms": 200,
    "audit": 500,
    "silences": 200,
    "revisions": 20,
}
IDS = 2000  # that are looked at
IDS_EVERY = timedelta(hours=1)
TIDIED_EVERY = timedelta(days=1)
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
        clock: Callable[[], datetime],
        oldest_spooled: Callable[[], datetime | None] = lambda: None,
        lease: Lease | None = None,
        share: float = SHARE,
    ) -> None:
        """oldest_spooled: when what still waits beside the database came; None: nothing waits."""
        super().__init__("retention", SECONDS, lease)
        self._writer = writer
        self._telemetry = telemetry
        self._periods = periods
        self._clock = clock
        self._oldest_spooled = oldest_spooled
        self._rest = 1 / share - 1
        self._took = 0.0  # seconds, the last batch
        self._ids_at: datetime | None = None  # when all ids were last walked through
        self._tidied_at: datetime | None = None  # when the indexes by words were

    def look(self) -> None:
        """Delete all that is due."""
        taken = {kind: self._clear(kind) for kind in KINDS} | {"ids": self._expire_ids()}
        self._tidy()
        if any(taken.values()):
            LOG.info("retention", extra=taken)
        self._telemetry.retention_ended.set(self._clock().timestamp())

    def _clear(self, kind: Kind) -> int:
        """How many rows it took."""
        period, taken = self._periods.of(kind), 0
        if period is None:
            return 0
        before, limit = self._clock() - period, ROWS[kind]
        while not self._stopping.is_set():
            count = self._batch(partial(_take, kind, before, limit))
            taken += count
            self._telemetry.retired(kind, count)
            if count < limit:
                break
            limit = next_limit(limit, ROWS[kind], self._took)
        return taken

    def _expire_ids(self) -> int:
        """All are walked through, so not at every look."""
        now, taken = self._clock(), 0
        if self._ids_at is not None and now - self._ids_at < IDS_EVERY:
            return 0
        before = to_us(min(now - WINDOW, self._oldest_spooled() or now))
        after: Id | None = START
        while after is not None and not self._stopping.is_set():
            after, count = self._batch(partial(_expire, before, after))
            taken += count
            self._telemetry.retired("ids", count)
        self._ids_at = now
        return taken

    def _tidy(self) -> None:
        """Have the indexes by words forget what was deleted."""
        now, more = self._clock(), True
        if self._tidied_at is not None and now - self._tidied_at < TIDIED_EVERY:
            return
        begin = True
        while more and not self._stopping.is_set():
            more = self._batch(partial(_tidy, begin))
            begin = False
        self._tidied_at = now

    def _batch(self, work: Callable[[Transaction], T]) -> T:
        """One job of the writer, and the rest after it."""
        started = time.perf_counter()
        done = self._writer.run(work)
        self._took = time.perf_counter() - started
        self._stopping.wait(self._took * self._rest)
        return done


def next_limit(rows: int, most: int, took: float) -> int:
    """How many rows the next batch has, after one of so many rows took so many seconds."""
    if took > LONG:
        return max(1, rows // 2)
    return min(most, rows * 2) if took < LONG / 2 else rows


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


def _expire(before: int, after: Id, tx: Transaction) -> tuple[Id | None, int]:
    return tx.ids.expire(before, after, IDS)


def _tidy(begin: bool, tx: Transaction) -> bool:
    return tx.search.tidy(begin=begin)
