"""Several services on one database: what one knows the others know, and each thing is done once."""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from matchers.event import Event
from routers.notification import Notification
from routers.policy import StormPolicy
from routers.storm import GATHER
from service.lease import LASTS, RENEWED, Lease
from service.pipeline import Handled, accept, decide, handle
from service.store.database import migrate, open_database
from service.store.event_ids import Coming
from service.store.rows import Delivery
from service.store.statement import Listed, Statement
from service.store.statements import Statements
from service.store.store import GroupFilter, Store
from service.store.transaction import Transaction
from service.store.writer import StoreUnavailableError, Writer
from tests.builders import NOW, an_event, the_rules
from tests.databases import url_of
from tests.postgres import Postgres
from tests.service.house import Clock

RULES = the_rules("teams: {web: {}, shop: {}}\ndefault: web\n")
URL = "http://127.0.0.1"
STORM = StormPolicy(groups=5, within=timedelta(minutes=1))


@pytest.fixture
def engines(tmp_path: Path, either: str) -> Iterator[list[Engine]]:
    engines = [open_database(url_of(tmp_path)) for _ in range(2)]
    migrate(engines[0])
    yield engines
    for engine in engines:
        engine.dispose()


@pytest.fixture
def writers(engines: list[Engine]) -> Iterator[list[Writer]]:
    """Of two services."""
    writers = [Writer(engine) for engine in engines]
    for writer in writers:
        writer.start()
    yield writers
    for writer in writers:
        writer.stop()


def error(kind: int, number: int) -> Event:
    frames = [f"app/n{kind}.py"]
    thrown = [{"type": f"Kind{kind}Error", "frames": frames}]
    return an_event(event_id=f"{kind:016x}{number:016x}", exceptions=thrown, release=f"r{kind}")


def take(writer: Writer, *events: Event, announced: bool = True) -> Any:
    """The future of what became of them, in one transaction."""
    decided = [decide(event, RULES) for event in events]
    coming = [
        Coming(one.event.project, one.event.event_id, one.grouped.fingerprints) for one in decided
    ]

    def work(tx: Transaction) -> list[Handled]:
        return [accept(one.event, one, tx=tx, public_url=URL) for one in decided]

    return writer.submit(work, coming if announced else ())


def counted(engine: Engine) -> tuple[dict[str, Any], dict[str, int]]:
    """The books, and how often each group was seen."""
    store = Store(engine)
    groups = store.groups(GroupFilter(), 200).items
    return store.accounting(), {group.title: group.times_seen for group in groups}


@pytest.mark.parametrize("announced", [True, False])
def test_whoever_takes_an_error_it_is_counted_once_in_its_group_and_told_once(
    writers: list[Writer], engines: list[Engine], announced: bool
) -> None:
    kinds, each = (12, 10) if announced else (3, 4)
    jobs = [
        take(writers[(kind + number) % 2], error(kind, number), announced=announced)
        for number in range(each)
        for kind in (range(kinds) if number % 2 else reversed(range(kinds)))
    ]
    wait(jobs)
    outcomes = [job.result()[0].outcome for job in jobs]
    books, groups = counted(engines[0])
    assert sorted(outcomes) == ["grouped"] * kinds * (each - 1) + ["notified"] * kinds
    assert groups == {f"Kind{kind}Error": each for kind in range(kinds)}
    assert (books["accepted"], books["queued"], books["unaccounted"]) == (kinds * each, kinds, 0)


def test_an_event_that_comes_to_both_at_once_counts_once(
    writers: list[Writer], engines: list[Engine]
) -> None:
    jobs = [take(writer, error(1, number)) for number in range(20) for writer in writers]
    wait(jobs)
    books, groups = counted(engines[1])
    assert groups == {"Kind1Error": 20}
    assert books["outcomes"] == {"duplicate": 20, "grouped": 19, "notified": 1}
    assert books["unaccounted"] == 0


def test_a_baseline_waits_for_what_another_service_is_counting(
    writers: list[Writer], engines: list[Engine]
) -> None:
    take(writers[0], error(1, 1)).result()
    counting, go_on = threading.Event(), threading.Event()

    def slowly(tx: Transaction) -> None:
        accept(error(1, 2), decide(error(1, 2), RULES), tx=tx, public_url=URL)
        counting.set()
        go_on.wait(10)

    counted_on = writers[0].submit(slowly)
    counting.wait(10)
    baseline = writers[1].submit(lambda tx: tx.groups.baseline(None, NOW))
    wait([baseline], timeout=0.5)
    go_on.set()
    wait([counted_on, baseline])
    (group,) = Store(engines[0]).groups(GroupFilter(), 1).items
    assert [(one.times_seen, one.last_reason) for one in group.audiences] == [(2, None)]


def test_batches_that_meet_from_opposite_ends_are_both_taken(
    writers: list[Writer], engines: list[Engine]
) -> None:
    jobs = []
    for number in range(10):
        there = [error(kind, number) for kind in range(20)]
        back = [error(kind, 100 + number) for kind in reversed(range(20))]
        jobs += [take(writers[0], *there), take(writers[1], *back)]
    wait(jobs)
    assert [len(job.result()) for job in jobs] == [20] * 20
    assert counted(engines[0])[0]["unaccounted"] == 0


class Held:
    """A transaction that stands still in the middle."""

    def __init__(self, writer: Writer, work: Callable[[Transaction], Any]) -> None:
        self._begun, self._go_on = threading.Event(), threading.Event()

        def held(tx: Transaction) -> Any:
            done = work(tx)
            self._begun.set()
            self._go_on.wait(10)
            return done

        self._job = writer.submit(held)
        assert self._begun.wait(10)

    def end(self) -> Any:
        self._go_on.set()
        return self._job.result()


def told(group: str, release: str | None = None) -> Notification:
    return Notification(
        group=group,
        receiver="log",
        team="web",
        reason="first_seen",
        severity="error",
        title=group,
        why="",
        permalink="",
        event_id="e" * 32,
        project="1",
        first_seen=NOW,
        last_seen=NOW,
        times_seen=1,
        culprit="",
        environment=None,
        release=release,
    )


def claimed(tx: Transaction) -> Delivery | None:
    delivery = tx.due("log", NOW)
    if delivery is not None:
        tx.put_delivery(delivery.leased(NOW + timedelta(seconds=30)))
    return delivery


@pytest.mark.parametrize("either", ["postgresql"], indirect=True)
def test_what_one_claims_no_other_waits_for_or_claims(writers: list[Writer]) -> None:
    first = writers[0].run(lambda tx: tx.queue(told("a"), NOW))
    second = writers[0].run(lambda tx: tx.queue(told("b"), NOW))
    one = Held(writers[0], claimed)
    other = writers[1].run(claimed)
    assert {one.end().id, other and other.id} == {first.id, second.id}
    assert writers[1].run(claimed) is None


@pytest.mark.parametrize("either", ["postgresql"], indirect=True)
def test_one_at_a_time_claims_for_a_receiver(writers: list[Writer]) -> None:
    def may_claim(tx: Transaction) -> bool:
        return tx.locks.try_to_take("receiver", "log")

    held = Held(writers[0], may_claim)
    assert not writers[1].run(may_claim)
    assert writers[1].run(lambda tx: tx.locks.try_to_take("receiver", "other"))
    assert held.end()
    assert writers[1].run(may_claim)


def test_a_storm_that_both_see_a_part_of_is_one(writers: list[Writer]) -> None:
    def queued(number: int) -> Delivery:
        asked = told(f"g{number}", release="shop@7")
        return writers[number % 2].run(lambda tx: tx.queue(asked, NOW, storms=STORM))

    deliveries = [queued(number) for number in range(10)]
    assert [one.storm is not None for one in deliveries] == [False] * 4 + [True] * 6
    assert len({one.storm for one in deliveries[4:]}) == 1
    carrier = deliveries[4]
    assert (carrier.due_at, carrier.carrier) == (NOW + GATHER, None)
    assert {one.carrier for one in deliveries[5:]} == {carrier.id}
    carried = writers[0].run(lambda tx: {one.id for one in tx.carried(carrier)})
    # what was queued before it was noticed, but for the first, which has its own way
    assert carried == {one.id for one in (*deliveries[1:4], *deliveries[5:])}


@pytest.mark.parametrize("either", ["postgresql"], indirect=True)
def test_nothing_joins_a_message_that_another_is_sending(writers: list[Writer]) -> None:
    def queued(tx: Transaction, number: int) -> Delivery:
        return tx.queue(told(f"g{number}", release="shop@7"), NOW, storms=STORM)

    carrier = [writers[0].run(lambda tx, n=n: queued(tx, n)) for n in range(5)][-1]
    gathered = NOW + GATHER

    def claimed_and_read(tx: Transaction) -> int:
        read = tx.delivery(carrier.id)
        assert read is not None
        tx.put_delivery(read.leased(gathered + timedelta(seconds=30)))
        return len(tx.carried(carrier))

    sending = Held(writers[0], claimed_and_read)
    joins = writers[1].submit(lambda tx: queued(tx, 6))
    assert sending.end() == 3
    assert joins.result().carrier is None  # the next message


def test_one_of_several_has_the_lease_and_another_takes_it_over(writers: list[Writer]) -> None:
    clock = Clock()
    one, other = (Lease("schedulers", writer, clock) for writer in writers)
    assert (one.is_held(), other.is_held()) == (True, False)
    clock.move(RENEWED)
    assert (one.is_held(), other.is_held()) == (True, False)
    clock.move(LASTS)  # the first was killed
    assert other.is_held()
    assert not one.is_held()
    other.give_back()
    clock.move(RENEWED)
    assert one.is_held()


def test_what_was_kept_undecided_is_decided_by_one(
    writers: list[Writer], engines: list[Engine]
) -> None:
    def keep(tx: Transaction) -> None:
        for number in range(50):
            accept(error(1, number), None, tx=tx, public_url=URL)

    def decide_some(tx: Transaction) -> int:
        from_then = tx.undecided_events(10)
        for event in from_then:
            handle(decide(event, RULES), tx=tx, public_url=URL, now=NOW)
        return len(from_then)

    writers[0].run(keep)
    done = sum(job.result() for job in [w.submit(decide_some) for w in writers * 5])
    books, groups = counted(engines[0])
    assert (done, groups, books["unaccounted"]) == (50, {"Kind1Error": 50}, 0)


@pytest.fixture
def on_postgres(postgres: Postgres) -> Iterator[str]:
    with postgres.migrated() as url:
        yield url


def test_a_connection_that_died_meanwhile_costs_nothing(
    on_postgres: str, postgres: Postgres
) -> None:
    engine = open_database(on_postgres)
    writer = Writer(engine)
    writer.start()
    take(writer, error(1, 1)).result()
    postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'"
    )
    assert take(writer, error(1, 2)).result()[0].outcome == "grouped"
    writer.stop()
    engine.dispose()


def test_a_server_that_is_away_is_said_without_its_address_or_password() -> None:
    engine = open_database("postgresql+psycopg://ada:s3cret@127.0.0.1:1/pointsman")
    writer = Writer(engine)
    writer.start()
    with pytest.raises(StoreUnavailableError) as caught:
        take(writer, error(1, 1)).result()
    assert str(caught.value) == "the server cannot be reached"
    assert "s3cret" not in repr(engine) + repr(engine.url)
    writer.stop()


def test_what_a_text_cannot_hold_is_asked_for_in_vain(on_postgres: str) -> None:
    engine = open_database(on_postgres)
    found = Store(engine).groups(GroupFilter(team="a\0b", q="\0", environment="\0"), 10)
    assert found.items == []
    engine.dispose()


def test_every_statement_of_the_writer_is_one(on_postgres: str) -> None:
    engine = open_database(on_postgres)
    vocabulary = Statements(engine.dialect)
    ageing, search = vocabulary.ageing, vocabulary.search
    said = [
        *vars(vocabulary).values(),
        *ageing.oldest.values(),
        *ageing.of_group,
        *vars(search).values(),
    ]
    listed = [one._whole for one in said if isinstance(one, Listed) and one._whole]
    statements = [one for one in said if isinstance(one, Statement)] + listed
    with engine.begin() as connection:
        for statement in statements:
            for sql in filter(None, (statement._sql, statement._from_json)):
                params = dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)) | statement._constants
                connection.connection.cursor().execute(f"EXPLAIN {sql}", params)
    engine.dispose()
    assert len(statements) > 70
