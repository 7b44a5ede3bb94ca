"""The spool's file: SQLite, appended to, and emptied from its head once that is drained.

    SpoolError    the file does not take it, or cannot be read; says why

A commit is on the disk when it returns. Several services may have one file open. What cannot be
drained stays in it, aside.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

RESERVE = 8 * 2**20  # bytes of the disk that are kept, so that a full one can be emptied
_CHECKPOINT = 250  # pages: the log is at most twice that before a full disk stops it
_DROPPED = 100  # batches, in one transaction
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    events INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS aside (id INTEGER PRIMARY KEY, reason TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS totals (
    one INTEGER PRIMARY KEY CHECK (one = 1), events INTEGER NOT NULL, bytes INTEGER NOT NULL
);
INSERT OR IGNORE INTO totals VALUES (1, 0, 0);
"""
_ADD = "UPDATE totals SET events = events + ?, bytes = bytes + ?"


class SpoolError(Exception):
    pass


class Row(NamedTuple):
    received_at: int  # µs
    events: int
    body: bytes


class Standing(NamedTuple):
    """What waits in it."""

    events: int = 0
    bytes: int = 0  # of the bodies
    oldest: int | None = None  # µs; None: nothing waits
    aside: int = 0  # batches that could not be drained


class SpoolFile:
    """Thread-safe. Opened at its first use, and again after it failed."""

    def __init__(self, path: Path, *, reserve: int = RESERVE) -> None:
        self.path = path
        self._kept_free = path.with_name(f"{path.name}-reserve")
        self._reserve = reserve
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def append(self, rows: Sequence[Row], room: int) -> int:
        """How many of them it took, from the first on: what goes beyond `room` bytes it did not."""
        with self._transaction() as connection:
            ((size,),) = connection.execute("SELECT bytes FROM totals")
            if not size:
                self._keep_free()
            taken: list[Row] = []
            for row in rows:
                size += len(row.body)
                if size > room:
                    break
                taken.append(row)
            insert = "INSERT INTO batches (received_at, events, body) VALUES (?, ?, ?)"
            connection.executemany(insert, taken)
            added = sum(row.events for row in taken), sum(len(row.body) for row in taken)
            connection.execute(_ADD, added)
        return len(taken)

    def oldest(self, after: int, events: int) -> list[tuple[int, Row]]:
        """By id, those behind `after`, until they hold so many events; one at least if there is."""
        found: list[tuple[int, Row]] = []
        query = "SELECT id, received_at, events, body FROM batches WHERE id > ? ORDER BY id"
        with self._opened() as connection:
            for id, *row in connection.execute(query, (after,)):  # noqa: A001
                events -= row[1]
                if found and events < 0:
                    break
                found.append((id, Row(*row)))
        return found

    def drop(self, last: int) -> None:
        """What is in the database: all up to this id."""
        while self._drop_some(last):
            pass
        if self.standing().oldest is None:
            self._give_back()

    def put_aside(self, id: int, reason: str) -> None:  # noqa: A002
        with self._transaction() as connection:
            found = connection.execute("SELECT events, body FROM batches WHERE id = ?", (id,))
            for events, body in found.fetchall():
                connection.execute("INSERT INTO aside VALUES (?, ?, ?)", (id, reason, body))
                connection.execute("DELETE FROM batches WHERE id = ?", (id,))
                connection.execute(_ADD, (-events, -len(body)))

    def standing(self) -> Standing:
        with self._opened() as connection:
            ((events, size),) = connection.execute("SELECT events, bytes FROM totals")
            first = "SELECT received_at FROM batches ORDER BY id LIMIT 1"
            oldest = next((at for (at,) in connection.execute(first)), None)
            ((aside,),) = connection.execute("SELECT count(*) FROM aside")
        return Standing(events, size, oldest, aside)

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _drop_some(self, last: int) -> bool:
        """Whether there may be more. Few at once: on a full disk there is little room to do so."""
        try:
            return self._drop(last)
        except SpoolError:
            if not self._kept_free.exists():
                raise
            self._kept_free.unlink(missing_ok=True)
            return self._drop(last)

    def _drop(self, last: int) -> bool:
        query = "SELECT id, events, length(body) FROM batches WHERE id <= ? ORDER BY id LIMIT ?"
        with self._transaction() as connection:
            found = connection.execute(query, (last, _DROPPED)).fetchall()
            if found:
                connection.execute("DELETE FROM batches WHERE id <= ?", (found[-1][0],))
                gone = -sum(row[1] for row in found), -sum(row[2] for row in found)
                connection.execute(_ADD, gone)
        return len(found) == _DROPPED

    def _give_back(self) -> None:
        """The disk that it took, where that is much."""
        with self._opened() as connection:
            ((pages,),) = connection.execute("PRAGMA freelist_count")
            if pages > _CHECKPOINT:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _keep_free(self) -> None:
        """As far as there is room: nothing depends on it."""
        try:
            if not self._kept_free.exists():
                self._kept_free.write_bytes(bytes(self._reserve))
        except OSError:
            self._kept_free.unlink(missing_ok=True)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                self._disconnect()
                said = error.strerror if isinstance(error, OSError) else None
                raise SpoolError(said or str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
            connection.executescript(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
