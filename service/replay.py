"""What would have become of the stored events by other rules: whose, and who would be told.

They go the whole way again, in a database of their own that is thrown away. Silences, and what
people did to groups, are not replayed.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from matchers.event import title
from routers.rules import Rules
from service.pipeline import Handled, accept, decide
from service.store.database import migrate, open_database
from service.store.history import Past, history, how_many
from service.store.transaction import Transaction
from service.store.writer import Writer

TOGETHER = 1000  # events in one transaction
Shown = Callable[[Iterable[Past], int], Iterable[Past]]  # e.g. with a bar; how many there are
Move = tuple[str | None, str | None]  # from whom to whom; None: nobody


class Replayed(msgspec.Struct):
    events: int = 0
    moved: dict[Move, Counter[str]] = {}  # group → events
    titles: dict[str, str] = {}  # of those groups
    told: Counter[str | None] = msgspec.field(default_factory=Counter)  # events, by owner
    would_tell: Counter[str | None] = msgspec.field(default_factory=Counter)

    def add(self, past: Past, handled: Handled) -> None:
        self.events += 1
        before = past.owners[0] if past.owners else None
        after = handled.ownership.owner if handled.ownership else None
        if before != after:
            self.moved.setdefault((before, after), Counter())[past.group] += 1
            self.titles[past.group] = title(past.event)
        if past.outcome == "notified":
            self.told[before] += 1
        if handled.outcome == "notified":
            self.would_tell[after] += 1


def replay(url: str, rules: Rules, since: datetime, shown: Shown) -> Replayed:
    """url: of a database that exists; it is only read."""
    replayed, engine = Replayed(), open_database(url)
    with TemporaryDirectory() as folder, engine.connect() as connection:
        writer = _writer(Path(folder))
        try:
            past = iter(shown(history(connection, since), how_many(connection, since)))
            while chunk := list(islice(past, TOGETHER)):
                for one, handled in zip(chunk, writer.run(_again(chunk, rules)), strict=True):
                    replayed.add(one, handled)
        finally:
            writer.stop()
    engine.dispose()
    return replayed


def _writer(folder: Path) -> Writer:
    engine = open_database(f"sqlite:///{folder}/replay.db")
    migrate(engine)
    writer = Writer(engine)
    writer.start()
    return writer


def _again(chunk: list[Past], rules: Rules) -> Callable[[Transaction], list[Handled]]:
    decided = [decide(one.event, rules) for one in chunk]
    return lambda tx: [accept(one.event, one, tx=tx, public_url="") for one in decided]
