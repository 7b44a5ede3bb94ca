"""The part of a transaction that keeps silences."""

from datetime import datetime
from typing import Any

from routers.silences import Silence
from service.store.silences import InForce, KeptSilence, kept_silence, silence_row
from service.store.statement import every, one
from service.store.statements import Statements
from service.store.tables import to_us


class Silenced:
    _cursor: Any
    _sql: Statements
    _in_force: InForce  # the writer's; it outlives the transaction

    def silences(self, now: datetime) -> tuple[Silence, ...]:
        """Those that are active."""
        return self._in_force.at(now, self._unended)

    def put_silence(self, silence: Silence, now: datetime) -> None:
        self._sql.add_silence.run(self._cursor, silence_row(silence, now))
        self._in_force.forget()

    def end_silence(self, id: str, now: datetime) -> KeptSilence | None:  # noqa: A002
        """As it then is; one that ended before stays. None: there is no such silence."""
        row = one(self._sql.silence.run(self._cursor, {"id": id}))
        if row is None:
            return None
        at = to_us(now)
        if row["ends_at"] > at:
            ended = {"starts_at": min(row["starts_at"], at), "ends_at": at, "updated_at": at}
            self._sql.end_silence.run(self._cursor, ended | {"i": id})
            row |= ended
            self._in_force.forget()
        return kept_silence(row)

    def mark_warned(self, id: str, now: datetime) -> bool:  # noqa: A002
        """False: it was before."""
        marked = self._sql.mark_warned.run(self._cursor, {"i": id, "at": to_us(now)})
        return int(marked.rowcount) == 1

    def _unended(self, now: datetime) -> list[Silence]:
        rows = every(self._sql.unended_silences.run(self._cursor, {"now": to_us(now)}))
        return [kept_silence(row).silence for row in rows]
