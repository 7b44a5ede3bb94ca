"""The books prove something: whatever is lost from the database, they no longer balance.

And they cost the same however much it holds: what it counts is in step with its rows.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from matchers.event import Event
from routers.rules import Rules, load_rules
from service.pipeline import accept, decide
from service.recount import Recount
from service.store.books import counted_in, rows_of
from service.store.database import migrate, open_database
from service.store.store import Store
from service.store.transaction import Transaction
from service.store.writer import Writer
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
    engine = open_database(f"sqlite:///{file}")
    migrate(engine)
    writer = Writer(engine)
    writer.start()
    rules = load_rules(FakeTree({"rules.yaml": RULES.decode()}), "rules.yaml", {}).rules
    for event_id, logger, message in EVENTS:
        writer.run(lambda tx, it=an_event(event_id, logger, message): take(tx, it, rules))
    writer.stop()
    engine.dispose()
    return file


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
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_counted_is_what_there_is(whole: Path, tmp_path: Path, change: str) -> None:
    engine = open_database(f"sqlite:///{copied(whole, tmp_path / 'copy.db', CHANGES[change])}")
    with engine.begin() as connection:
        counted, rows = counted_in(connection), rows_of(connection)
    engine.dispose()
    assert {name: n for name, n in counted.items() if n} == {n: rows[n] for n in rows if rows[n]}


def test_the_books_read_no_table_that_grows_with_the_events(whole: Path) -> None:
    read = set[str | None]()

    def note(action: int, table: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ:
            read.add(table)
        return sqlite3.SQLITE_OK

    engine = open_database(f"sqlite:///{whole}")
    event.listen(engine, "connect", lambda raw, _: raw.set_authorizer(note))
    Store(engine).accounting()
    engine.dispose()
    assert read == {"ledger", "counted", "groups"}


def test_what_is_lost_without_notice_is_found_by_the_recount(whole: Path, tmp_path: Path) -> None:
    file = copied(whole, tmp_path / "copy.db", "UPDATE counted SET n = n + 1 WHERE name = 'events'")
    with closing(sqlite3.connect(file)) as connection:  # one more: as if one were away
        connection.execute("UPDATE ledger SET n = n + 1 WHERE book = 'kept'")
        connection.commit()
    before = unaccounted(file)
    recount(file)
    assert (before, unaccounted(file)) == (0, 1)


def test_a_recount_of_what_is_right_changes_nothing(whole: Path) -> None:
    recount(whole)
    assert unaccounted(whole) == 0


def recount(file: Path) -> None:
    engine = open_database(f"sqlite:///{file}")
    writer = Writer(engine)
    writer.start()
    Recount(engine, writer).look()
    writer.stop()
    engine.dispose()
