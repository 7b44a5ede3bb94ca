"""Where an event's time goes: each part by itself, on one thread, without HTTP.

Of an error that nobody saw before, and of one whose like came before: in a storm nearly all have.
What a request of the running service costs beyond their sum is HTTP, threads that take turns, and
the disk.
"""

import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.ingest import RULES
from benchmarks.payloads import Groups, all_distinct, large, of, parsed, requests, small
from matchers.engine import match
from matchers.event import Event
from matchers.grouping import group_of
from routers.rules import Rules, load_rules
from service.decisions import Decisions
from service.masking import masked
from service.pipeline import Decided, Handled, accept, decide
from service.store.bodies import WHOLE
from service.store.database import migrate, open_database
from service.store.event_ids import Coming
from service.store.transaction import Transaction
from service.store.writer import Writer
from tests.trees import FakeTree

MADE, ROUNDS = 200, 15
BATCH, BATCHES = 32, 60  # events in a transaction, and how many
GROUPS = 200


def main() -> None:
    print(table())


def table() -> str:
    lines = ["| part | 6 KB | 47 KB |", "|---|---|---|"]
    rules = load_rules(FakeTree({"rules.yaml": RULES}), "rules.yaml", {}).rules
    columns = [_parts(envelope, rules) for envelope in (small(), large())]
    lines += [
        f"| {part} | {cost:.0f} µs | {columns[1][part]:.0f} µs |"
        for part, cost in columns[0].items()
    ]
    return "\n".join(lines)


def _parts(envelope: bytes, rules: Rules) -> dict[str, float]:
    """Microseconds an event."""
    decisions = Decisions()

    def read(group: Groups) -> list[bytes]:
        return [_body(requests(envelope)(group())) for _ in range(MADE)]

    def events() -> list[Event]:
        return [parsed(raw) for raw in read(new)]

    def decided() -> list[Decided]:
        return [decide(event, rules) for event in events()]

    new, before = all_distinct(), of(MADE)
    one = parsed(envelope)
    return {
        "new: read the envelope": _least(parsed, lambda: read(new)),
        "new: decide, match": _least(lambda event: match(event, rules.ruleset), events),
        "new: decide, group": _least(lambda event: group_of(event, rules.ruleset, ("v2",)), events),
        "new: mask": _least(masked, decided),
        "new: commit, with its body": _committed(one, rules, all_distinct(), past=False),
        "came before: read the envelope": _least(parsed, lambda: read(before)),
        "came before: decide and mask": _least(
            lambda event: decisions.of(event, rules), lambda: [*map(parsed, read(before))]
        ),
        "came before: commit, past sampling": _committed(one, rules, of(GROUPS), past=True),
    }


def _body(request: Sequence[bytes]) -> bytes:
    return b"".join(request).split(b"\r\n\r\n", 1)[1]


def _least(work: Callable[[Any], object], make: Callable[[], Sequence[Any]]) -> float:
    """Of rounds; each makes its own."""
    found = []
    for _ in range(ROUNDS):
        made = make()
        began = time.perf_counter()
        for one in made:
            work(one)
        found.append(time.perf_counter() - began)
    return min(found) / MADE * 1e6


def _committed(event: Event, rules: Rules, group: Groups, *, past: bool) -> float:
    """The writer's CPU an event, reading, routing, statements and commit."""
    decisions = Decisions()
    with tempfile.TemporaryDirectory() as name:
        engine = open_database(f"sqlite:///{Path(name)}/pointsman.db")
        migrate(engine)
        writer = Writer(engine)
        writer.start()
        warm = (WHOLE + 1) * GROUPS if past else BATCH * BATCHES
        for _ in range(0, warm, 500):
            made = [decisions.of(_one(event, group()), rules) for _ in range(500)]
            writer.submit(*_job(made)).result()
        took = []
        for _ in range(BATCHES):
            job = _job([decisions.of(_one(event, group()), rules) for _ in range(BATCH)])
            writer.submit(*job).result()
            took.append(writer.run(lambda _tx: time.thread_time()))
        writer.stop()
        engine.dispose()
    spent = sorted(after - before for before, after in pairwise(took))
    return spent[len(spent) // 4] / BATCH * 1e6  # the least is one without a checkpoint


def _job(
    some: Iterable[Decided],
) -> tuple[Callable[[Transaction], list[Handled]], list[Coming]]:
    those = list(some)
    coming = [Coming(d.event.project, d.event.event_id, d.grouped.fingerprints) for d in those]
    return partial(_take, those), coming


def _take(those: list[Decided], tx: Transaction) -> list[Handled]:
    return [accept(one.event, one, tx=tx, public_url="") for one in those]


def _one(event: Event, group: int) -> Event:
    name = "".join(chr(ord("a") + int(digit)) for digit in str(group))
    thrown = msgspec.structs.replace(event.exceptions[-1], type=f"{name.title()}Error")
    return msgspec.structs.replace(
        event,
        event_id=uuid.uuid4().hex,
        received_at=datetime.now(UTC),
        exceptions=(*event.exceptions[:-1], thrown),
    )


if __name__ == "__main__":
    main()
