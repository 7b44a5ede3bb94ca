"""Which events came before: an event counts once within the window, by (project, event_id).

Ids outlive the window until they are expired, so it is 24 h at the least.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec

from matchers.event import Event
from service.store.statements import Statements
from service.store.tables import to_us

WINDOW = timedelta(hours=24)
START = ("", "")  # before the first id

Id = tuple[str, str]  # project, event_id


class Coming(msgspec.Struct, frozen=True):
    """An event that a job will accept, told beforehand so that a batch is read at once."""

    project: str
    event_id: str
    fingerprints: tuple[str, ...] = ()  # of its group, the newest recipe's first


class Before(msgspec.Struct, frozen=True):
    """An event that came before."""

    group: str | None  # None: undecided
    received_at: int  # µs


class EventIds:
    """Those of one transaction: read for a whole batch, written at its end."""

    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements
        self._known: dict[Id, str | None] = {}
        self._at: dict[Id, int] = {}  # when those that the database holds were received
        self._asked: set[Id] = set()  # of the database
        self._new: dict[Id, int] = {}

    def read(self, ids: Iterable[Id]) -> None:
        """Ask for all of them at once."""
        by_project: dict[str, list[str]] = {}
        for project, event_id in set(ids) - self._asked:
            by_project.setdefault(project, []).append(event_id)
            self._asked.add((project, event_id))
        for project, event_ids in by_project.items():
            rows = self._sql.known_ids.run(self._cursor, event_ids, {"project": project})
            for row in rows:
                key = project, row["event_id"]
                self._known[key], self._at[key] = row["group_id"], row["received_at"]

    def before(self, event: Event) -> Before | None:
        """None: it is new."""
        key = (event.project, event.event_id)
        if key not in self._asked:
            self.read((key,))
        if key not in self._known:
            return None
        return Before(self._known[key], self._at.get(key) or self._new.get(key, 0))

    def add(self, event: Event) -> None:
        """One that is new."""
        key = (event.project, event.event_id)
        self._new[key] = to_us(event.received_at)
        self._known[key] = None
        self._asked.add(key)

    def settle(self, event: Event, group: str) -> bool:
        """It is of this group. False: an earlier transaction accepted it."""
        key = (event.project, event.event_id)
        self._known[key] = group
        if key in self._new:
            return True
        named = {"p": event.project, "e": event.event_id, "g": group}
        self._sql.settle_id.run(self._cursor, named)
        return False

    def expire(self, before: int, after: Id, limit: int) -> tuple[Id | None, int]:
        """Forget those received before, of the `limit` ids that follow `after`.

        The last one that was looked at, to go on from (None: that was the end), and how many.
        """
        place = {"p": after[0], "e": after[1]}
        last = self._sql.id_after.run(self._cursor, place | {"skip": limit - 1}).fetchone()
        to = {"p2": last[0], "e2": last[1]} if last else {}
        statement = self._sql.expire_ids if last else self._sql.expire_last_ids
        expired = statement.run(self._cursor, place | to | {"before": before}).rowcount
        return (last[0], last[1]) if last else None, int(expired)

    def flush(self) -> None:
        rows = [
            {"project": p, "event_id": e, "received_at": at, "group_id": self._known[p, e]}
            for (p, e), at in sorted(self._new.items())
        ]
        self._sql.add_id.run_all(self._cursor, rows)
