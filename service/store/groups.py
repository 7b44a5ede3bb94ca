"""The groups of one transaction, in memory: read once, counted event by event, written once."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from matchers.event import Event, title
from matchers.fingerprint import group_id
from matchers.ownership import Ownership, culprit
from routers.group import Audience, Group
from service.store.rows import group_record
from service.store.statements import Statements


class Groups:
    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements
        self._ids: dict[tuple[str, str], str] = {}  # (project, fingerprint) → id
        self._groups: dict[str, Group] = {}
        self._changed: dict[str, None] = {}
        self._fingerprints: list[dict[str, str]] = []

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
        group = self._known(event.project, fingerprints)
        if group is None:
            group = self._made(event, ownership, fingerprints[0], name or title(event))
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

    def tell(self, group: Group, audiences: tuple[Audience, ...]) -> None:
        """Remember what these audiences of the group now know."""
        told = {(audience.team, audience.environment): audience for audience in group.audiences}
        told |= {(audience.team, audience.environment): audience for audience in audiences}
        self._put(msgspec.structs.replace(group, audiences=tuple(told.values())))

    def by_id(self, id: str) -> Group | None:  # noqa: A002
        """As it stands in this transaction."""
        return self._groups.get(id) or self._load(self._sql.group_by_id, {"id": id})

    def change(self, id: str, change: Callable[[Group], Group]) -> Group | None:  # noqa: A002
        """None: there is no such group."""
        group = self.by_id(id)
        if group is None:
            return None
        self._put(change(group))
        return self._groups[id]

    def changed(self) -> list[Group]:
        return [self._groups[id] for id in self._changed]  # noqa: A001

    def fingerprints(self) -> list[dict[str, str]]:
        return self._fingerprints

    def _known(self, project: str, fingerprints: tuple[str, ...]) -> Group | None:
        for version, fingerprint in enumerate(fingerprints):
            known = self._ids.get((project, fingerprint))
            group = self._groups[known] if known else self._read(project, fingerprint)
            if group is not None:
                if version > 0:  # found by a former recipe: from now on by the new one too
                    self._name(group, fingerprints[0])
                return group
        return None

    def _read(self, project: str, fingerprint: str) -> Group | None:
        params = {"project": project, "fingerprint": fingerprint}
        group = self._load(self._sql.group_by_fingerprint, params)
        if group is not None:
            self._ids[project, fingerprint] = group.id
        return group

    def _load(self, statement: Any, params: Mapping[str, str]) -> Group | None:
        row = one(statement.run(self._cursor, params))
        if row is None:
            return None
        if row["id"] in self._groups:  # read before, by another of its fingerprints
            return self._groups[row["id"]]
        audiences = every(self._sql.audiences.run(self._cursor, {"group_id": row["id"]}))
        self._groups[row["id"]] = group = group_record(row, audiences)
        return group

    def _made(self, event: Event, ownership: Ownership, fingerprint: str, title: str) -> Group:
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
        self._put(group)
        self._name(group, fingerprint)
        return group

    def _name(self, group: Group, fingerprint: str) -> None:
        self._ids[group.project, fingerprint] = group.id
        self._fingerprints.append(
            {"project": group.project, "fingerprint": fingerprint, "group_id": group.id}
        )

    def _put(self, group: Group) -> None:
        self._groups[group.id] = group
        self._changed[group.id] = None


def one(cursor: Any) -> dict[str, Any] | None:
    row = cursor.fetchone()
    return None if row is None else dict(zip(_names(cursor), row, strict=True))


def every(cursor: Any) -> list[dict[str, Any]]:
    names = _names(cursor)
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _names(cursor: Any) -> list[str]:
    return [column[0] for column in cursor.description]
