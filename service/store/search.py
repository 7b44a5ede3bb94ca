"""Finding groups and events by words, and what is not indexed yet.

Indexing runs beside the accepting (service/search.py), in the order in which events were kept. A
group that was seen since is sought in its title and culprit themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Dialect,
    Engine,
    Select,
    and_,
    false,
    func,
    select,
    tuple_,
    union_all,
)

from matchers.event import Event
from service.store.bodies import decision_in, event_in
from service.store.paging import Moment, Page, decode, page
from service.store.search_tables import (
    EVENT_WORDS,
    FEW,
    GROUP_WORDS,
    SEARCH,
    SHORT,
    SearchStatements,
    matching,
    number,
    spelling,
    whole_words,
)
from service.store.statement import Statement
from service.store.tables import EVENTS, GROUPS, PROGRESS, to_us
from service.words import asked


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is kept."""

    sequence: int
    group: str | None  # None: undecided
    outcome: str
    event: Event
    decision: dict[str, Any] | None


class Unindexed(msgspec.Struct, frozen=True):
    sequence: int
    group: str | None
    event: Event


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """None asks nothing."""

    group: str | None = None
    project: str | None = None
    q: str | None = None


PAGES = 30  # of an index that are written in one job


class SearchStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def events(self, wanted: EventFilter, limit: int, cursor: str | None = None) -> Page:
        """Those that are kept, the newest first. Raises CursorError.

        Of a question or a project as they were indexed, else as they came: by the index of each.
        """
        if wanted.q is None and wanted.project is None:
            return self._as_they_came(wanted.group, limit, cursor)
        with self._engine.begin() as connection:
            first = _indexed(connection, wanted).limit(limit + 1)
            if cursor:
                first = first.where(EVENT_WORDS.c.rowid < decode(cursor, tuple[Moment])[0])
            query = select(EVENTS).where(EVENTS.c.sequence.in_(first))
            query = query.order_by(EVENTS.c.sequence.desc())
            found = [_found(row) for row in connection.execute(query).mappings()]
        return page(found, limit, lambda one: [one.sequence])

    def _as_they_came(self, group: str | None, limit: int, cursor: str | None) -> Page:
        order = (EVENTS.c.received_at, EVENTS.c.event_id)
        query = select(EVENTS).order_by(*(column.desc() for column in order)).limit(limit + 1)
        if group is not None:
            query = query.where(EVENTS.c.group_id == group)
        if cursor:
            query = query.where(tuple_(*order) < decode(cursor, tuple[Moment, str]))
        with self._engine.begin() as connection:
            found = [_found(row) for row in connection.execute(query).mappings()]
        return page(found, limit, lambda one: [to_us(one.event.received_at), one.event.event_id])

    def newest(self) -> int:
        """The number of the event that was kept last."""
        with self._engine.begin() as connection:
            return connection.execute(select(func.max(EVENTS.c.sequence))).scalar() or 0

    def upto(self) -> int:
        """The number of the event that was indexed last."""
        with self._engine.begin() as connection:
            return connection.execute(select(_upto())).scalar() or 0

    def unindexed(self, since: int, upto: int, limit: int) -> list[Unindexed]:
        """The first that were kept between those."""
        query = select(EVENTS.c.sequence, EVENTS.c.group_id, EVENTS.c.body)
        query = query.where(EVENTS.c.sequence > since, EVENTS.c.sequence <= upto)
        with self._engine.begin() as connection:
            rows = connection.execute(query.order_by(EVENTS.c.sequence).limit(limit)).all()
        return [Unindexed(row.sequence, row.group_id, event_in(row.body)) for row in rows]

    def names(self, groups: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Group → its title and culprit."""
        query = select(GROUPS.c.id, GROUPS.c.title, GROUPS.c.culprit)
        with self._engine.begin() as connection:
            rows = connection.execute(query.where(GROUPS.c.id.in_(list(groups)))).all()
        return {row.id: (row.title, row.culprit) for row in rows}

    def words(self, groups: Iterable[str]) -> dict[str, list[str]]:
        """By which each group is found, of those that are indexed."""
        query = select(GROUP_WORDS.c.group_id, GROUP_WORDS.c.words)
        query = query.where(GROUP_WORDS.c.rowid.in_([number(id) for id in groups]))  # noqa: A001
        with self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return {row.group_id: row.words.split() for row in rows}


class Search:
    """What one transaction does to the indexes."""

    def __init__(self, cursor: Any, statements: SearchStatements) -> None:
        self._cursor = cursor
        self._sql = statements

    def put(
        self,
        events: Mapping[int, Sequence[str]],
        groups: Mapping[str, Sequence[str]],
        *,
        since: int,
        upto: int,
    ) -> None:
        """The words of the events between those, and of their groups.

        Nothing, where another service did so first.
        """
        place = {"since": since, "upto": upto}
        if not self._sql.reach.run(self._cursor, place).rowcount:
            return
        rows = [{"rowid": one, "words": " ".join(words)} for one, words in events.items()]
        self._sql.add_event.run_all(self._cursor, rows)
        self.drop_groups(groups)
        named = [
            {"rowid": number(id), "group_id": id, "words": " ".join(words)}
            for id, words in groups.items()  # noqa: A001
        ]
        self._sql.add_group.run_all(self._cursor, named)

    def drop_events(self, sequences: Iterable[int]) -> None:
        self._sql.drop_event.run_all(self._cursor, [{"n": one} for one in sequences])

    def drop_groups(self, ids: Iterable[str]) -> None:
        self._sql.drop_group.run_all(self._cursor, [{"n": number(one)} for one in ids])

    def tidy(self, *, begin: bool) -> bool:
        """Write a few pages of the indexes anew, without what was deleted. False: all are.

        FTS5 only notes what is deleted, until it meets the note as it merges: and it never merges
        the oldest with the newest unless it is told to begin with all.
        Spec: https://www.sqlite.org/fts5.html#the_merge_command
        """
        more = [self._merge(one, begin=begin) for one in self._sql.merge]
        return any(more)

    def _merge(self, statement: Statement, *, begin: bool) -> bool:
        before = self._cursor.connection.total_changes
        statement.run(self._cursor, {"pages": -PAGES if begin else PAGES})
        written: int = self._cursor.connection.total_changes - before
        return written > 1  # it counts itself


def groups_found(q: str, dialect: Dialect) -> CompoundSelect[Any] | Select[Any]:
    """The ids of groups that it asks for."""
    words = asked(q)
    if not words:
        return select(GROUPS.c.id).where(false())
    indexed = select(GROUP_WORDS.c.group_id).where(matching(GROUP_WORDS, words, dialect))
    return union_all(indexed, select(GROUPS.c.id).where(_just_seen(), _shows(q)))


def _indexed(connection: Connection, wanted: EventFilter) -> Select[Any]:
    """Their numbers. The index walks from its end through what it finds, as far as is asked."""
    number, words = EVENT_WORDS.c.rowid, asked(wanted.q or "")
    query = select(number).order_by(number.desc())
    if wanted.q is not None and not words:
        return query.where(false())
    whole = whole_words(wanted.group, wanted.project)
    spelt = _spelt(connection, words)
    return query.where(matching(EVENT_WORDS, words, connection.dialect, whole=whole, spelt=spelt))


def _spelt(connection: Connection, words: Iterable[str]) -> dict[str, list[str]]:
    if connection.dialect.name != "sqlite":
        return {}
    begun = [word for word in words if len(word) > SHORT]
    found = {word: spelling(connection, word, FEW // len(begun)) for word in begun}
    return {word: all_of_it for word, all_of_it in found.items() if all_of_it is not None}


def _shows(q: str) -> ColumnElement[bool]:
    text = func.lower(GROUPS.c.title + " " + GROUPS.c.culprit)
    return and_(*(text.contains(word, autoescape=True) for word in q.lower().split()))


def _just_seen() -> ColumnElement[bool]:
    """Since what was kept is not indexed yet."""
    first = select(EVENTS.c.received_at).where(_is_new()).order_by(EVENTS.c.sequence).limit(1)
    return GROUPS.c.last_seen >= first.scalar_subquery()


def _is_new() -> ColumnElement[bool]:
    return EVENTS.c.sequence > func.coalesce(_upto(), 0)


def _upto() -> Any:
    return select(PROGRESS.c.upto).where(PROGRESS.c.work == SEARCH).scalar_subquery()


def _found(row: Any) -> Found:
    return Found(
        sequence=row["sequence"],
        group=row["group_id"],
        outcome=row["outcome"],
        event=event_in(row["body"]),
        decision=decision_in(row["decision"]),
    )
