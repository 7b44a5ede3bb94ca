"""Opening the database, and bringing its schema up to date."""

import sqlite3
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from service.store.backend import backend_of, reason
from service.store.backup import BackupError, back_up
from service.store.locks import NUMBERS

__all__ = ["NOT_MIGRATED", "Attendance", "migrate", "open_database", "reason", "writing"]

NOT_MIGRATED = (BackupError, CommandError, SQLAlchemyError, OSError)  # what migrate raises

LOG_PAGES = 16_000  # after which a commit empties SQLite's log itself: service/checkpoints.py
BUSY_TIMEOUT = 5.0  # seconds that a reader waits where another process holds the file
_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR")
_MIGRATIONS = Path(__file__).parent / "migrations"


class Migrated(msgspec.Struct, frozen=True):
    before: str | None  # the revision; None: there was no schema
    after: str
    backup: Path | None = None


def open_database(url: str) -> Engine:
    """Connects to nothing yet. Raises ModuleNotFoundError where PostgreSQL's driver is missing."""
    where = make_url(url)
    if where.get_backend_name() == "postgresql":
        engine: Engine = import_module("service.store.postgresql").open_postgresql(where)
    else:
        engine = _open_sqlite(where)
    event.listen(engine, "begin", _on_begin)
    return engine


def writing(engine: Engine) -> Engine:
    """The same, for transactions that write."""
    return engine.execution_options(writes=True)


def migrate(engine: Engine, revision: str = "head") -> Migrated:
    """Under a lock: of several that start at once one does it, and the others wait for it.

    A newer version only adds to the schema, so this one runs on beside it.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    head = str(scripts.get_current_head())
    before = _revision(engine)
    if before == head or (before and before > head):  # then a newer version has added to it
        return Migrated(before, before)
    backup = back_up(engine, before) if before and not backend_of(engine).shared else None
    with writing(engine).begin() as connection:
        if backend_of(engine).shared:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({NUMBERS['migration']})")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return Migrated(before, head, backup)


class Attendance:
    """A lock beside the database file that every service on it holds while it lives.

    The system gives it back when a process ends, however it ends. Spec: flock(2).
    """

    def __init__(self, engine: Engine) -> None:
        self._file = Path(f"{engine.url.database}.lock").open("ab")  # noqa: SIM115 held until close
        try:
            flock(self._file, LOCK_EX | LOCK_NB)
            self.alone = True
        except BlockingIOError:
            self.alone = False
        flock(self._file, LOCK_SH)

    def close(self) -> None:
        self._file.close()


def may_come_back(error: Exception) -> bool:
    """Whether the database is away; else somebody must put right what is set."""
    cause = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", None)  # None: another database's
    return isinstance(error, OperationalError) and (name is None or name.startswith(_PASSING))


def _open_sqlite(where: URL) -> Engine:
    """In WAL with synchronous=FULL: a commit that returned survives a power cut."""
    if where.database and where.database != ":memory:":
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        where,
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _on_connect)
    return engine


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say, or reads would not be one snapshot
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")


def _on_begin(connection: Connection) -> None:
    backend = backend_of(connection.engine)
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql(backend.writes if writes else backend.reads)


def _revision(engine: Engine) -> str | None:
    with engine.begin() as connection:
        return MigrationContext.configure(connection).get_current_revision()
