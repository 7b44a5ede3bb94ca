"""Accepted means committed: a sender is answered after the commit that holds its events.

What is handed to the writer has been decided whole, and is masked. Where the database does not
take it soon, it goes to the spool (service/spool.py), and a sender is answered after its commit.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from matchers.event import Event
from routers.rules import Rules
from service.artifacts import Artifacts
from service.decisions import Decisions
from service.ingest import ADAPTERS
from service.ingest.base import Envelope
from service.ingest.limits import LARGE
from service.masking import mask, masked
from service.pipeline import Decided, Handled, accept, came_before, decide, handle
from service.quota import Quota, Sender
from service.spool import Batch, Spool, Spooled
from service.store.event_ids import Coming
from service.store.rows import Waiting
from service.store.transaction import Transaction
from service.store.writer import PATIENCE, StoreUnavailableError, Writer
from service.telemetry import Telemetry
from service.upstream.envelope import tagged, tags_of
from service.upstream.forwarder import Forwarder

MANY_FRAMES = 500  # of all the events of a request; each event counts as one more
TOGETHER = 1000  # events in one transaction; only a collector's request has more
_COME_AGAIN = frozenset(one.name for one in ADAPTERS if one.comes_again)
_CHUNK = 200  # events that were kept undecided, in one transaction


class Intake:
    def __init__(
        self,
        writer: Writer,
        rules: Callable[[], Rules | None],
        telemetry: Telemetry,
        forwarder: Forwarder | None = None,
        artifacts: Artifacts | None = None,
        *,
        quota: Quota,
        public_url: str,
        spool: Spool | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """rules: those in force now; None while none has ever loaded.

        patience: seconds after which what the writer has not committed is spooled.
        """
        self._spool = spool
        self._patience = patience
        self.decisions = Decisions()
        self._forwarder = forwarder
        self._artifacts = artifacts
        self._quota = quota
        self._writer = writer
        self._rules = rules
        self._telemetry = telemetry
        self._public_url = public_url

    async def take(
        self,
        events: Sequence[Event],
        adapter: str,
        sender: Sender,
        onward: Envelope | None = None,
    ) -> tuple[Handled, ...]:
        """In the order given. Raises StoreUnavailableError; then none of the last TOGETHER is kept.

        onward: what held them, and goes on to the upstream; not that of a runaway client.
        """
        spool = None if adapter in _COME_AGAIN else self._spool
        handled: list[Handled] = []
        for start in range(0, max(1, len(events)), TOGETHER):  # others have their turn between
            some = events[start : start + TOGETHER]
            handled += await self._take(some, adapter, sender, None if start else onward, spool)
        return tuple(handled)

    async def _take(
        self,
        events: Sequence[Event],
        adapter: str,
        sender: Sender,
        onward: Envelope | None,
        spool: Spool | None,
    ) -> tuple[Handled, ...]:
        kept = events[: self._quota.take(sender, len(events))]
        over = events[len(kept) :]
        if self._artifacts:
            kept = await self._artifacts.mapped(kept)
        decided = await self._decided_beside(kept)
        waiting = await self._sealed(onward, decided) if onward and not over else None
        if not events and waiting is None:
            return ()
        taken = _Taken(adapter, kept, decided, over, waiting)
        try:
            handled = await self._committed(taken, spool)
        except StoreUnavailableError:
            if spool is None:
                raise
            return await self._spooled(taken, spool)
        if self._forwarder and waiting:
            self._forwarder.wake()
        self._tell(adapter, handled)
        return handled

    async def _committed(self, taken: "_Taken", spool: Spool | None) -> tuple[Handled, ...]:
        """Raises StoreUnavailableError; where there is a spool, also when it would take long.

        It may be committed all the same then: the drain knows it again by its events.
        """
        if self._writer.behind:
            raise StoreUnavailableError("the writer is behind")
        return await self._writer.commit(
            partial(self._enter, taken),
            list(map(_coming, taken.kept, taken.decided)),
            patience=self._patience if spool and taken.kept else None,
            late=partial(self._tell, taken.adapter),
        )

    def _enter(self, taken: "_Taken", tx: Transaction) -> tuple[Handled, ...]:
        # the first rules may have loaded since, and what was kept may be decided already
        now = taken.decided if all(taken.decided) else self._decided(taken.kept)
        handled = tuple(
            accept(_kept(event, whose), whose, tx=tx, public_url=self._public_url)
            for event, whose in zip(taken.kept, now, strict=True)
        )
        if taken.waiting and not came_before(handled):
            tx.forward(taken.waiting)
        tx.over_quota(len(taken.over))
        return handled + tuple(Handled(event.event_id, "over_quota") for event in taken.over)

    async def _spooled(self, taken: "_Taken", spool: Spool) -> tuple[Handled, ...]:
        """Raises SpoolFullError."""
        await asyncio.wrap_future(spool.put(_batch(taken)))
        owners = [whose.ownership if whose else None for whose in taken.decided]
        owners += [None] * len(taken.over)
        return tuple(
            Handled(event.event_id, "spooled", ownership=ownership)
            for event, ownership in zip((*taken.kept, *taken.over), owners, strict=True)
        )

    def _tell(self, adapter: str, handled: Sequence[Handled]) -> None:
        for one in handled:
            self._telemetry.received(adapter, one)

    def decide_kept(self, rules: Rules) -> int:
        """Decide what was kept while no rules had loaded, oldest first. How many they were."""
        done = 0
        while handled := self._writer.run(lambda tx: self._decide_chunk(tx, rules)):
            for one in handled:
                self._telemetry.decided(one)
            done += len(handled)
        return done

    async def _sealed(self, onward: Envelope, decided: Sequence[Decided | None]) -> Waiting | None:
        """With each event's owner in its tags; on a thread where that takes long."""
        if self._forwarder is None:
            return None
        seal = partial(_close, self._forwarder, onward, decided)
        if sum(len(item.payload) for item in onward.items) > LARGE:
            return await asyncio.to_thread(seal)
        return seal()

    async def _decided_beside(self, events: Sequence[Event]) -> list[Decided | None]:
        """On a thread where it takes long, so that other senders need not wait."""
        frames = sum(len(error.frames) for event in events for error in event.exceptions)
        if frames + len(events) > MANY_FRAMES:
            return await asyncio.to_thread(self._decided, events)
        return self._decided(events)

    def _decided(self, events: Sequence[Event]) -> list[Decided | None]:
        """None, for each: no rules have loaded yet."""
        rules = self._rules()
        return [self.decisions.of(event, rules) if rules else None for event in events]

    def _decide_chunk(self, tx: Transaction, rules: Rules) -> list[Handled]:
        return [
            handle(
                masked(decide(event, rules)),
                tx=tx,
                public_url=self._public_url,
                now=event.received_at,
            )
            for event in tx.undecided_events(_CHUNK)
        ]


def _close(
    forwarder: Forwarder, onward: Envelope, decided: Sequence[Decided | None]
) -> Waiting | None:
    tags = [tags_of(whose.ownership if whose else None) for whose in decided]
    return forwarder.waiting(tagged(onward, tags), onward.received_at, error=bool(onward.events))


class _Taken(NamedTuple):
    """What is accepted at once."""

    adapter: str
    kept: Sequence[Event]
    decided: Sequence[Decided | None]
    over: Sequence[Event]  # beyond the quota
    waiting: Waiting | None  # for the upstream


def _batch(taken: _Taken) -> Batch:
    parts: list[Event | Waiting] = [*taken.kept, *taken.over]
    if taken.waiting:
        parts.append(taken.waiting)
    return Batch(
        adapter=taken.adapter,
        received_at=parts[0].received_at,
        events=tuple(map(_spooled, taken.kept, taken.decided)),
        over=tuple(event.event_id for event in taken.over),
        onward=taken.waiting,
    )


def _spooled(event: Event, decided: Decided | None) -> Spooled:
    return Spooled(_kept(event, decided), decided.grouped.fingerprints if decided else ())


def _coming(event: Event, decided: Decided | None) -> Coming:
    known_by = decided.grouped.fingerprints if decided else ()
    return Coming(event.project, event.event_id, known_by)


def _kept(event: Event, decided: Decided | None) -> Event:
    return decided.event if decided else mask(event, None)
