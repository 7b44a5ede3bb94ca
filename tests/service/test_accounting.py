"""The books prove something: whatever is lost from the database, they no longer balance.

And they cost the same however much it holds: what it counts is in step with its rows.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from matchers.event import Event
from routers.rules import Rules, load_rules
from service.pipeline import accept, decide
from service.store.books import counted_in, rows_of
from service.store.database import migrate, open_database, writing
from service.store.store import Store
from service.store.transaction import Transaction
from service.store.writer import Writer
from service.upkeep import Fold, Recount
from tests.postgres import Postgres
from tests.trees import FakeTree

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RULES = b"""
version: 1
teams:
  payments: {receivers: [{channel: log}]}
fallbacks:
  - {logger: "billing.*", owner: payments}
"""
# Two errors of payments (one of them came twice, and once more as a duplicate), one of nobody.
EVENTS = [
    ("1", "billing.cards", "the bank sent no statement"),
    ("2", "billing.cards", "the bank sent no statement"),
    ("2", "billing.cards", "the bank sent no statement"),
    ("3", "billing.tax", "Atlantis has no tax"),
    ("4", "garden", "the gnome is gone"),
]
LOSSES = {
    "an event": "DELETE FROM events WHERE event_id LIKE '1%'",
    "an event of nobody": "DELETE FROM events WHERE outcome = 'unowned'",
    "a group": "DELETE FROM groups WHERE title LIKE 'Atlantis%'",
    "a count": "UPDATE groups SET times_seen = 1 WHERE times_seen = 2",
    "a delivery": "DELETE FROM deliveries WHERE id = (SELECT min(id) FROM deliveries)",
    "the book of what was accepted": "DELETE FROM ledger WHERE book = 'accepted'",
    "the book of what was kept": "DELETE FROM ledger WHERE book = 'kept'",
    "the book of what was queued": "DELETE FROM ledger WHERE book = 'queued'",
    "notified": "DELETE FROM ledger WHERE name = 'notified'",
    "grouped": "DELETE FROM ledger WHERE name = 'grouped'",
    "unowned": "DELETE FROM ledger WHERE name = 'unowned'",
    "duplicate": "DELETE FROM ledger WHERE name = 'duplicate'",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which each kind of row is there."""
    file = tmp_path_factory.mktemp("books") / "whole.db"
    taken(f"sqlite:///{file}").dispose()
    return file


def taken(url: str) -> Engine:
    """A database that took EVENTS."""
    engine = open_database(url)
    migrate(engine)
    rules = load_rules(FakeTree({"rules.yaml": RULES.decode()}), "rules.yaml", {}).rules
    with beside(engine) as writer:
        for event_id, logger, message in EVENTS:
            writer.run(lambda tx, it=an_event(event_id, logger, message): take(tx, it, rules))
    return engine


def an_event(event_id: str, logger: str, message: str) -> Event:
    return Event(
        event_id=event_id * 32, timestamp=NOW, received_at=NOW, logger=logger, message=message
    )


def take(tx: Transaction, event: Event, rules: Rules) -> None:
    accept(event, decide(event, rules), tx=tx, public_url="http://127.0.0.1")


def unaccounted(file: Path) -> int:
    engine = open_database(f"sqlite:///{file}")
    books = Store(engine).accounting()
    engine.dispose()
    return int(books["unaccounted"])


def copied(whole: Path, to: Path, change: str) -> Path:
    with closing(sqlite3.connect(whole)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        changed = target.execute(change).rowcount
        target.commit()
    assert changed == 1
    return to


def test_the_books_of_a_whole_database_balance(whole: Path) -> None:
    assert unaccounted(whole) == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_a_row_that_is_lost_is_seen_in_the_books(whole: Path, tmp_path: Path, loss: str) -> None:
    assert unaccounted(copied(whole, tmp_path / "copy.db", LOSSES[loss])) > 0


ONE = "WHERE id = (SELECT min(id) FROM deliveries)"
# What may become of rows, besides being added
CHANGES = {
    "an event goes": "DELETE FROM events WHERE outcome = 'unowned'",
    "a delivery goes": f"DELETE FROM deliveries {ONE}",  # noqa: S608
    "one is leased": f"UPDATE deliveries SET state = 'leased' {ONE}",  # noqa: S608
    "one waits still": f"UPDATE deliveries SET state = 'pending' {ONE}",  # noqa: S608
    "all are told": "UPDATE deliveries SET state = 'delivered'",
    "none is": "UPDATE deliveries SET state = 'delivered' WHERE id = ''",
}


@pytest.fixture
def kept(either: str) -> Iterator[Engine]:
    """A SQLite file, then a PostgreSQL, that took EVENTS."""
    engine = taken(either)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_counted_is_what_there_is(kept: Engine, change: str) -> None:
    with writing(kept).begin() as connection:
        connection.exec_driver_sql(CHANGES[change])
    assert counted(kept) == what_is_there(kept)


def test_counts_are_folded_and_count_the_same(postgres: Postgres) -> None:
    with postgres.migrated() as url:
        engine = taken(url)
        before = counted(engine)
        with beside(engine) as writer:
            Fold(writer).look()
        with engine.begin() as connection:
            rows = connection.exec_driver_sql("SELECT name FROM counted").scalars().all()
        after = counted(engine)
        engine.dispose()
    assert after == before == {"events": 4, "pending": 2}
    assert sorted(rows) == ["events", "pending"]


def test_the_books_ask_for_no_table_that_grows_with_the_events(kept: Engine) -> None:
    asked: list[str] = []
    event.listen(kept, "before_cursor_execute", lambda *said: asked.append(said[2]))
    assert Store(kept).accounting()["unaccounted"] == 0
    tables = [re.findall(r"\bFROM (\w+)", one) for one in asked]
    assert set(chain.from_iterable(tables)) == {"ledger", "counted", "groups"}


def test_what_is_lost_without_notice_is_found_by_the_recount(kept: Engine) -> None:
    with writing(kept).begin() as connection:  # one more: as if one were away
        connection.exec_driver_sql("UPDATE ledger SET n = n + 1 WHERE book = 'kept' AND n > 0")
        more = "UPDATE counted SET n = n + 1 WHERE name = 'events'"
        if kept.dialect.name == "postgresql":
            more = "INSERT INTO counted VALUES ('events', 1)"
        connection.exec_driver_sql(more)
    before = Store(kept).accounting()["unaccounted"]
    recount(kept)
    assert (before, Store(kept).accounting()["unaccounted"]) == (0, 1)


def test_a_recount_of_what_is_right_changes_nothing(kept: Engine) -> None:
    before = counted(kept)
    recount(kept)
    assert (counted(kept), Store(kept).accounting()["unaccounted"]) == (before, 0)


def counted(engine: Engine) -> dict[str, int]:
    with engine.begin() as connection:
        return {name: n for name, n in counted_in(connection).items() if n}


def what_is_there(engine: Engine) -> dict[str, int]:
    with engine.begin() as connection:
        return {name: n for name, n in rows_of(connection).items() if n}


def recount(engine: Engine) -> None:
    with beside(engine) as writer:
        Recount(engine, writer).look()


@contextmanager
def beside(engine: Engine) -> Iterator[Writer]:
    writer = Writer(engine)
    writer.start()
    yield writer
    writer.stop()
