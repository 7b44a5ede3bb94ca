"""The part of a transaction that keeps envelopes on their way to the upstream, sealed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.store.rows import Waiting
from service.store.statement import every
from service.store.statements import Statements
from service.store.tables import from_us, to_us


class Envelopes:
    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements
        self._envelopes: list[dict[str, Any]] = []

    def forward(self, envelope: Waiting) -> None:
        """Keep a sealed envelope until the upstream has taken it."""
        at = to_us(envelope.received_at)
        self._envelopes.append(
            {
                "id": envelope.id,
                "received_at": at,
                "due_at": at,
                "error": int(envelope.error),
                "size": len(envelope.sealed),
                "sealed": envelope.sealed,
            }
        )

    def claim_envelopes(self, now: datetime, until: datetime, limit: int) -> list[Waiting]:
        """Those that are due longest, which no other is given before `until`."""
        rows = every(self._sql.due_envelopes.run(self._cursor, {"now": to_us(now), "limit": limit}))
        self.defer_envelopes([row["id"] for row in rows], until)
        return [
            Waiting(
                id=row["id"],
                received_at=from_us(row["received_at"]),
                error=bool(row["error"]),
                sealed=row["sealed"],
            )
            for row in rows
        ]

    def defer_envelopes(self, ids: Sequence[str], until: datetime) -> None:
        rows = [{"i": one, "due": to_us(until)} for one in ids]
        self._sql.defer_envelope.run_all(self._cursor, rows)

    def drop_envelopes(self, ids: Sequence[str]) -> None:
        self._sql.drop_envelope.run_all(self._cursor, [{"i": one} for one in ids])
