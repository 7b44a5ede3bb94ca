"""What differs between SQLite and PostgreSQL, beyond what SQLAlchemy says in either's words.

Spec: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from typing import Any

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

READ_SECONDS, WRITE_SECONDS = 30, 30  # of one statement
IDLE_SECONDS = 15  # in a transaction, before its locks are taken from a service that hangs
# Two met at the same rows: serialization_failure, deadlock_detected, unique_violation
_MET = ("40001", "40P01", "23505")


class Backend(msgspec.Struct, frozen=True, kw_only=True):
    reads: str  # how a transaction begins that sees one snapshot
    writes: str  # how one begins that may write
    shared: bool  # others write at the same time, and rows are locked one by one


SQLITE = Backend(reads="BEGIN", writes="BEGIN IMMEDIATE", shared=False)
# Timeouts by SET LOCAL: a proxy that pools by transactions hands a session to somebody else
POSTGRESQL = Backend(
    reads="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
    f"SET LOCAL statement_timeout = '{READ_SECONDS}s'",
    writes="BEGIN ISOLATION LEVEL READ COMMITTED; "
    f"SET LOCAL statement_timeout = '{WRITE_SECONDS}s'; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'",
    shared=True,
)


def backend_of(engine: Engine) -> Backend:
    return POSTGRESQL if engine.dialect.name == "postgresql" else SQLITE


def has_met(error: BaseException) -> bool:
    """Whether another's transaction was at the same rows: worth another try at once."""
    return getattr(_inner(error), "sqlstate", None) in _MET


def is_unavailable(error: BaseException, engine: Engine) -> bool:
    """Or else it is the work's own mistake, which it makes on any database."""
    dbapi: Any = engine.dialect.dbapi
    inner = _inner(error)
    if isinstance(inner, (dbapi.DataError, dbapi.IntegrityError)):
        return False
    return isinstance(inner, (dbapi.Error, SQLAlchemyError, OSError))


def reason(error: BaseException) -> str:
    """The driver's or the system's own words: no SQL, no values, no address."""
    inner = _inner(error)
    if isinstance(inner, OSError):
        return inner.strerror or type(inner).__name__
    if hasattr(inner, "sqlstate"):  # psycopg's: its text goes on with rows, or with the address
        said = inner.diag.message_primary if inner.sqlstate else None
        return said or "the server cannot be reached"
    return str(inner)


def _inner(error: BaseException) -> Any:
    return getattr(error, "orig", None) or error
