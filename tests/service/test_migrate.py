"""The schema, brought up to date: at once by several, after a backup, from a file to a server."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import inspect

from service.store.backup import KEPT
from service.store.books import COUNTED
from service.store.database import Attendance, migrate, open_database, writing
from service.store.metadata import METADATA
from service.store.search_tables import EVENT_WORDS, GROUP_WORDS
from service.store.store import GroupFilter, Store
from service.store.writer import Writer
from tests.builders import NOW
from tests.postgres import Postgres
from tests.running import environment
from tests.service.test_replicas import error, take


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    with postgres.empty() as url:
        yield url


def pointsman(*words: str, database: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service.cli", *words]
    env = environment(POINTSMAN_DATABASE_URL=database)
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def at(path: Path, revision: str) -> str:
    """The URL of a SQLite file whose schema is that of a revision."""
    engine = open_database(f"sqlite:///{path}")
    migrate(engine, revision)
    engine.dispose()
    return f"sqlite:///{path}"


def test_services_that_start_at_once_make_one_schema(empty: str) -> None:
    engines = [open_database(empty) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, engines))
    made = set(inspect(engines[0]).get_table_names())
    for engine in engines:
        engine.dispose()
    assert len({one.after for one in done}) == 1
    # each database has its own kind of these
    own = {one.name for one in (EVENT_WORDS, GROUP_WORDS, COUNTED)}
    assert made == {*METADATA.tables, *own, "alembic_version"}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_tables_are_those_that_the_migrations_make(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/a.db" if kind == "sqlite" else request.getfixturevalue("empty")
    engine = open_database(url)
    migrate(engine)
    made = inspect(engine)
    columns = {
        table: {column["name"]: column["nullable"] for column in made.get_columns(table)}
        for table in METADATA.tables
    }
    keys = {table: made.get_pk_constraint(table)["constrained_columns"] for table in columns}
    engine.dispose()
    assert columns == {
        name: {column.name: column.nullable for column in table.columns}
        for name, table in METADATA.tables.items()
    }
    assert keys == {
        name: [column.name for column in table.primary_key]
        for name, table in METADATA.tables.items()
    }


def test_a_file_is_copied_before_its_schema_changes(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.db"
    said = pointsman("migrate", database=at(path, "0010"))
    backup = tmp_path / "pointsman.db.0010.backup"
    assert said.stdout.startswith("0010 -> ")
    assert str(backup) in said.stderr
    with closing(sqlite3.connect(backup)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0010",)
    assert pointsman("migrate", database=f"sqlite:///{path}").stderr == ""


def test_the_newest_backups_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.db"
    for revision in ("0001", "0005", "0010", "head"):
        at(path, revision)
    assert {one.name for one in tmp_path.glob("*.backup")} == {
        "pointsman.db.0005.backup",
        "pointsman.db.0010.backup",
    }
    assert KEPT == 2


def test_without_a_backup_nothing_is_changed(tmp_path: Path) -> None:
    """As on a full disk: it cannot be written."""
    url = at(tmp_path / "pointsman.db", "0010")
    (tmp_path / "pointsman.db.0010.backup.partial").mkdir()
    said = pointsman("migrate", database=url)
    assert (said.returncode, said.stdout) == (2, "")
    assert "no backup could be taken" in said.stderr
    with closing(sqlite3.connect(tmp_path / "pointsman.db")) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0010",)


def test_a_server_that_is_away_is_said_and_its_password_is_not() -> None:
    said = pointsman("migrate", database="postgresql+psycopg://ada:s3cret@127.0.0.1:1/pointsman")
    assert said.returncode == 2
    assert "the server cannot be reached" in said.stderr
    assert "s3cret" not in said.stderr


def test_a_url_that_cannot_be_read_is_refused_without_it(filled: str) -> None:
    said = pointsman("copy", "--to", "postgresql://ada:p@ss:s3cret@db/pointsman", database=filled)
    assert (said.returncode, "nothing was copied: --to" in said.stderr) == (2, True)
    assert "s3cret" not in said.stderr


@pytest.fixture
def filled(tmp_path: Path) -> str:
    """A SQLite file with errors that were told, one of them in bytes that no text holds."""
    url = f"sqlite:///{tmp_path}/pointsman.db"
    engine = open_database(url)
    migrate(engine)
    writer = Writer(engine)
    writer.start()
    for number in range(6):
        take(writer, error(number % 3, number)).result()
    writer.run(lambda tx: tx.keep_revision("abc", "rules.yaml", b"\0\xff", NOW))
    writer.stop()
    engine.dispose()
    return url


def shown(url: str) -> Any:
    engine = open_database(url)
    store = Store(engine)
    groups = store.groups(GroupFilter(), 200).items
    seen = [store.events_of(group.id, 10) for group in groups]
    found = [groups, seen, store.deliveries(200).items, store.accounting()]
    engine.dispose()
    return msgspec.to_builtins(found)


def test_a_file_moves_to_a_server_whole(filled: str, empty: str) -> None:
    said = pointsman("copy", "--to", empty, database=filled)
    assert (said.returncode, said.stderr.splitlines()[-1][-21:]) == (0, "and the books balance")
    assert shown(empty) == shown(filled)
    engine = open_database(empty)
    writer = Writer(engine)
    writer.start()
    newest = writer.run(
        lambda tx: tx.keep_revision("d", "rules.yaml", b"", error(1, 1).received_at)
    )
    assert take(writer, error(1, 99)).result()[0].outcome == "grouped"
    writer.stop()
    engine.dispose()
    assert newest == 2


def test_a_server_that_was_emptied_by_truncate_takes_a_copy(filled: str, empty: str) -> None:
    first = pointsman("copy", "--to", empty, database=filled)
    engine = open_database(empty)
    with writing(engine).begin() as connection:
        names = ", ".join(METADATA.tables)
        connection.exec_driver_sql(f"TRUNCATE {names}")
    engine.dispose()
    again = pointsman("copy", "--to", empty, database=filled)
    assert (first.returncode, again.returncode, again.stdout) == (0, 0, first.stdout), again.stderr


def test_a_copy_is_all_or_nothing(filled: str, empty: str, tmp_path: Path) -> None:
    engine = open_database(filled)
    with closing(Attendance(engine)):
        open_elsewhere = pointsman("copy", "--to", empty, database=filled)
    engine.dispose()
    first = pointsman("copy", "--to", empty, database=filled)
    again = pointsman("copy", "--to", empty, database=filled)
    assert "a service has the file open" in open_elsewhere.stderr
    assert first.returncode == 0
    assert (again.returncode, "the target is not empty" in again.stderr) == (2, True)


def test_a_version_runs_on_beside_the_schema_of_the_next(filled: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "pointsman.db")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.execute("ALTER TABLE groups ADD COLUMN later TEXT")
        newer.commit()
    assert pointsman("migrate", database=filled).stdout == "9999\n"
    engine = open_database(filled)
    writer = Writer(engine)
    writer.start()
    assert take(writer, error(1, 99)).result()[0].outcome == "grouped"
    writer.stop()
    engine.dispose()
