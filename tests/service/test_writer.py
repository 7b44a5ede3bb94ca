"""One writer: a job is answered after its commit, and one that fails harms no neighbour."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from matchers.ownership import Ownership
from routers.group import Group
from service.store.database import migrate, open_database
from service.store.event_ids import Coming
from service.store.store import Store
from service.store.transaction import Transaction
from service.store.writer import MOST, StoreUnavailableError, Writer
from tests.builders import an_event
from tests.running import wait_for

NOBODYS = Ownership(step="unowned")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pointsman.db"


@pytest.fixture
def batches() -> list[int]:
    return []


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{path}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine: Engine, batches: list[int]) -> Iterator[Writer]:
    writer = Writer(engine, on_commit=lambda jobs, _seconds: batches.append(jobs))
    writer.start()
    yield writer
    writer.stop()


def keep(number: int) -> Callable[[Transaction], int]:
    def work(tx: Transaction) -> int:
        event = an_event(event_id=f"{number:032x}")
        tx.accept(event)
        tx.undecided(event)
        return number

    return work


def seen(number: int) -> Callable[[Transaction], Group]:
    """Of an error that comes again and again."""
    return lambda tx: tx.groups.record(an_event(event_id=f"{number:032x}"), NOBODYS, ("v1:a",))


def kept(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("select count(*) from events").fetchone()[0])
    finally:
        connection.close()


def test_a_job_is_answered_after_the_commit_that_holds_it(writer: Writer, path: Path) -> None:
    assert writer.run(keep(1)) == 1
    assert kept(path) == 1


def test_what_gathers_while_a_commit_runs_shares_the_next_one(
    writer: Writer, path: Path, batches: list[int]
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_tx: Transaction) -> None:
        begun.set()
        go_on.wait(5)

    first = writer.submit(slow)
    begun.wait(5)
    rest = [writer.submit(keep(number)) for number in range(100)]
    go_on.set()
    assert [job.result() for job in rest] == list(range(100))
    first.result()
    assert batches == [1, 100]
    assert kept(path) == 100


def test_a_job_that_raises_takes_nothing_with_it(writer: Writer, path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    writer.submit(lambda _tx: (begun.set(), go_on.wait(5)))
    begun.wait(5)

    def broken(tx: Transaction) -> None:
        tx.accept(an_event(event_id="f" * 32))
        raise ZeroDivisionError

    jobs = [writer.submit(keep(1)), writer.submit(broken), writer.submit(keep(2))]
    go_on.set()
    assert [jobs[0].result(), jobs[2].result()] == [1, 2]
    with pytest.raises(ZeroDivisionError):
        jobs[1].result()
    assert kept(path) == 2


def test_a_database_that_does_not_take_it_says_so_and_the_writer_goes_on(
    writer: Writer, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("alter table events rename to away")
    with pytest.raises(StoreUnavailableError):
        writer.run(keep(1))
    other.execute("alter table away rename to events")
    other.close()
    assert writer.run(keep(2)) == 2


def test_while_the_database_takes_nothing_nobody_waits_for_it(engine: Engine, path: Path) -> None:
    writer = Writer(engine)
    engine.dispose()
    event.listen(engine, "connect", lambda own, _: own.execute("pragma busy_timeout = 300"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    writer.start()
    with pytest.raises(StoreUnavailableError, match="locked"):
        writer.run(keep(1))
    began = time.monotonic()
    for number in range(100):
        with pytest.raises(StoreUnavailableError, match="locked"):
            writer.run(keep(number))
    assert time.monotonic() - began < 0.3
    other.execute("commit")
    other.close()
    wait_for(lambda: writer.down is None)
    writer.stop()


def test_what_a_job_itself_breaks_is_no_outage(writer: Writer) -> None:
    def twice(tx: Transaction) -> None:
        for _ in range(2):
            tx.accept(an_event(event_id="f" * 32))
            tx.flush()

    with pytest.raises(sqlite3.IntegrityError):
        writer.run(twice)
    assert writer.down is None


def test_a_commit_that_takes_long_means_that_the_writer_is_behind(writer: Writer) -> None:
    go_on = threading.Event()
    slow = writer.submit(lambda _tx: go_on.wait(10))
    assert not writer.behind
    wait_for(lambda: writer.behind)
    go_on.set()
    slow.result()
    wait_for(lambda: not writer.behind)


def test_too_much_that_waits_means_so_too(writer: Writer) -> None:
    begun, go_on = threading.Event(), threading.Event()
    writer.submit(lambda _tx: (begun.set(), go_on.wait(10)))
    begun.wait(10)
    much = writer.submit(lambda _tx: None, [Coming("1", "e")] * (MOST + 1))
    assert writer.behind
    go_on.set()
    much.result()
    assert not writer.behind


def test_a_full_disk_is_called_that(engine: Engine, writer: Writer) -> None:
    engine.dispose()
    event.listen(engine, "connect", lambda own, _: own.execute("pragma max_page_count = 1"))
    with pytest.raises(StoreUnavailableError, match="database or disk is full"):
        writer.run(lambda tx: [keep(number)(tx) for number in range(2, 1000)])


def test_what_was_submitted_before_the_stop_is_committed_and_nothing_after(path: Path) -> None:
    engine = open_database(f"sqlite:///{path}")
    migrate(engine)
    writer = Writer(engine)
    jobs = [writer.submit(keep(number)) for number in range(10)]
    writer.start()
    writer.stop()
    assert [job.result() for job in jobs] == list(range(10))
    with pytest.raises(StoreUnavailableError):
        writer.run(keep(11))
    assert Store(engine).accounting()["accepted"] == 10
    engine.dispose()


def test_a_caller_that_goes_away_cancels_nothing(writer: Writer, path: Path) -> None:
    assert not writer.submit(keep(1)).cancel()
    writer.run(lambda _tx: None)
    assert kept(path) == 1


def test_a_power_cut_after_a_commit_loses_nothing(path: Path) -> None:
    """WAL with synchronous=FULL (2): a commit is on the disk when it returns."""
    engine = open_database(f"sqlite:///{path}")
    with engine.connect() as connection:
        mode = connection.exec_driver_sql("pragma journal_mode").scalar()
        synchronous = connection.exec_driver_sql("pragma synchronous").scalar()
    engine.dispose()
    assert (mode, synchronous) == ("wal", 2)


def test_what_another_wrote_is_known_behind_a_lock_that_outlasted_the_connection(
    engine: Engine, path: Path
) -> None:
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 10"))
    writer = Writer(engine)
    writer.start()
    writer.run(seen(1))
    with closing(sqlite3.connect(path)) as other:
        other.execute("update groups set times_seen = 41")
        with pytest.raises(StoreUnavailableError):
            writer.run(seen(2))
        other.commit()
    wait_for(lambda: writer.down is None)
    assert writer.run(seen(3)).times_seen == 42
    writer.stop()
