"""Which destinations fail: routers/breaker.py decides, this keeps it, in memory and database."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, select

from routers.breaker import Breaker, failed, probed
from routers.channels.base import Channel
from routers.errors import DeliveryError
from routers.rules import Rules
from service.store.tables import BREAKERS, from_us
from service.store.transaction import Transaction


class Breakers:
    def __init__(self, engine: Engine, rules: Callable[[], Rules | None]) -> None:
        self._engine = engine
        self._rules = rules
        self._known: dict[str, Breaker] = {}
        self._about: dict[str, Channel] = {}  # what failed: another setting is another destination

    def load(self) -> None:
        """As it was before a restart."""
        with self._engine.begin() as connection:
            rows = [dict(row) for row in connection.execute(select(BREAKERS)).mappings()]
        self._known = {row["receiver"]: _breaker(row) for row in rows}

    def of(self, receiver: str) -> Breaker | None:
        """None: it is well, as far as anybody knows; or there is no such channel now."""
        known, channel = self._known.get(receiver), self._channel(receiver)
        if known is None or channel is None:
            return None
        return known if self._about.setdefault(receiver, channel) == channel else None

    def open(self) -> dict[str, Breaker]:
        """Those that are, by receiver: of channels that the rules name."""
        known = {name: self.of(name) for name in sorted(self._known)}
        return {name: one for name, one in known.items() if one and one.is_open}

    def is_shut(self, receiver: str, now: datetime) -> bool:
        known = self.of(receiver)
        return known is not None and known.is_shut(now)

    def failed(
        self, tx: Transaction, receiver: str, error: DeliveryError, now: datetime
    ) -> Breaker | None:
        """What it is now; None: the failure says nothing of the destination."""
        before = self.of(receiver)
        after = failed(before, error, now)
        if after is None or after == before:
            return None
        self._keep(tx, receiver, after)
        return after

    def probe(self, tx: Transaction, receiver: str, now: datetime) -> None:
        """One is sent to it, open as it is."""
        known = self.of(receiver)
        if known is not None and known.is_open:
            self._keep(tx, receiver, probed(known, now))

    def ask(self, tx: Transaction, receiver: str, now: datetime) -> None:
        """Somebody wants it tried at once."""
        known = self.of(receiver)
        if known is not None and known.is_open:
            self._keep(tx, receiver, msgspec.structs.replace(known, probe_at=now))

    def worked(self, tx: Transaction, receiver: str) -> None:
        if self._known.pop(receiver, None) is not None:
            self._about.pop(receiver, None)
            tx.destinations.drop_breaker(receiver)

    def _keep(self, tx: Transaction, receiver: str, breaker: Breaker) -> None:
        self._known[receiver] = breaker
        channel = self._channel(receiver)
        if channel is not None:
            self._about[receiver] = channel
        tx.destinations.put_breaker(receiver, breaker)

    def _channel(self, receiver: str) -> Channel | None:
        rules = self._rules()
        channel = rules.channels.get(receiver) if rules else None
        return channel if isinstance(channel, Channel) else None


def _breaker(row: Mapping[str, Any]) -> Breaker:
    moments = {
        name: from_us(at) if isinstance(at := row[name], int) else None
        for name in ("since", "opened_at", "probe_at")
    }
    return msgspec.convert(
        {name: row[name] for name in ("failures", "code", "probes")} | moments, Breaker
    )
