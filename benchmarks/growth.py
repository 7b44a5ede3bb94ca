"""What the database grows by: N events, then ten times as many, in the same 1,000 groups.

    python -m benchmarks.growth [N]    a million takes twenty minutes, and 2 GB of disk

They go through the writer, as the doors hand them over. Each N stands for the same hours, so that
what differs is volume alone. Counted are the bytes in use after a checkpoint (pages, without the
free ones): without the ids, which within the window are one an event; and with them, once the
window has passed and they were dropped.
"""

import sqlite3
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.ingest import RULES
from benchmarks.payloads import parsed, small
from matchers.event import Event, ExceptionValue
from routers.rules import Rules, load_rules
from service.decisions import Decisions
from service.pipeline import Decided, Handled, accept
from service.store.bodies import ONE_IN, WHOLE
from service.store.database import migrate, open_database
from service.store.event_ids import START, WINDOW, Coming, Id
from service.store.store import Store
from service.store.tables import to_us
from service.store.transaction import Transaction
from service.store.writer import Writer
from tests.trees import FakeTree

EVENTS = 1_000_000  # N, and ten times as many
GROUPS = 1000
TIMES = 10
MORE = 1.5  # times the bytes, at the most
TOGETHER = 500  # events in a transaction
BEGAN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SPAN = timedelta(minutes=50)  # in which all come, few or many
AT_ONCE = 10_000  # ids that are looked at, to be dropped


class Grown(NamedTuple):
    events: int
    bodies: int
    messages: int
    within: int  # bytes, without the ids
    after: int  # bytes, once the ids are dropped
    unaccounted: int


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    few, many = grown(events), grown(TIMES * events)
    print(f"{GROUPS:,} groups; kept whole: {WHOLE} a group and hour, then one in k = {ONE_IN}")
    for one in (few, many):
        print(
            f"{one.events:>10,} events  {one.bodies:>7,} bodies  {one.messages:,} messages  "
            f"within the window, without ids {one.within / 1e6:.1f} MB  "
            f"after it {one.after / 1e6:.1f} MB  unaccounted {one.unaccounted}"
        )
    within, after = many.within / few.within, many.after / few.after
    print(f"ratios: within {within:.2f}, after {after:.2f}; budget {MORE}")
    if broken := claims(few, many):
        sys.exit("; ".join(broken))


def claims(few: Grown, many: Grown) -> list[str]:
    """Those that do not hold."""
    broken = {
        "the database grows within the window": many.within >= MORE * few.within,
        "the database grows after it": many.after >= MORE * few.after,
        "more was told": many.messages != few.messages,
        "an event is not accounted for": few.unaccounted or many.unaccounted,
    }
    return [said for said, is_so in broken.items() if is_so]


def grown(events: int) -> Grown:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "pointsman.db"
        engine = open_database(f"sqlite:///{file}")
        migrate(engine)
        writer, store = Writer(engine), Store(engine)
        writer.start()
        for chunk in _chunks(events):
            writer.submit(*chunk).result()
        within = _without_ids(file)
        _drop_ids(writer)
        books = store.accounting()
        writer.stop()
        engine.dispose()
        after, bodies = _in_use(file), _count_bodies(file)
    return Grown(events, bodies, books["queued"], within, after, books["unaccounted"])


def _chunks(
    events: int,
) -> Iterator[tuple[Callable[[Transaction], list[Handled]], list[Coming]]]:
    rules = load_rules(FakeTree({"rules.yaml": RULES}), "rules.yaml", {}).rules
    decisions, groups = Decisions(), _of_groups()
    for start in range(0, events, TOGETHER):
        some = [
            _one(groups[number % GROUPS], BEGAN + SPAN * number / events, decisions, rules)
            for number in range(start, min(events, start + TOGETHER))
        ]
        coming = [
            Coming(one.event.project, one.event.event_id, one.grouped.fingerprints) for one in some
        ]
        yield partial(_take, some), coming


def _take(some: list[Decided], tx: Transaction) -> list[Handled]:
    return [accept(one.event, one, tx=tx, public_url="") for one in some]


def _of_groups() -> list[Event]:
    event = parsed(small())
    thrown = event.exceptions[-1]
    return [_named(event, thrown, number) for number in range(GROUPS)]


def _named(event: Event, thrown: ExceptionValue, number: int) -> Event:
    name = "".join(chr(ord("a") + int(digit)) for digit in f"{number:04}")
    error = msgspec.structs.replace(thrown, type=f"{name.title()}Error")
    return msgspec.structs.replace(event, exceptions=(*event.exceptions[:-1], error))


def _one(event: Event, at: datetime, decisions: Decisions, rules: Rules) -> Decided:
    its = msgspec.structs.replace(event, event_id=uuid.uuid4().hex, timestamp=at, received_at=at)
    return decisions.of(its, rules)


def _drop_ids(writer: Writer) -> None:
    """As retention does, once the window has passed."""
    before, after = to_us(BEGAN + SPAN + WINDOW), START
    while last := writer.run(partial(_drop_some, before, after)):
        after = last


def _drop_some(before: int, after: Id, tx: Transaction) -> Id | None:
    last, _expired = tx.ids.expire(before, after, AT_ONCE)
    return last


def _in_use(file: Path) -> int:
    """Bytes, after a checkpoint, without the free pages."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        pages, free, size = (
            int(database.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size


def _without_ids(file: Path) -> int:
    """Bytes of a copy that has none."""
    copy = file.with_name("copy.db")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("DROP TABLE event_ids")
        target.commit()
    return _in_use(copy)


def _count_bodies(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        return int(database.execute("SELECT count(*) FROM events").fetchone()[0])


if __name__ == "__main__":
    main()
