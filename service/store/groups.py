"""The groups of one transaction: read once, counted event by event in memory, written once."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from matchers.event import Event, title
from matchers.fingerprint import group_id
from matchers.ownership import Ownership, culprit
from routers.group import Audience, Group
from service.store.known import Entry, Known
from service.store.rows import audience_row, group_record, group_row
from service.store.statement import every, one
from service.store.statements import Statements
from service.store.tables import to_us


class Groups:
    def __init__(self, cursor: Any, statements: Statements, known: Known) -> None:
        """known: the writer's; it outlives the transaction."""
        self._cursor = cursor
        self._sql = statements
        self._known = known
        self._absent: set[tuple[str, str]] = set()  # (project, fingerprint) that name no group
        self._claimed: set[tuple[str, str]] = set()  # of these, whose group is ours to make
        self._changed: dict[str, Entry] = {}
        self._fingerprints: list[dict[str, str]] = []

    def read(self, names: Iterable[tuple[str, str]]) -> None:
        """Ask at once for all groups that are known by these: (project, fingerprint)."""
        by_project: dict[str, list[str]] = {}
        for project, fingerprint in dict.fromkeys(names):
            if not self._is_read(project, fingerprint):
                by_project.setdefault(project, []).append(fingerprint)
                self._absent.add((project, fingerprint))
        for project, fingerprints in sorted(by_project.items()):
            fingerprints.sort()
            params = {"project": project}
            rows = self._sql.groups_by_fingerprint.run(self._cursor, fingerprints, params)
            for row in rows:
                name = (project, row.pop("known_by"))
                self._absent.discard(name)
                self._known.ids[name] = row["id"]
            self._load(rows)

    def claim(self, names: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """Where others write at the same time: name the groups that nobody knows.

        Of several that do, one goes on and makes the group; the others wait here for its end, and
        read what it made. names: (project, an event's fingerprints), which are read.
        """
        new = {
            (project, fingerprints[0])
            for project, fingerprints in names
            if fingerprints and all((project, each) in self._absent for each in fingerprints)
        } - self._claimed
        rows = [
            {"project": project, "fingerprint": one, "group_id": group_id(project, one)}
            for project, one in sorted(new)
        ]
        self._sql.put_fingerprint.run_all(self._cursor, rows)
        self._claimed |= new
        self._absent -= new
        self.read(new)

    def record(
        self,
        event: Event,
        ownership: Ownership,
        fingerprints: tuple[str, ...],
        name: str | None = None,
    ) -> Group:
        """Count the event in its group, which is made where none of the fingerprints knows one.

        name: the title of a group that is made; None: the event's own.
        """
        entry = self._found(event.project, fingerprints)
        if entry is None and self._sql.shared:
            self.claim([(event.project, fingerprints)])
            entry = self._found(event.project, fingerprints)
        if entry is None:
            entry = self._made(event, ownership, fingerprints[0], name or title(event))
        entry.see(to_us(event.received_at))
        group = entry.group
        group = msgspec.structs.replace(
            group,
            times_seen=group.times_seen + 1,
            first_seen=min(group.first_seen, event.received_at),
            last_seen=max(group.last_seen, event.received_at),
            last_event_id=event.event_id,
            culprit=culprit(ownership, event.transaction) or group.culprit,
            level=event.level,
        )
        self._put(group)
        return group

    def seen_in_hour(self, id: str) -> int:  # noqa: A002
        """How often this group, which is recorded, came in its newest hour."""
        return self._known.entries[id].hour_seen

    def tell(self, group: Group, audiences: tuple[Audience, ...]) -> None:
        """Remember what these audiences of the group now know."""
        told = {(audience.team, audience.environment): audience for audience in group.audiences}
        told |= {(audience.team, audience.environment): audience for audience in audiences}
        self._put(msgspec.structs.replace(group, audiences=tuple(told.values())))

    def by_id(self, id: str) -> Group | None:  # noqa: A002
        """As it stands in this transaction."""
        if id not in self._known.entries:
            self._load(every(self._sql.group_by_id.run(self._cursor, {"id": id})))
        entry = self._known.entries.get(id)
        return entry.group if entry else None

    def change(self, id: str, change: Callable[[Group], Group]) -> Group | None:  # noqa: A002
        """None: there is no such group."""
        group = self.by_id(id)
        if group is None:
            return None
        changed = change(group)
        self._put(changed)
        return changed

    def baseline(self, team: str | None, now: datetime) -> dict[str, int]:
        """Mark what is known as told to everybody who would be, or to one team; how many that is.

        What is resolved counts as told before it was, so that it may still come back.
        """
        self.write()
        self.forget()
        asked = {"whose": team}
        if self._sql.shared:  # what another counts meanwhile would be written over this
            self._sql.lock_heard.run(self._cursor, asked)
        counted = one(self._sql.count_audiences.run(self._cursor, asked))
        self._sql.baseline.run(self._cursor, asked | {"now": to_us(now)})
        return counted or {}

    def forget(self) -> None:
        """They are changed beside this: whoever comes later reads them again."""
        self._known.forget()
        self._absent.clear()

    def write(self) -> None:
        changed = self._changed.values()
        rows = [
            group_row(entry.group) | {"hour": entry.hour, "hour_seen": entry.hour_seen}
            for entry in changed
        ]
        self._sql.put_group.run_all(self._cursor, rows)
        self._sql.put_fingerprint.run_all(self._cursor, self._fingerprints)
        self._sql.put_audience.run_all(
            self._cursor,
            [
                audience_row(entry.group.id, told)
                for entry in changed
                for told in entry.group.audiences
            ],
        )
        self._changed.clear()
        self._fingerprints.clear()

    def _found(self, project: str, fingerprints: tuple[str, ...]) -> Entry | None:
        for version, fingerprint in enumerate(fingerprints):
            self.read([(project, fingerprint)])
            id = self._known.ids.get((project, fingerprint))  # noqa: A001
            if id is None:
                continue
            entry = self._known.entries[id]
            if version > 0:  # found by a former recipe: from now on by the new one too
                self._name(entry.group, fingerprints[0])
            self._known.used(id, (project, fingerprint))
            return entry
        return None

    def _is_read(self, project: str, fingerprint: str) -> bool:
        name = (project, fingerprint)
        return name in self._absent or self._known.ids.get(name) in self._known.entries

    def _load(self, rows: list[dict[str, Any]]) -> None:
        """What this transaction has changed already stays as it is."""
        new = {row["id"]: row for row in rows if row["id"] not in self._known.entries}
        told: dict[str, list[dict[str, Any]]] = {id: [] for id in new}  # noqa: A001
        for row in self._sql.audiences.run(self._cursor, list(new)):
            told[row["group_id"]].append(row)
        for id, row in new.items():  # noqa: A001
            group = group_record(row, told[id])
            self._known.entries[id] = Entry(group, row["hour"], row["hour_seen"])

    def _made(self, event: Event, ownership: Ownership, fingerprint: str, title: str) -> Entry:
        group = Group(
            id=group_id(event.project, fingerprint),
            project=event.project,
            fingerprint=fingerprint,
            title=title,
            culprit=culprit(ownership, event.transaction),
            team=ownership.owner,
            level=event.level,
            first_seen=event.received_at,
            last_seen=event.received_at,
        )
        self._known.entries[group.id] = entry = Entry(group)
        self._name(group, fingerprint)
        return entry

    def _name(self, group: Group, fingerprint: str) -> None:
        self._absent.discard((group.project, fingerprint))
        self._known.ids[group.project, fingerprint] = group.id
        self._fingerprints.append(
            {"project": group.project, "fingerprint": fingerprint, "group_id": group.id}
        )

    def _put(self, group: Group) -> None:
        self._changed[group.id] = entry = self._known.entries[group.id]
        entry.group = group
