"""Two services on one PostgreSQL: nothing lost, nothing sent twice, little more CPU for each event.

First one alone takes all events, then two share them, each time in an empty database. Then two
take some in new groups, and one is killed while it is telling them.
"""

import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from tests.postgres import Postgres
from tests.running import PATIENCE, Heard, Receiver, Service, a_receiver, wait_for

EVENTS, GROUPS, CONNECTIONS = 100_000, 1_000, 64
KILLED_GROUPS = 400  # that are new when one is killed
SLOW = 0.02  # seconds that a telling takes, where one is killed meanwhile
SETTLES = 300.0  # seconds; a dead service's lease lasts 30
SAMPLE = 0.02  # seconds
MORE_CPU = 1.15  # of one service's, for each event
RECEIVERS = 8
SETTINGS = {
    "POINTSMAN_QUOTA_PER_MINUTE": "0",
    "POINTSMAN_ALLOW_PRIVATE_DESTINATIONS": "true",
    "LOG_LEVEL": "warning",
}
_TICKS = os.sysconf("SC_CLK_TCK")


class Size(NamedTuple):
    events: int = EVENTS
    groups: int = GROUPS
    killed_groups: int = KILLED_GROUPS
    connections: int = CONNECTIONS


class Took(NamedTuple):
    """What so many services made of the events."""

    cpu: float  # seconds, of all services
    seconds: float
    answers: Counter[int]
    books: dict[str, Any]
    heard: list[Heard]
    locked: float  # the share of their transactions' time in which one waited for another's lock


class Killed(NamedTuple):
    at: float  # time.monotonic()
    sent: int  # events that were answered
    again: int  # that were sent to the other after the one was killed
    books: dict[str, Any]
    heard: list[Heard]


def main() -> None:
    size = Size(int(sys.argv[1])) if len(sys.argv) > 1 else Size()
    with tempfile.TemporaryDirectory() as name:
        postgres = Postgres(durable=True)
        try:
            one = shared(size, 1, postgres, Path(name))
            two = shared(size, 2, postgres, Path(name))
            killed = killed_meanwhile(size, postgres, Path(name))
        finally:
            postgres.stop()
    _report(size, one, two, killed)
    more = _more_cpu(size, one, two)
    costs = [f"two need {more:.2f} times the CPU of one"] if more > MORE_CPU else []
    if broken := claims(size, one, two, killed) + costs:
        sys.exit("; ".join(broken))


def shared(size: Size, services: int, postgres: Postgres, folder: Path) -> Took:
    with a_receiver() as receiver, _running(services, postgres, folder, receiver) as running:
        before = sum(_cpu(one) for one in running)
        began = time.monotonic()
        with Sampler(postgres.url("postgres")) as sampler:
            senders = Senders(running, _events(size.events, size.groups), size.connections)
            senders.join()
            seconds = time.monotonic() - began
        books = running[0].settled_books(SETTLES)
        cpu = sum(_cpu(one) for one in running) - before
        heard = list(receiver.heard)
    return Took(cpu, seconds, senders.answers, books, heard, sampler.share)


def killed_meanwhile(size: Size, postgres: Postgres, folder: Path) -> Killed:
    """Each group comes a few times; the first service is killed when half of them are told."""
    slow = a_receiver(lambda: time.sleep(SLOW))
    with slow as receiver, _running(2, postgres, folder, receiver) as running:
        events = _events(size.killed_groups * 5, size.killed_groups)
        senders = Senders(running, events, size.connections)
        wait_for(lambda: len(receiver.heard) >= size.killed_groups // 4)
        running[0].kill()
        at = time.monotonic()
        senders.join()
        books = running[1].settled_books(SETTLES)
        heard = list(receiver.heard)
    return Killed(at, senders.answers[202], senders.again, books, heard)


def claims(size: Size, one: Took, two: Took, killed: Killed) -> list[str]:
    """Those that do not hold."""
    broken: dict[str, object] = {}
    for name, took in (("one", one), ("two", two)):
        broken |= {
            f"{name}: an event was not accepted": took.answers != {202: size.events},
            f"{name}: an event is not accounted for": took.books["unaccounted"]
            or took.books["accepted"] != size.events,
            f"{name}: a delivery was sent twice": _twice(took.heard),
            f"{name}: a group was not told": _groups(took.heard) != size.groups,
        }
    broken |= {
        "killed: an event was lost": killed.books["unaccounted"]
        or killed.books["accepted"] - killed.books["outcomes"].get("duplicate", 0)
        != size.killed_groups * 5,
        "killed: a group was not told": _groups(killed.heard) != size.killed_groups,
        "killed: a delivery was sent twice that was not under way": any(
            min(one.at for one in killed.heard if one.id == id) > killed.at
            for id in _twice(killed.heard)  # noqa: A001
        ),
    }
    return [said for said, is_so in broken.items() if is_so]


class Senders:
    """Connections that send as fast as they are answered, each to one service while it lives."""

    def __init__(self, services: Sequence[Service], events: Iterator[bytes], many: int) -> None:
        self.answers: Counter[int] = Counter()
        self.again = 0
        self._services = services
        self._events = events
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(many)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _send(self, number: int) -> None:
        whose = number % len(self._services)
        to = self._connect(whose)
        while (event := self._next()) is not None:
            try:
                status = _post(to, event)
            except OSError:  # it was killed: the next takes it, and knows what it has already
                to.close()
                whose = (whose + 1) % len(self._services)
                to = self._connect(whose)
                status = _post(to, event)
                with self._lock:
                    self.again += 1
            with self._lock:
                self.answers[status] += 1
        to.close()

    def _next(self) -> bytes | None:
        with self._lock:
            return next(self._events, None)

    def _connect(self, whose: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._services[whose].port), PATIENCE)


class Sampler:
    """Looks what the services' transactions wait for."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+psycopg", "")
        self._seen: Counter[bool] = Counter()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def share(self) -> float:
        return self._seen[True] / (self._seen.total() or 1)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(psycopg.connect(self._url, autocommit=True)) as connection:
            while not self._stopping.wait(SAMPLE):
                for (waits,) in connection.execute(
                    "SELECT wait_event_type = 'Lock' AND state = 'active' FROM pg_stat_activity"
                    " WHERE application_name = 'pointsman' AND state <> 'idle'"
                ):
                    self._seen[bool(waits)] += 1


@contextmanager
def _running(
    services: int, postgres: Postgres, folder: Path, receiver: Receiver
) -> Iterator[list[Service]]:
    with postgres.empty() as url, ExitStack() as stack:
        running = []
        for number in range(services):
            place = folder / f"{time.monotonic_ns()}-{number}"
            place.mkdir()
            settings = SETTINGS | {"POINTSMAN_DATABASE_URL": url}
            service = Service(place, _rules(receiver.url), **settings)
            stack.callback(service.clean_up)
            service.start()
            running.append(service)
        yield running


def _rules(url: str) -> str:
    teams = {f"team{n}": {"receivers": [{"channel": f"hook{n}"}]} for n in range(RECEIVERS)}
    channels = {f"hook{n}": {"webhook": {"url": f"{url}{n}"}} for n in range(RECEIVERS)}
    rules = [{"path": f"/part{n}/", "owner": f"team{n}"} for n in range(RECEIVERS)]
    policy = {"storm": {"within": "0s"}, "fallback_receivers": []}  # each group is told by itself
    said = {"teams": teams, "channels": channels, "rules": rules, "policy": policy}
    return json.dumps({"version": 1, **said})  # JSON is YAML


def _events(many: int, groups: int) -> Iterator[bytes]:
    for number in range(many):
        # each comes once, then any at random: both services meet at the same ones
        group = number if number < groups else (number * 2_654_435_761 >> 7) % groups
        frames = [f"lib/retry{n}.py" for n in range(20)] + [f"part{group % RECEIVERS}/n{group}.py"]
        error = {"type": f"Replica{group}Error", "value": f"no {number}", "frames": frames}
        event = {"event_id": f"{number:032x}", "exceptions": [error], "release": "shop@2.1"}
        yield json.dumps(event).encode()


def _post(to: socket.socket, body: bytes) -> int:
    """The status. The answer's length is not asked for: it comes in one piece."""
    head = f"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    to.sendall(head.encode() + body)
    answer = to.recv(65_536)
    while answer and b"\r\n\r\n" not in answer:
        answer += to.recv(65_536)
    if not answer:
        raise ConnectionResetError
    head_of_it, _, rest = answer.partition(b"\r\n\r\n")
    length = int(head_of_it.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(rest) < length:
        rest += to.recv(65_536)
    return int(answer.split(b" ", 2)[1])


def _cpu(service: Service) -> float:
    """Seconds. Spec: proc_pid_stat(5)"""
    fields = Path(f"/proc/{service.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _twice(heard: Sequence[Heard]) -> list[str]:
    return [id for id, times in Counter(one.id for one in heard).items() if times > 1]  # noqa: A001


def _groups(heard: Sequence[Heard]) -> int:
    return len({one.notification["group"] for one in heard})


def _more_cpu(size: Size, one: Took, two: Took) -> float:
    return two.cpu / one.cpu


def _report(size: Size, one: Took, two: Took, killed: Killed) -> None:
    numbers = count(1)
    for took in (one, two):
        each = took.cpu / size.events * 1e6
        rate = size.events / took.seconds
        print(
            f"{next(numbers)} service(s)  {size.events} events in {size.groups} groups, "
            f"{rate:.0f} a second, {each:.0f} µs CPU each; waiting for locks {took.locked:.1%}; "
            f"{len(took.heard)} sent, {len(_twice(took.heard))} twice; "
            f"unaccounted {took.books['unaccounted']}"
        )
    print(f"CPU           two {_more_cpu(size, one, two):.2f} times one, budget {MORE_CPU}")
    print(
        f"killed        {killed.sent} events answered, {killed.again} of them by the other; "
        f"{_groups(killed.heard)} of {size.killed_groups} groups told, "
        f"{len(_twice(killed.heard))} deliveries twice; unaccounted {killed.books['unaccounted']}"
    )


if __name__ == "__main__":
    main()
