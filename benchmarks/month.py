"""A month of errors and another one, on a clock that is moved by hand, written by the real writer.

Everything is kept for that one month: at its end the file is as large as it is to become. Then
another month passes while the file is watched, and single events are committed beside what
deletes, to see whether that holds anybody up. The pages, searches and look-ups are timed over HTTP
after the first month, with nothing beside them, and after the second, beside both.

    python -m benchmarks.month [EVENTS]    in each of the two months

An event takes some 0.3 ms of CPU, most of it the indexing: five million in each month are more
than an hour of one core, and 10 GB of disk.
"""

import gc
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import SecretStr

from benchmarks.month_errors import HOUR, START, TEAMS, Errors
from routers.rules import Rules
from service.app import create_app
from service.retention import SHARE, RetentionWatch, periods
from service.runtime import Runtime
from service.search import SearchWatch
from service.settings import Settings
from service.store.transaction import Transaction
from service.store.writer import Writer
from service.telemetry import Telemetry
from tests.running import wait_for

EVENTS = 5_000_000  # in each month
DAYS = 30
KEEP: Any = {f"keep_{what}_days": DAYS for what in ("events", "groups", "deliveries", "audit")}
ROUNDS = 20  # of each request
SLOW = 0.2  # seconds
PAUSE = 0.005  # seconds between two events, as pages are asked beside them
BATCH = 0.02  # seconds, of a batch that deletes, its commit included: the median
GROWTH = 0.10
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
    "/api/v1/deliveries", "/api/v1/deliveries?state=dead",
    "/api/v1/deliveries?state=delivered", "/api/v1/deliveries?group={busy}",
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
            month.hold_ups()
            slow += month.ask_beside(client)
            books = client.get("/api/v1/accounting").json()
    print(f"books     {books['accepted']} accepted, {books['unaccounted']} unaccounted")
    print(f"file      {first / 1e6:.1f} MB after one month, {grown:+.1%} after another")
    broken = {
        f"slower than {SLOW:g} s: {', '.join(slow)}": slow,
        f"the file grew by more than {GROWTH:.0%}": grown > GROWTH,
        f"batches that delete: half took more than {BATCH:g} s": month.batch > BATCH,
        "the books do not balance": books["unaccounted"] or books["accepted"] < 2 * month.events,
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
            **KEEP,
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
        self.events = 24 * DAYS * self._per_hour  # in a month
        self.batch = 0.0  # seconds, of those that delete: the last month's median

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
        spent: dict[str, float] = defaultdict(float)
        self._timed.seconds.clear()
        for hour in range(24 * DAYS):
            spent["written"] += _seconds(self._hour)
            if hour % 6 == 5:
                # else what is told would be told days late, and kept for as much longer
                wait_for(lambda: not self.house.store.due_receivers(self._clock.now))
                spent["indexed"] += _seconds(self._search.look, self._search.look)
                spent["deleted"] += _seconds(self._retention.look)
        jobs = sorted(self._timed.seconds)
        self.batch = jobs[len(jobs) // 2]
        print(f"month     {self.events} events, " + self._held())
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
        gc.collect()
        gc.freeze()  # what this benchmark remembers is no service's to look through
        names, slow = self._names(client), []
        for path in REQUESTS:
            asked = path.format(**names)
            took = [_seconds(partial(_get, client, asked)) for _ in range(ROUNDS)]
            said = f"{1e3 * statistics.median(took):6.1f} ms, worst {1e3 * max(took):6.1f}  {path}"
            print(said, flush=True)
            slow += [path] if max(took) > SLOW else []
        return slow

    def _names(self, client: httpx.Client) -> dict[str, str]:
        groups = client.get("/api/v1/groups?limit=200").json()["groups"]
        by_count = sorted(groups, key=lambda group: group["times_seen"])
        event = client.get("/api/v1/events?limit=200").json()["events"][-1]["id"]
        return {"busy": by_count[-1]["id"], "rare": by_count[0]["id"], "event": event}

    def hold_ups(self) -> None:
        """What single events wait for their commits, alone and beside a day's deletion."""
        waits = {"alone": self._singles(_seconds_from_now(5))}
        with self._deleting():
            waits["beside"] = self._singles(_seconds_from_now(5))
        for name, each in waits.items():
            print(
                f"{name:9} an event waits {1e3 * each[len(each) // 2]:.1f} ms for its commit, "
                f"99 % {1e3 * each[len(each) * 99 // 100]:.1f} ms, longest {1e3 * each[-1]:.1f}"
            )

    def ask_beside(self, client: httpx.Client) -> list[str]:
        """As `ask`, while events are committed and those of a day are deleted."""
        asked = threading.Event()
        sending = threading.Thread(target=self._singles, args=(asked.is_set, PAUSE))
        with self._deleting():
            sending.start()
            print("beside:")
            slow = self.ask(client)
            asked.set()
            sending.join()
        return [f"{path} beside" for path in slow]

    @contextmanager
    def _deleting(self) -> Iterator[None]:
        """At its usual pace, what is past its time a day later."""
        self._clock.now += timedelta(days=1)
        look = threading.Thread(target=self._paced.look)
        look.start()
        try:
            yield
        finally:
            look.join()

    def _singles(self, is_over: Callable[[], bool], pause: float = 0) -> list[float]:
        """Seconds, the shortest first."""
        waits = []
        while not is_over():
            (job,) = self._errors.jobs(self._rules(), self._clock.now, 1)
            waits.append(_seconds(self.house.writer.submit(*job).result))
            time.sleep(pause)
        return sorted(waits)

    def _hour(self) -> None:
        jobs = self._errors.jobs(self._rules(), self._clock.now, self._per_hour)
        for done in [self.house.writer.submit(*job) for job in jobs]:
            done.result()
        self._clock.now += HOUR

    def _rules(self) -> Rules:
        return self.house.rules.current() or Rules.empty()

    def _held(self) -> str:
        tables = ("events", "event_ids", "tallies", "groups", "deliveries")
        with self.house.engine.connect() as connection:
            held = {
                table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # noqa: S608
                for table in tables
            }
        return ", ".join(f"{rows} {table}" for table, rows in held.items())


def _get(client: httpx.Client, path: str) -> None:
    client.get(path).raise_for_status()


def _seconds_from_now(seconds: float) -> Callable[[], bool]:
    until = time.perf_counter() + seconds
    return lambda: time.perf_counter() > until


def _seconds(*works: Callable[[], object]) -> float:
    started = time.perf_counter()
    for work in works:
        work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
