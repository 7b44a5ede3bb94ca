"""A thread that brings what was spooled into the database, in the order in which it came.

What a batch holds is committed at once, and then deleted here. What was committed and is still
here, since the service died in between or the database's answer was lost, is known again: the
database holds its events as received at the same microsecond. It is then not counted again, for
nobody sent it twice; what a sender sent twice has two moments, and is a `duplicate`.
"""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from routers.rules import Rules
from service.masking import masked
from service.pipeline import Decided, Handled, accept, came_before, decide
from service.spool import Batch, Spool, Spooled
from service.store.event_ids import Coming
from service.store.spool_file import Row, SpoolFile
from service.store.tables import to_us
from service.store.transaction import Transaction
from service.store.writer import StoreUnavailableError, Writer
from service.telemetry import Telemetry
from service.watch import Watch

LOG = logging.getLogger(__name__)
EVENTS = 100  # in one transaction; only a large batch has more
SECONDS = 1.0  # between two looks


class _Read(NamedTuple):
    id: int
    batch: Batch


class Drain(Watch):
    def __init__(
        self,
        file: SpoolFile,
        spool: Spool,
        writer: Writer,
        rules: Callable[[], Rules | None],
        telemetry: Telemetry,
        *,
        public_url: str,
        on_envelopes: Callable[[], None] = lambda: None,
    ) -> None:
        """on_envelopes: something waits for the upstream."""
        super().__init__("drain", SECONDS)
        self._file = file
        self._spool = spool
        self._writer = writer
        self._rules = rules
        self._telemetry = telemetry
        self._public_url = public_url
        self._on_envelopes = on_envelopes
        self._done = 0  # the last id that is in the database
        self._undeleted = False  # it is still here

    def look(self) -> None:
        """Drain until nothing is left, or the database is away again."""
        if self._undeleted:
            self._delete()
        while self._step() and not self._stopping.is_set():
            pass

    def _step(self) -> bool:
        """Whether there may be more."""
        if self._writer.down or self._writer.behind:
            return False
        rows = self._file.oldest(self._done, EVENTS)
        if rows:
            self._take([one for one in map(self._read, rows) if one])
            self._done, self._undeleted = rows[-1][0], True
            self._delete()
        return bool(rows)

    def _delete(self) -> None:
        """Raises SpoolError: then it is done at the next look."""
        self._file.drop(self._done)
        self._undeleted = False
        self._spool.relieved()

    def _read(self, row: tuple[int, Row]) -> _Read | None:
        """None: it cannot be read, and lies aside."""
        try:
            return _Read(row[0], msgspec.json.decode(row[1].body, type=Batch))
        except msgspec.DecodeError as error:
            self._put_aside(row[0], str(error))
            return None

    def _put_aside(self, id: int, reason: str) -> None:  # noqa: A002
        LOG.error("spool_set_aside", extra={"id": id, "reason": reason})
        self._file.put_aside(id, reason)

    def _take(self, read: Sequence[_Read]) -> None:
        """Raises StoreUnavailableError. A batch that cannot be entered holds up no other."""
        try:
            self._commit(read)
        except StoreUnavailableError:
            raise
        except Exception as error:
            if len(read) > 1:
                for one in read:
                    self._take([one])
                return
            LOG.exception("drain_failed")
            self._put_aside(read[0].id, type(error).__name__)

    def _commit(self, read: Sequence[_Read]) -> None:
        rules = self._rules()
        decided = [_all_decided(batch, rules) for _, batch in read]

        def work(tx: Transaction) -> list[tuple[str, list[Handled]]]:
            # the first rules may have loaded since, and what was kept may be decided already
            now = decided if rules else [_all_decided(batch, self._rules()) for _, batch in read]
            return [
                (batch.adapter, self._enter(batch, whose, tx))
                for (_, batch), whose in zip(read, now, strict=True)
            ]

        coming = [one for _, batch in read for one in _coming(batch)]
        entered = self._writer.submit(work, coming).result()
        LOG.info("drained", extra={"events": sum(len(handled) for _, handled in entered)})
        for adapter, handled in entered:
            for one in handled:
                self._telemetry.received(adapter, one)
        if any(batch.onward for _, batch in read):
            self._on_envelopes()

    def _enter(
        self, batch: Batch, decided: Sequence[Decided | None], tx: Transaction
    ) -> list[Handled]:
        """Of one that is in the database already nothing, and that is not counted."""
        if _is_entered(batch, tx):
            return []
        handled = [
            accept(one.event, whose, tx=tx, public_url=self._public_url)
            for one, whose in zip(batch.events, decided, strict=True)
        ]
        if batch.onward and not came_before(handled):
            tx.forward(batch.onward)
        tx.over_quota(len(batch.over))
        return handled + [Handled(event_id, "over_quota") for event_id in batch.over]


def _is_entered(batch: Batch, tx: Transaction) -> bool:
    """Whole, as all of a batch is: each event is known, and one by this very acceptance."""
    before = [tx.ids.before(one.event) for one in batch.events]
    moments = [to_us(one.event.received_at) for one in batch.events]
    return all(before) and any(
        known is not None and known.received_at == at
        for known, at in zip(before, moments, strict=True)
    )


def _coming(batch: Batch) -> list[Coming]:
    return [Coming(one.event.project, one.event.event_id, one.fingerprints) for one in batch.events]


def _all_decided(batch: Batch, rules: Rules | None) -> list[Decided | None]:
    return [_decided(one, rules) for one in batch.events]


def _decided(spooled: Spooled, rules: Rules | None) -> Decided | None:
    """By the rules now in force; in the group that it was of before it was masked."""
    if rules is None:
        return None
    decided = masked(decide(spooled.event, rules))
    if not spooled.fingerprints:
        return decided
    grouped = msgspec.structs.replace(decided.grouped, fingerprints=spooled.fingerprints)
    return msgspec.structs.replace(decided, grouped=grouped)
