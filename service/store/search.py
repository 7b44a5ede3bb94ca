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
    Dialect,
    Engine,
    Select,
    and_,
    false,
    func,
    select,
    union_all,
)

from matchers.event import Event
from service.store.bodies import decision_in, event_in
from service.store.paging import Moment, Page, decode, page
from service.store.search_tables import (
    EVENT_WORDS,
    GROUP_WORDS,
    SearchStatements,
    matching,
    number,
    whole_words,
)
from service.store.tables import EVENTS, GROUPS, PROGRESS
from service.words import asked

_WORK = "search"


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


class SearchStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def events(self, wanted: EventFilter, limit: int, cursor: str | None = None) -> Page:
        """Those that are kept, the newest first. Raises CursorError."""
        query = self._query(wanted).order_by(EVENTS.c.sequence.desc()).limit(limit + 1)
        if cursor:
            query = query.where(EVENTS.c.sequence < decode(cursor, tuple[Moment])[0])
        with self._engine.begin() as connection:
            found = [_found(row) for row in connection.execute(query).mappings()]
        return page(found, limit, lambda one: [one.sequence])

    def newest(self) -> int:
        """The number of the event that was kept last."""
        with self._engine.begin() as connection:
            return connection.execute(select(func.max(EVENTS.c.sequence))).scalar() or 0

    def unindexed(self, upto: int, limit: int) -> list[Unindexed]:
        """The first that were kept since."""
        query = select(EVENTS.c.sequence, EVENTS.c.group_id, EVENTS.c.body)
        query = query.where(_is_new(), EVENTS.c.sequence <= upto)
        with self._engine.begin() as connection:
            rows = connection.execute(query.order_by(EVENTS.c.sequence).limit(limit)).all()
        return [Unindexed(row.sequence, row.group_id, event_in(row.body)) for row in rows]

    def behind(self) -> int:
        """How many events are not indexed yet."""
        with self._engine.begin() as connection:
            newest = connection.execute(select(func.max(EVENTS.c.sequence))).scalar() or 0
            return max(0, newest - (connection.execute(select(_upto())).scalar() or 0))

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

    def _query(self, wanted: EventFilter) -> Select[Any]:
        query = select(EVENTS)
        if wanted.q is not None:
            return self._matching(query, wanted, asked(wanted.q))
        if wanted.group is not None:
            query = query.where(EVENTS.c.group_id == wanted.group)
        if wanted.project is not None:
            query = query.where(EVENTS.c.project == wanted.project)
        return query

    def _matching(
        self, query: Select[Any], wanted: EventFilter, words: Sequence[str]
    ) -> Select[Any]:
        if not words:
            return query.where(false())
        whole = whole_words(wanted.group, wanted.project)
        found = matching(EVENT_WORDS, words, whole, self._engine.dialect)
        return query.join(EVENT_WORDS, EVENT_WORDS.c.rowid == EVENTS.c.sequence).where(found)


class Search:
    """What one transaction does to the indexes."""

    def __init__(self, cursor: Any, statements: SearchStatements) -> None:
        self._cursor = cursor
        self._sql = statements

    def put(
        self, events: Mapping[int, Sequence[str]], groups: Mapping[str, Sequence[str]], upto: int
    ) -> None:
        """events: by sequence, what was not indexed yet; upto: the last of all that now are."""
        rows = [{"rowid": one, "words": " ".join(words)} for one, words in events.items()]
        self._sql.add_event.run_all(self._cursor, rows)
        self.drop_groups(groups)
        named = [
            {"rowid": number(id), "group_id": id, "words": " ".join(words)}
            for id, words in groups.items()  # noqa: A001
        ]
        self._sql.add_group.run_all(self._cursor, named)
        self._sql.reach.run(self._cursor, {"work": _WORK, "upto": upto})

    def drop_events(self, sequences: Iterable[int]) -> None:
        self._sql.drop_event.run_all(self._cursor, [{"n": one} for one in sequences])

    def drop_groups(self, ids: Iterable[str]) -> None:
        self._sql.drop_group.run_all(self._cursor, [{"n": number(one)} for one in ids])


def groups_found(q: str, dialect: Dialect) -> CompoundSelect[Any] | Select[Any]:
    """The ids of groups that it asks for."""
    words = asked(q)
    if not words:
        return select(GROUPS.c.id).where(false())
    indexed = select(GROUP_WORDS.c.group_id).where(matching(GROUP_WORDS, words, (), dialect))
    return union_all(indexed, select(GROUPS.c.id).where(_just_seen(), _shows(q)))


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
    return select(PROGRESS.c.upto).where(PROGRESS.c.work == _WORK).scalar_subquery()


def _found(row: Any) -> Found:
    return Found(
        sequence=row["sequence"],
        group=row["group_id"],
        outcome=row["outcome"],
        event=event_in(row["body"]),
        decision=decision_in(row["decision"]),
    )
