"""All that a SQLite database holds, copied to an empty PostgreSQL, in one transaction.

    CopyError    why it cannot be, or is not whole; then nothing was copied

Spec: https://www.postgresql.org/docs/current/sql-copy.html
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, delete, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from service.store.backend import reason
from service.store.books import COUNTED, books_of
from service.store.database import NOT_MIGRATED, Attendance, migrate, open_database, writing
from service.store.replica_tables import LEASES
from service.store.tables import LEDGER, METADATA, PROGRESS

AT_ONCE = 500  # rows in memory
Shown = Callable[[Iterable[Any], str, int], Iterable[Any]]  # rows, their table, how many
Copied = dict[str, int]  # table → rows


class CopyError(Exception):
    """Why."""


TROUBLE = (*NOT_MIGRATED, CopyError, ModuleNotFoundError)
__all__ = ["TROUBLE", "CopyError", "copy", "reason"]


def copy(source_url: str, target_url: str, shown: Shown) -> Copied:
    """Raises what TROUBLE names."""
    source = _source(source_url)
    target = _target(target_url)
    try:
        with closing(Attendance(source)) as attendance:
            if not attendance.alone:
                raise CopyError("a service has the file open: stop it first")
            migrate(source)
            migrate(target)
            return _copy_all(source, target, shown)
    finally:
        source.dispose()
        target.dispose()


def _source(url: str) -> Engine:
    where = make_url(url)
    if where.drivername != "sqlite":
        raise CopyError("POINTSMAN_DATABASE_URL is no SQLite file")
    if not Path(where.database or "").is_file():
        raise CopyError(f"{where.database}: No such file")
    return open_database(url)


def _target(url: str) -> Engine:
    try:
        driver = make_url(url).drivername
    except (ArgumentError, ValueError):  # it may hold a password
        driver = "unreadable"
    if driver not in ("postgresql", "postgresql+psycopg"):
        raise CopyError("--to: postgresql+psycopg://user@host/database is what it copies to")
    return open_database(url)


def _copy_all(source: Engine, target: Engine, shown: Shown) -> Copied:
    # what is found by words is indexed anew
    tables = [one for one in METADATA.sorted_tables if one not in (LEASES, PROGRESS)]
    with source.begin() as rows, writing(target).begin() as written:
        _be_patient(written)
        for table in tables:
            written.execute(text(f'LOCK TABLE "{table.name}" IN EXCLUSIVE MODE'))
        written.execute(delete(LEDGER).where(LEDGER.c.n == 0))  # migrations enter some
        for table in tables:
            if _count(written, table):
                raise CopyError(f"the target is not empty: there are rows in {table.name}")
        written.execute(delete(COUNTED))  # no trigger counts what TRUNCATE took
        copied = {table.name: _copy_one(rows, written, table, shown) for table in tables}
        for table in tables:
            _set_sequence(written, table)
            if _count(written, table) != copied[table.name]:
                raise CopyError(f"{table.name} did not arrive whole")
        _compare(books_of(rows), books_of(written))
    return copied


def _be_patient(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def _copy_one(source: Connection, target: Connection, table: Table, shown: Shown) -> int:
    columns = [column for column in table.columns if column.computed is None]
    rows = source.execution_options(yield_per=AT_ONCE).execute(select(*columns))
    names = ", ".join(f'"{column.name}"' for column in columns)
    raw: Any = target.connection.driver_connection
    done = 0
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as to:
        for row in shown(rows, table.name, _count(source, table)):
            to.write_row(row)
            done += 1
    return done


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _set_sequence(connection: Connection, table: Table) -> None:
    """So that the next number is one that no copied row has."""
    numbered: Sequence[Column[Any]] = [
        column for column in table.primary_key if column.autoincrement is True
    ]
    for column in numbered:
        newest = connection.execute(select(func.max(column))).scalar_one()
        if newest is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(select(func.setval(sequence, newest)))


def _compare(before: dict[str, Any], after: dict[str, Any]) -> None:
    if before != after:
        raise CopyError("the books of the copy are not those of the original")
