"""The errors of a month: real ones of a monolith, altered, as jobs of the writer."""

import itertools
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from matchers.event import Event
from routers.rules import Rules
from service.masking import masked
from service.pipeline import Decided, accept, decide
from service.store.event_ids import Coming
from service.store.transaction import Transaction
from tests.ingest.captured import parsed

LASTING, NEW = 2_000, 100  # groups that come every day; new ones a day, which come for three
SKEW = 1.4  # how unevenly the groups come; the first has 13 % of all
JOB = 100  # events in one job of the writer
TEAMS = 12
START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOUNS = ["Account", "Basket", "Card", "Order", "Price", "Rate", "Shelf", "Stock", "Tax", "User"]
KINDS = ["Timeout", "Missing", "Invalid", "Closed", "Locked", "Empty", "Refused", "Broken"]


class Errors:
    """Real events of a monolith, altered: who failed, where, and for which order."""

    def __init__(self) -> None:
        self._base = parsed("sentry-python-gzip/01").events[0]
        self._random = random.Random(7)
        self._decided: dict[tuple[int, str], Decided] = {}
        self._weights = list(
            itertools.accumulate(1 / (rank + 3) ** SKEW for rank in range(LASTING + 3 * NEW))
        )

    def jobs(
        self, rules: Rules, now: datetime, count: int
    ) -> list[tuple[Callable[[Transaction], None], list[Coming]]]:
        """For `count` events of this hour: what the writer is to do, and what it is told before."""
        day = (now - START).days
        ranks = self._random.choices(range(LASTING + 3 * NEW), cum_weights=self._weights, k=count)
        some = [self._event(rules, self._group(rank, day), now, day) for rank in ranks]
        return [_job(some[at : at + JOB]) for at in range(0, count, JOB)]

    def _group(self, rank: int, day: int) -> int:
        """The last ones are those that came up in these three days."""
        return rank if rank < LASTING else rank + NEW * max(0, day - 2)

    def _event(self, rules: Rules, group: int, now: datetime, day: int) -> Decided:
        environment = self._random.choices(("production", "staging", "qa"), (90, 8, 2))[0]
        known = self._decided.get((group, environment))
        if known is None:
            known = masked(decide(self._named(group, environment), rules))
            self._decided[group, environment] = known
        *before, thrown = known.event.exceptions
        order = self._random.randrange(10**6)
        said = msgspec.structs.replace(thrown, value=f"order {order} of {_noun(group)} is late")
        event = msgspec.structs.replace(
            known.event,
            event_id=f"{self._random.getrandbits(128):032x}",
            received_at=now + HOUR * self._random.random(),
            release=f"shop@2026.11.{day}",
            server_name=f"web-{self._random.randrange(40)}",
            exceptions=(*before, said),
        )
        return msgspec.structs.replace(known, event=event)

    def _named(self, group: int, environment: str) -> Event:
        """Its own type, in a file of its own."""
        *before, thrown = self._base.exceptions
        team, noun = f"team{group % TEAMS}", _noun(group)
        last = msgspec.structs.replace(
            thrown.frames[-1],
            filename=f"shop/{team}/{noun.lower()}_{group}.py",
            abs_path=None,
            function=f"find_{noun.lower()}",
            in_app=True,
        )
        kind = f"{noun}{KINDS[group % len(KINDS)]}{group}Error"
        named = msgspec.structs.replace(thrown, type=kind, frames=(*thrown.frames[:-1], last))
        return msgspec.structs.replace(
            self._base, environment=environment, exceptions=(*before, named)
        )


def _noun(group: int) -> str:
    return NOUNS[group % len(NOUNS)]


def _job(some: Sequence[Decided]) -> tuple[Callable[[Transaction], None], list[Coming]]:
    def work(tx: Transaction) -> None:
        for one in some:
            accept(one.event, one, tx=tx, public_url="https://pointsman.example")

    return work, [
        Coming(one.event.project, one.event.event_id, one.grouped.fingerprints) for one in some
    ]
