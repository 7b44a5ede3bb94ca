"""Which destinations fail: routers/breaker.py decides, the database keeps it."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy import Engine

from routers.breaker import Breaker, failed, probed
from routers.channels.base import Channel
from routers.errors import DeliveryError
from routers.rules import Rules
from service.store.destinations import BreakerStore
from service.store.transaction import Transaction


class Breakers:
    def __init__(self, engine: Engine, rules: Callable[[], Rules | None]) -> None:
        self._store = BreakerStore(engine)
        self._rules = rules
        self._about: dict[str, Channel] = {}  # what failed: another setting is another destination

    def open(self) -> dict[str, Breaker]:
        """Those that are, by receiver: of channels that the rules name."""
        known = self._store.every()
        found = {name: self._as_it_is(name, known[name]) for name in sorted(known)}
        return {name: one for name, one in found.items() if one and one.is_open}

    def shown(self, receiver: str) -> Breaker | None:
        """As of `of`, for whoever is in no transaction."""
        return self._as_it_is(receiver, self._store.one(receiver))

    def of(self, tx: Transaction, receiver: str) -> Breaker | None:
        """None: it is well, as far as anybody knows; or there is no such channel now."""
        return self._as_it_is(receiver, tx.destinations.breaker(receiver))

    def is_shut(self, tx: Transaction, receiver: str, now: datetime) -> bool:
        known = self.of(tx, receiver)
        return known is not None and known.is_shut(now)

    def failed(
        self, tx: Transaction, receiver: str, error: DeliveryError, now: datetime
    ) -> Breaker | None:
        """What it is now; None: the failure says nothing of the destination."""
        before = self._as_it_is(receiver, tx.destinations.lock_breaker(receiver))
        after = failed(before, error, now)
        if after is None or after == before:
            return None
        self._keep(tx, receiver, after)
        return after

    def probe(self, tx: Transaction, receiver: str, now: datetime) -> None:
        """One is sent to it, open as it is."""
        known = self.of(tx, receiver)
        if known is not None and known.is_open:
            self._keep(tx, receiver, probed(known, now))

    def ask(self, tx: Transaction, receiver: str, now: datetime) -> None:
        """Somebody wants it tried at once."""
        known = self.of(tx, receiver)
        if known is not None and known.is_open:
            self._keep(tx, receiver, msgspec.structs.replace(known, probe_at=now))

    def worked(self, tx: Transaction, receiver: str) -> None:
        if tx.destinations.breaker(receiver) is not None:
            self._about.pop(receiver, None)
            tx.destinations.drop_breaker(receiver)

    def _as_it_is(self, receiver: str, known: Breaker | None) -> Breaker | None:
        if known is None:
            self._about.pop(receiver, None)
            return None
        channel = self._channel(receiver)
        if channel is None:
            return None
        return known if self._about.setdefault(receiver, channel) == channel else None

    def _keep(self, tx: Transaction, receiver: str, breaker: Breaker) -> None:
        channel = self._channel(receiver)
        if channel is not None:
            self._about[receiver] = channel
        tx.destinations.put_breaker(receiver, breaker)

    def _channel(self, receiver: str) -> Channel | None:
        rules = self._rules()
        channel = rules.channels.get(receiver) if rules else None
        return channel if isinstance(channel, Channel) else None
