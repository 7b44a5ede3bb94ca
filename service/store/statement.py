"""A statement compiled once per dialect, to run on the raw DBAPI cursor."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy.dialects.postgresql import insert as upsert_insert
from sqlalchemy.sql.elements import ClauseElement

Row = dict[str, Any]


class Statement:
    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect)
        self._sql = str(compiled)
        self._constants = {
            name: value for name, value in compiled.params.items() if value is not None
        }
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)

    def run(self, cursor: Any, params: Row) -> Any:
        """The cursor, ready to fetch from."""
        cursor.execute(self._sql, self._bind(params))
        return cursor

    def run_all(self, cursor: Any, rows: Sequence[Row]) -> int:
        """How many rows of the table it changed."""
        if not rows:
            return 0
        cursor.executemany(self._sql, [self._bind(row) for row in rows])
        return int(cursor.rowcount)

    def _bind(self, params: Row) -> Any:
        bound = self._constants | params if self._constants else params
        return bound if self._order is None else [bound[name] for name in self._order]


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
