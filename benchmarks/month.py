"""A month of errors and another one, on a clock that is moved by hand, written by the real writer.

Everything is kept for that one month: at its end the file is as large as it is to become. Then the
pages, searches and look-ups are timed over HTTP, another month passes while the file is watched,
and single events are committed beside what deletes, to see whether that holds anybody up.

    python -m benchmarks.month [EVENTS]    in each of the two months

An event takes some 0.3 ms of CPU, most of it the indexing: a million in each month are a quarter
of an hour of one core and 3 GB, five million an hour and 10 GB.
"""

import itertools
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn
from pydantic import SecretStr

from matchers.event import Event
from routers.rules import Rules
from service.app import create_app
from service.masking import masked
from service.pipeline import Decided, accept, decide
from service.retention import SHARE, RetentionWatch, periods
from service.runtime import Runtime
from service.search import SearchWatch
from service.settings import Settings
from service.store.event_ids import Coming
from service.store.transaction import Transaction
from service.store.writer import Writer
from service.telemetry import Telemetry
from tests.ingest.captured import parsed
from tests.running import wait_for

EVENTS = 1_000_000  # in each month
DAYS = 30
LASTING, NEW = 2_000, 100  # groups that come every day; new ones a day, which come for three
SKEW = 1.4  # how unevenly the groups come; the first has 13 % of all
JOB = 100  # events in one job of the writer
TEAMS = 12
ROUNDS = 20  # of each request
SLOW = 0.2  # seconds
BATCH = 0.02  # seconds, of a batch that deletes, its commit included: the median
GROWTH = 0.10
START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOUNS = ["Account", "Basket", "Card", "Order", "Price", "Rate", "Shelf", "Stock", "Tax", "User"]
KINDS = ["Timeout", "Missing", "Invalid", "Closed", "Locked", "Empty", "Refused", "Broken"]
RULES = (
    "version: 1\nteams:\n"
    + "".join(f"  team{n}: {{receivers: [{{channel: hook}}]}}\n" for n in range(TEAMS))
    + 'channels:\n  hook: {webhook: {url: "https://hooks.example/a"}}\nrules:\n'
    + "".join(f"  - {{path: /shop/team{n}/, owner: team{n}}}\n" for n in range(TEAMS))
)
REQUESTS = (
    "/", "/?team=team3", "/?team=unowned", "/?status=resolved", "/?q=error", "/?q=timeout+order",
    "/?q=nowhere", "/groups/{busy}", "/groups/{rare}", "/groups/{busy}?q=web-7",
    "/api/v1/groups?limit=200", "/api/v1/groups?environment=staging", "/api/v1/groups?q=ta",
    "/api/v1/groups?q=shop+team5+tax.py&team=team5", "/api/v1/groups/{busy}",
    "/api/v1/events", "/api/v1/events?q=error", "/api/v1/events?q=production+timeout",
    "/api/v1/events?q=order+4", "/api/v1/events?q=nowhere", "/api/v1/events?q=web&group={busy}",
    "/api/v1/events?q={event}", "/api/v1/events?project=1&q=e",
    "/api/v1/deliveries", "/api/v1/deliveries?state=dead", "/api/v1/deliveries?group={busy}",
    "/api/v1/accounting", "/api/v1/audit", "/api/v1/silences", "/api/v1/teams",
    "/api/v1/ownership?path=shop/team3/tax.py", "/metrics", "/readyz",
)  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Timed:
    """A writer's face that remembers how long each job took, its commit included."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.seconds: list[float] = []

    def run(self, work: Callable[[Transaction], Any]) -> Any:
        started = time.perf_counter()
        done = self._writer.run(work)
        self.seconds.append(time.perf_counter() - started)
        return done


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as name:
        month = Month(Path(name), count)
        with month.served() as client:
            month.pass_by()
            first = month.size()
            slow = month.ask(client)
            month.pass_by()
            grown = month.size() / first - 1
            waits = month.hold_ups()
            books = client.get("/api/v1/accounting").json()
    print(f"books     {books['accepted']} accepted, {books['unaccounted']} unaccounted")
    print(f"file      {first / 1e6:.1f} MB after one month, {grown:+.1%} after another")
    broken = {
        f"slower than {SLOW:g} s: {', '.join(slow)}": slow,
        f"the file grew by more than {GROWTH:.0%}": grown > GROWTH,
        "what deletes held the writer up": waits > BATCH,
        "the books do not balance": books["unaccounted"] or books["accepted"] < 2 * count,
    }
    if any(broken.values()):
        sys.exit("; ".join(said for said, is_so in broken.items() if is_so))


class Month:
    def __init__(self, folder: Path, events: int) -> None:
        (folder / "rules.yaml").write_text(RULES)
        self._file = folder / "pointsman.db"
        settings = Settings(
            database_url=SecretStr(f"sqlite:///{self._file}"),
            rules=folder / "rules.yaml",
            log_level="warning",
            **{f"keep_{what}_days": DAYS for what in ("events", "groups", "deliveries", "audit")},
        )
        self._clock = Clock()
        hook = httpx.MockTransport(lambda _: httpx.Response(204))
        self.house = Runtime(
            settings, clock=self._clock, environ={}, client=httpx.Client(transport=hook)
        )
        self._timed = Timed(self.house.writer)
        self._retention, self._paced = (
            RetentionWatch(
                self._timed,  # type: ignore[arg-type]
                Telemetry(),
                periods(settings),
                clock=self._clock,
                share=share,
            )
            for share in (1.0, SHARE)
        )
        self._search = SearchWatch(
            self.house.writer,
            self.house.search_store,
            Telemetry(),
            share=1.0,
        )
        self._errors = Errors()
        self._per_hour = events // (24 * DAYS)

    @contextmanager
    def served(self) -> Iterator[httpx.Client]:
        config = uvicorn.Config(create_app(self.house), port=0, log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        wait_for(lambda: server.started)
        self.house.search_watch.stop()  # theirs are looked at by hand
        self.house.retention_watch.stop()
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                client.timeout = httpx.Timeout(60)
                yield client
        finally:
            server.should_exit = True
            thread.join()

    def pass_by(self) -> None:
        """A month. What is kept no longer goes every six hours, as what is new is indexed."""
        spent = Counter[str]()
        self._timed.seconds.clear()
        for hour in range(24 * DAYS):
            spent["written"] += _seconds(self._hour)
            if hour % 6 == 5:
                # else what is told would be told days late, and kept for as much longer
                wait_for(lambda: not self.house.store.due_receivers(self._clock.now))
                spent["indexed"] += _seconds(self._search.look, self._search.look)
                spent["deleted"] += _seconds(self._retention.look)
        jobs = sorted(self._timed.seconds)
        events = 24 * DAYS * self._per_hour
        print(f"month     {events} events, " + self._held())
        print("spent     " + ", ".join(f"{what} {took:.0f} s" for what, took in spent.items()))
        print(
            f"deleting  {len(jobs)} jobs of the writer: "
            f"median {1e3 * jobs[len(jobs) // 2]:.1f} ms, "
            f"99 % {1e3 * jobs[len(jobs) * 99 // 100]:.1f} ms, longest {1e3 * jobs[-1]:.1f} ms",
            flush=True,
        )

    def size(self) -> int:
        with self.house.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return self._file.stat().st_size

    def ask(self, client: httpx.Client) -> list[str]:
        """Those of REQUESTS that were too slow, once."""
        names, slow = self._names(client), []
        for path in REQUESTS:
            asked = path.format(**names)
            took = [_seconds(lambda asked=asked: _get(client, asked)) for _ in range(ROUNDS)]
            print(f"{1e3 * statistics.median(took):6.1f} ms, worst {1e3 * max(took):6.1f}  {path}")
            slow += [path] if max(took) > SLOW else []
        sys.stdout.flush()
        return slow

    def _names(self, client: httpx.Client) -> dict[str, str]:
        groups = client.get("/api/v1/groups?limit=200").json()["groups"]
        by_count = sorted(groups, key=lambda group: group["times_seen"])
        event = client.get("/api/v1/events?limit=200").json()["events"][-1]["id"]
        return {"busy": by_count[-1]["id"], "rare": by_count[0]["id"], "event": event}

    def hold_ups(self) -> float:
        """What single events wait for their commits, alone and beside the deletion of a day's rows.

        How long a batch that deletes takes: the median of the month.
        """
        alone = self._singles(time.perf_counter() + 5)
        self._clock.now += timedelta(days=1)
        look = threading.Thread(target=self._paced.look)
        look.start()
        beside = self._singles(time.perf_counter() + 5)
        look.join()
        for name, waits in (("alone", alone), ("beside", beside)):
            print(
                f"{name:9} an event waits {1e3 * waits[len(waits) // 2]:.1f} ms for its commit, "
                f"99 % {1e3 * waits[len(waits) * 99 // 100]:.1f} ms, longest {1e3 * waits[-1]:.1f}"
            )
        return statistics.median(self._timed.seconds)

    def _singles(self, until: float) -> list[float]:
        """Seconds, the shortest first."""
        waits = []
        while time.perf_counter() < until:
            (job,) = self._errors.jobs(self._rules(), self._clock.now, 1)
            waits.append(_seconds(self.house.writer.submit(*job).result))
        return sorted(waits)

    def _hour(self) -> None:
        jobs = self._errors.jobs(self._rules(), self._clock.now, self._per_hour)
        for done in [self.house.writer.submit(*job) for job in jobs]:
            done.result()
        self._clock.now += HOUR

    def _rules(self) -> Rules:
        rules = self.house.rules.current()
        return rules or Rules.empty()

    def _held(self) -> str:
        tables = ("events", "event_ids", "tallies", "groups", "deliveries")
        with self.house.engine.connect() as connection:
            held = {
                table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # noqa: S608
                for table in tables
            }
        return ", ".join(f"{rows} {table}" for table, rows in held.items())


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


def _get(client: httpx.Client, path: str) -> None:
    client.get(path).raise_for_status()


def _seconds(*works: Callable[[], object]) -> float:
    started = time.perf_counter()
    for work in works:
        work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
