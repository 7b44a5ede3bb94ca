"""Which events are kept whole, and that every one of them counts, kept or not."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from matchers.event import Event
from service.pipeline import Handled, accept, decide
from service.store.bodies import ONE_IN, WHOLE, decision_in, event_in, is_kept
from service.store.database import migrate, open_database
from service.store.event_ids import START, Coming
from service.store.store import Store
from service.store.tables import to_us
from service.store.writer import Writer
from tests.builders import NOW, an_event, the_rules

RULES = the_rules("""
teams: {payments: {receivers: [{channel: log}]}}
fallbacks: [{logger: billing, owner: payments}]
""")


class Kept:
    """A database that takes events of one group."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.engine = open_database(f"sqlite:///{file}")
        migrate(self.engine)
        self.writer = Writer(self.engine)
        self.writer.start()
        self.store = Store(self.engine)

    def take(self, *events: Event) -> list[Handled]:
        decided = [decide(event, RULES) for event in events]
        coming = [
            Coming(one.event.project, one.event.event_id, one.grouped.fingerprints)
            for one in decided
        ]
        return self.writer.submit(
            lambda tx: [accept(one.event, one, tx=tx, public_url="") for one in decided], coming
        ).result()

    def row(self, query: str) -> tuple[int, ...]:
        with closing(sqlite3.connect(self.file, isolation_level=None)) as other:
            found: tuple[int, ...] = other.execute(query).fetchone() or ()
            return found

    def close(self) -> None:
        self.writer.stop()
        self.engine.dispose()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path / "pointsman.db")
    yield kept
    kept.close()


def failed(number: int, **more: object) -> Event:
    return an_event(event_id=f"{number:032x}", logger="billing", message="no statement", **more)


@pytest.mark.parametrize(
    ("seen", "is_one"),
    [(1, True), (WHOLE, True), (WHOLE + 1, False), (ONE_IN - 1, False), (ONE_IN, True)],
)
def test_the_first_of_an_hour_are_kept_then_one_in_a_thousand(seen: int, is_one: bool) -> None:
    assert is_kept(seen) is is_one


def test_what_is_not_kept_counts_all_the_same(kept: Kept) -> None:
    [first, *_] = kept.take(*map(failed, range(WHOLE + 20)))
    assert first.group is not None
    group = kept.store.group(first.group)
    assert group is not None
    assert (group.times_seen, kept.store.bodies_of(group.id)) == (WHOLE + 20, WHOLE)
    assert kept.row("SELECT sum(n) FROM tallies") == (WHOLE + 20,)
    assert kept.store.accounting()["unaccounted"] == 0


def test_a_new_hour_begins_anew(kept: Kept) -> None:
    [first, *_] = kept.take(*map(failed, range(WHOLE + 20)))
    kept.take(*(failed(number, at=NOW + timedelta(hours=1)) for number in range(1000, 1007)))
    assert kept.store.bodies_of(first.group or "") == WHOLE + 7


def test_what_a_team_is_told_of_is_kept(kept: Kept) -> None:
    """Elsewhere it is news, however often it came before."""
    [first, *_] = kept.take(*map(failed, range(WHOLE + 20)))
    [news] = kept.take(failed(5000, environment="staging"))
    assert news.outcome == "notified"
    event, decision = kept.store.evidence(first.group or "", news.event_id)
    assert event is not None
    assert (event.environment, decision["owners"]) == ("staging", ["payments"])


def test_where_an_event_is_not_kept_the_newest_of_its_group_that_is_stands_in(kept: Kept) -> None:
    [first, *_] = kept.take(*map(failed, range(WHOLE + 20)))
    [group] = [kept.store.group(first.group or "")]
    assert group is not None
    event, _ = kept.store.evidence(group.id, group.last_event_id)
    assert event is not None
    assert event.event_id == kept.store.events_of(group.id, 1)[0].event.event_id
    assert kept.store.latest([group])[group.id].decision is not None


def test_an_event_that_was_not_kept_is_known_when_it_comes_again(kept: Kept) -> None:
    *_, last = kept.take(*map(failed, range(WHOLE + 20)))
    [again] = kept.take(failed(WHOLE + 19))
    assert (again.outcome, again.group) == ("duplicate", last.group)


def test_ids_are_forgotten_by_age_a_few_at_a_time(kept: Kept) -> None:
    kept.take(*map(failed, range(25)), failed(99, at=NOW + timedelta(hours=2)))
    before, after = to_us(NOW + timedelta(hours=1)), START
    looks = forgotten = 0
    while True:
        last, count = kept.writer.run(lambda tx, at=after: tx.ids.expire(before, at, 10))
        looks, forgotten = looks + 1, forgotten + count
        if last is None:
            break
        after = last
    assert (looks, forgotten) == (3, 25)
    assert kept.row("SELECT count(*), min(event_id) FROM event_ids") == (1, f"{99:032x}")
    assert [one.outcome for one in kept.take(failed(1), failed(99))] == ["grouped", "duplicate"]


def test_what_was_kept_before_bodies_were_compressed_is_read() -> None:
    event = failed(1)
    assert event_in(msgspec.json.encode(event)) == event
    assert decision_in(b'{"owners": []}') == {"owners": []}


def test_a_group_that_another_connection_changed_is_read_again(kept: Kept) -> None:
    [first] = kept.take(failed(1))
    kept.row("UPDATE groups SET status = 'ignored'")
    assert [one.outcome for one in kept.take(failed(2))] == ["ignored"]
    assert first.outcome == "notified"


def test_what_was_rolled_back_is_not_remembered(kept: Kept) -> None:
    def broken(tx: object) -> None:
        decided = decide(failed(1), RULES)
        accept(decided.event, decided, tx=tx, public_url="")  # type: ignore[arg-type]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kept.writer.run(broken)
    assert [one.outcome for one in kept.take(failed(1), failed(2))] == ["notified", "grouped"]
    assert kept.store.accounting()["unaccounted"] == 0


OLD = """
INSERT INTO groups (id, project, fingerprint, title, culprit, team, level, first_seen, last_seen,
  times_seen, status, last_event_id) VALUES ('g', '1', 'v2:f', 'no statement', '', 'payments',
  'error', {at}, {at}, 1, 'unresolved', '{id}');
INSERT INTO group_fingerprints VALUES ('1', 'v2:f', 'g');
INSERT INTO audiences VALUES ('g', 'production', 'payments', 1, 0, {at}, 'first_seen', 0);
INSERT INTO events VALUES ('1', '{id}', {at}, 'g', 'notified', CAST('{body}' AS BLOB),
  CAST('{{"owners": []}}' AS BLOB));
INSERT INTO ledger VALUES ('accepted', '', 1), ('outcome', 'notified', 1);
"""


def test_a_database_from_before_keeps_its_events_and_knows_their_ids(tmp_path: Path) -> None:
    file, event = tmp_path / "pointsman.db", failed(7)
    engine = open_database(f"sqlite:///{file}")
    migrate(engine, "0010")
    body = msgspec.json.encode(event).decode()
    with closing(sqlite3.connect(file)) as other:
        other.executescript(OLD.format(at=to_us(NOW), id=event.event_id, body=body))
    engine.dispose()
    kept = Kept(file)
    assert [one.event for one in kept.store.events_of("g", 5)] == [event]
    assert kept.store.evidence("g", event.event_id) == (event, {"owners": []})
    assert [(one.outcome, one.group) for one in kept.take(event)] == [("duplicate", "g")]
    assert kept.row("SELECT sum(n) FROM tallies") == (1,)
    assert kept.store.accounting()["unaccounted"] == 0
    kept.close()
