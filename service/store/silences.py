"""Silences as they are kept: what each hid, those in force, lists of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine, func, select, tuple_

from routers.silences import Matcher, Silence, State
from service.store.paging import Moment, Page, decode, page
from service.store.tables import SILENCES, from_us, to_us

REFRESH = timedelta(seconds=5)  # after it, what another service on the same database changed holds
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ORDER = [SILENCES.c.ends_at, SILENCES.c.id]


class KeptSilence(msgspec.Struct, frozen=True, kw_only=True):
    silence: Silence
    updated_at: datetime
    hidden: int = 0  # how often it kept a team from being told of an event
    # the last that it hid
    hidden_at: datetime | None = None
    hidden_group: str | None = None
    hidden_team: str | None = None  # None: nobody owns it
    hidden_event: str | None = None
    warned_at: datetime | None = None  # when that team was told that it ends soon


class InForce:
    """The active silences, in memory: read anew as one starts, ends or changes, and after REFRESH.

    While there are none, an event asks for two comparisons.
    """

    def __init__(self) -> None:
        self._active: tuple[Silence, ...] = ()
        self.forget()

    def forget(self) -> None:
        self._since = self._until = _LONG_AGO

    def at(
        self, now: datetime, unended: Callable[[datetime], Sequence[Silence]]
    ) -> tuple[Silence, ...]:
        """unended: reads those that end after a moment."""
        if not self._since <= now < self._until:
            coming = unended(now)
            turns = (one.ends_at if one.starts_at <= now else one.starts_at for one in coming)
            self._active = tuple(one for one in coming if one.starts_at <= now)
            self._since, self._until = now, min([*turns, now + REFRESH])
        return self._active


class SilenceStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, limit: int, cursor: str | None = None, *, state: State | None = None, now: datetime
    ) -> Page:
        """Those that end last first, so the expired ones are at the end. Raises CursorError."""
        query = select(SILENCES).order_by(*(column.desc() for column in _ORDER)).limit(limit + 1)
        if cursor:
            query = query.where(tuple_(*_ORDER) < decode(cursor, tuple[Moment, str]))
        if state:
            query = query.where(*_in_state(state, now))
        with self._engine.begin() as connection:
            found = [kept_silence(row) for row in connection.execute(query).mappings()]
        return page(found, limit, lambda one: [to_us(one.silence.ends_at), one.silence.id])

    def one(self, id: str) -> KeptSilence | None:  # noqa: A002
        with self._engine.begin() as connection:
            query = select(SILENCES).where(SILENCES.c.id == id)
            row = connection.execute(query).mappings().first()
        return None if row is None else kept_silence(row)

    def ending(self, now: datetime, until: datetime, since: datetime) -> list[KeptSilence]:
        """Those that end until then, hid anything since, and were not warned of."""
        query = select(SILENCES).where(
            *_in_state("active", now),
            SILENCES.c.ends_at <= to_us(until),
            SILENCES.c.hidden_at >= to_us(since),
            SILENCES.c.warned_at.is_(None),
        )
        with self._engine.begin() as connection:
            return [kept_silence(row) for row in connection.execute(query).mappings()]

    def active(self, now: datetime) -> int:
        query = select(func.count()).where(*_in_state("active", now))
        with self._engine.begin() as connection:
            return int(connection.execute(query).scalar_one())


def silence_row(silence: Silence, now: datetime) -> dict[str, Any]:
    """Of a new one."""
    return msgspec.structs.asdict(silence) | {
        "matchers": msgspec.json.encode(silence.matchers),
        "starts_at": to_us(silence.starts_at),
        "ends_at": to_us(silence.ends_at),
        "updated_at": to_us(now),
        "hidden": 0,
        "hidden_at": None,
        "hidden_group": None,
        "hidden_team": None,
        "hidden_event": None,
        "warned_at": None,
    }


def kept_silence(row: Mapping[Any, Any]) -> KeptSilence:
    return KeptSilence(
        silence=Silence(
            id=row["id"],
            matchers=msgspec.json.decode(row["matchers"], type=tuple[Matcher, ...]),
            starts_at=from_us(row["starts_at"]),
            ends_at=from_us(row["ends_at"]),
            created_by=row["created_by"],
            comment=row["comment"],
        ),
        updated_at=from_us(row["updated_at"]),
        hidden=row["hidden"],
        hidden_at=None if row["hidden_at"] is None else from_us(row["hidden_at"]),
        hidden_group=row["hidden_group"],
        hidden_team=row["hidden_team"] or None,
        hidden_event=row["hidden_event"],
        warned_at=None if row["warned_at"] is None else from_us(row["warned_at"]),
    )


def _in_state(state: State, now: datetime) -> list[Any]:
    at = to_us(now)
    started, ended = SILENCES.c.starts_at <= at, SILENCES.c.ends_at <= at
    return {"pending": [~started, ~ended], "active": [started, ~ended], "expired": [ended]}[state]
