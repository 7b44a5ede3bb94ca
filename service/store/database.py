"""Opening the database, and bringing its schema up to date."""

import sqlite3
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

BUSY_TIMEOUT = 5.0  # seconds that a reader waits where another process holds the file
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(url: str) -> Engine:
    """SQLite in WAL with synchronous=FULL: a commit that returned survives a power cut."""
    where = make_url(url)
    if where.database and where.database != ":memory:":
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        where, connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False}
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def migrate(engine: Engine, revision: str = "head") -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


class Attendance:
    """A lock beside the database that every service on it holds while it lives.

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


def reason(error: Exception) -> str:
    """The driver's or the system's own words: no SQL, no values."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(getattr(error, "orig", None) or error)


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say, or reads would not be one snapshot
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
