"""The part of a transaction that deletes what is past its time, and enters what it took in a book.

What the books count by its rows is counted as taken in the transaction that takes it: nothing is
ever unaccounted for.
"""

from collections import Counter
from datetime import datetime
from typing import Any, Literal, get_args

from service.store.groups import Groups
from service.store.search import Search
from service.store.statement import every
from service.store.statements import Statements
from service.store.tables import HOUR, to_us

Kind = Literal[
    "events", "tallies", "groups", "deliveries", "storms", "audit", "silences", "revisions"
]
KINDS: tuple[Kind, ...] = get_args(Kind)  # in this order: a group outlives its events


class Retention:
    def __init__(
        self,
        cursor: Any,
        statements: Statements,
        groups: Groups,
        search: Search,
        books: Counter[tuple[str, str]],
    ) -> None:
        """books: the transaction's."""
        self._cursor = cursor
        self._sql = statements.ageing
        self._groups = groups
        self._search = search
        self._books = books

    def take(self, kind: Kind, before: datetime, limit: int) -> int:
        """How many rows it was. Fewer than the limit: that was the last that is so old."""
        if kind == "groups":
            self._groups.write()  # what this transaction saw is not that old any more
        moment = to_us(before) // HOUR if kind == "tallies" else to_us(before)
        taken = self._sql.oldest[kind].run(self._cursor, {"before": moment, "limit": limit})
        if kind == "events":
            return self._events(every(taken))
        if kind == "groups":
            return self._old_groups(every(taken))
        if kind == "deliveries":
            return self._deliveries(every(taken))
        return int(taken.rowcount)

    def _events(self, rows: list[dict[str, Any]]) -> int:
        self._books["taken", "events"] += len(rows)
        self._search.drop_events(row["sequence"] for row in rows)
        return len(rows)

    def _old_groups(self, rows: list[dict[str, Any]]) -> int:
        self._books["taken", "groups"] += sum(row["times_seen"] for row in rows)
        self._search.drop_groups(row["id"] for row in rows)
        if rows:
            self._groups.forget()
        for statement in self._sql.of_group:
            statement.run_all(self._cursor, [{"id": row["id"]} for row in rows])
        return len(rows)

    def _deliveries(self, rows: list[dict[str, Any]]) -> int:
        for row in rows:
            self._books["taken", row["state"]] += 1
        return len(rows)
