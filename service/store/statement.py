"""A statement compiled once per dialect, to run on the raw DBAPI cursor."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, zip_longest
from types import MappingProxyType
from typing import Any

from sqlalchemy import Dialect, Insert, Table, bindparam
from sqlalchemy.dialects.postgresql import insert as upsert_insert
from sqlalchemy.sql.elements import ClauseElement

from service.store.rows_json import as_json, from_json, listed

Row = dict[str, Any]


_VALUES = re.compile(r"\bVALUES (\([?, ]*\))")
_TOGETHER = (64, 16, 4)  # rows that one execution writes


class Statement:
    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        if isinstance(clause, Insert):
            clause = clause.inline()  # nobody asks for the numbers that rows were given
        compiled = clause.compile(dialect=dialect)
        self._sql = str(compiled)
        # for each row on its own SQLite's driver would let other threads run, and wait its turn
        found = _VALUES.search(self._sql)
        values = found[1] if found else ""
        self._of_many = {
            count: self._sql.replace(values, ", ".join([values] * count), 1)
            for count in (_TOGETHER if values else ())
        }
        self._constants = {
            name: value for name, value in compiled.params.items() if value is not None
        }
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)
        self._from_json = None
        if isinstance(clause, Insert) and dialect.name == "postgresql":
            self._from_json = from_json(self._sql, clause.table, tuple(compiled.params), dialect)

    def run(self, cursor: Any, params: Row) -> Any:
        """The cursor, ready to fetch from."""
        cursor.execute(self._sql, self._bind(params))
        return cursor

    def run_all(self, cursor: Any, rows: Sequence[Row]) -> int:
        """How many rows of the table it changed."""
        if not rows:
            return 0
        if self._from_json:
            cursor.execute(self._from_json, {"rows": as_json(rows)})
            return int(cursor.rowcount)
        bound, start, changed = [self._bind(row) for row in rows], 0, 0
        for count, sql in self._of_many.items():
            while len(bound) - start >= count:
                some = bound[start : start + count]
                cursor.execute(sql, list(chain.from_iterable(some)))
                start, changed = start + count, changed + cursor.rowcount
        if start < len(bound):
            cursor.executemany(self._sql, bound[start:])
            changed += cursor.rowcount
        return changed

    def _bind(self, params: Row) -> Any:
        bound = self._constants | params if self._constants else params
        return bound if self._order is None else [bound[name] for name in self._order]


class Listed:
    """A statement that asks for a list of values: at once, or compiled for a few lengths."""

    LENGTHS = (1, 8, 64, 256)

    def __init__(self, clause: Callable[[Any], ClauseElement], dialect: Dialect) -> None:
        """clause: as it is with these in its list."""
        self._whole: Statement | None = None
        if dialect.name == "postgresql":
            self._whole = Statement(clause(listed()), dialect)
        self._by_length = {
            length: (names, Statement(clause([bindparam(name) for name in names]), dialect))
            for length in (self.LENGTHS if self._whole is None else ())
            for names in [[f"v{n}" for n in range(length)]]
        }

    def run(
        self, cursor: Any, values: Sequence[Any], params: Mapping[str, Any] = MappingProxyType({})
    ) -> list[Row]:
        if self._whole is not None:
            return every(self._whole.run(cursor, {"values": as_json(values), **params}))
        rows: list[Row] = []
        for start in range(0, len(values), self.LENGTHS[-1]):
            some = values[start : start + self.LENGTHS[-1]]
            names, statement = self._by_length[next(n for n in self.LENGTHS if n >= len(some))]
            # a short list repeats its last
            padded = dict(zip_longest(names, some, fillvalue=some[-1]))
            rows += every(statement.run(cursor, {**padded, **params}))
        return rows


def one(cursor: Any) -> Row | None:
    row = cursor.fetchone()
    return None if row is None else dict(zip(_names(cursor), row, strict=True))


def every(cursor: Any) -> list[Row]:
    names = _names(cursor)
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _names(cursor: Any) -> list[str]:
    return [column[0] for column in cursor.description]


def upsert(table: Table) -> ClauseElement:
    clause = upsert_insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {
        column.name: clause.excluded[column.name]
        for column in table.columns
        if column.name not in keys
    }
    return clause.on_conflict_do_update(index_elements=keys, set_=changed)


def add_up(table: Table) -> ClauseElement:
    """Of a table whose last column is a number, `n`, and all others its key."""
    clause = upsert_insert(table)
    keys = [column.name for column in table.primary_key]
    return clause.on_conflict_do_update(
        index_elements=keys, set_={"n": table.c.n + clause.excluded.n}
    )
