"""Requests a second of the running service, as shares of an app that reads a body and answers.

    python -m benchmarks.ingest [--rounds N] [--seconds S]

The server has one core, the load and PostgreSQL another. Where others use the machine too, the
server's CPU a request says more than the rate; the shares of both are told.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.load import Measured, Request, drive
from benchmarks.payloads import all_distinct, large, of, one_group, requests, small, stores
from service.store.bodies import WHOLE
from tests.postgres import Postgres
from tests.running import ROOT, a_service, wait_for

ROUNDS, SECONDS = 5, 3.0
GROUPS = 1000
SLOWEST = 0.050  # seconds, p99
HOUR = 3600  # seconds; with each, sampling begins anew
RULES = """version: 1
source_roots: ["/srv/monolith/*/python/"]
teams:
  platform: {receivers: [{channel: log}]}
  payments: {receivers: [{channel: log}]}
channels: {log: {log: {}}}
rules:
  - {path: /shop/, owner: platform}
  - {path: /shop/billing/, owner: payments}
  - {path: /shop/common/, owner: platform, transparent: true}
default: platform
"""
SETTINGS = {"POINTSMAN_QUOTA_PER_MINUTE": "0", "LOG_LEVEL": "warning"}


class Variant(NamedTuple):
    name: str
    server: str  # asgi, pydantic, least, sqlite, postgres
    group: Callable[[], int]
    floors: tuple[float, float] | None = None  # the least shares: of 6 KB, of 47 KB
    warms: int = 500  # requests


_PAST = GROUPS * (WHOLE + 5)  # requests after which bodies are sampled
VARIANTS = (
    Variant("bare", "asgi", one_group),
    Variant("pydantic", "pydantic", one_group),
    Variant("the least", "least", all_distinct()),
    Variant("one group", "sqlite", one_group),
    Variant("storm", "sqlite", of(GROUPS), (0.33, 0.40), _PAST),
    Variant("all distinct", "sqlite", all_distinct(), (0.20, 0.16)),
    Variant("storm on PostgreSQL", "postgres", of(GROUPS), None, _PAST),
    Variant("all distinct on PostgreSQL", "postgres", all_distinct()),
)


class Server(NamedTuple):
    port: int
    pid: int


class Result(NamedTuple):
    size: str
    variant: Variant
    rounds: Sequence[Measured]
    rate_share: float  # of the bare app's, in the same round; the median
    cpu_share: float
    floor: float | None

    def middle(self, name: str) -> float:
        return float(median(getattr(one, name) for one in self.rounds))


def main() -> None:
    asked = ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=ROUNDS)
    asked.add_argument("--seconds", type=float, default=SECONDS)
    told = asked.parse_args()
    results = measure(told.rounds, told.seconds)
    print(table(results))
    if broken := list(claims(results)):
        sys.exit("\n".join(broken))


def measure(rounds: int = ROUNDS, seconds: float = SECONDS) -> list[Result]:
    load, serve = _cores()
    os.sched_setaffinity(0, load)  # and with this what it starts
    postgres = Postgres(durable=True)
    try:
        return _measured(rounds, seconds, postgres, serve)
    finally:
        postgres.stop()


def _measured(rounds: int, seconds: float, postgres: Postgres, serve: set[int]) -> list[Result]:
    found: list[Result] = []
    for place, envelope in enumerate((small(), large())):
        measured: dict[str, list[Measured]] = {one.name: [] for one in VARIANTS}
        with ExitStack() as stack:
            servers = {one.name: stack.enter_context(_served(one, postgres)) for one in VARIANTS}
            for server in servers.values():
                _pin(server.pid, serve)
            senders = {one.name: _Sender(one, servers[one.name], envelope) for one in VARIANTS}
            for _ in range(rounds):
                for one in VARIANTS:
                    sender = senders[one.name]
                    sender.warm_up()
                    measured[one.name].append(sender.drive(seconds=seconds))
        found += _results(place, f"{len(envelope) / 1000:.0f} KB", measured)
    return found


def claims(results: Sequence[Result]) -> Iterator[str]:
    """Those that do not hold."""
    for one in results:
        name = f"{one.variant.name}, {one.size}"
        if any(set(measured.statuses) != {b"200"} for measured in one.rounds):
            yield f"{name}: not every answer was 200"
        if one.floor is not None and one.rate_share < one.floor:
            yield f"{name}: {one.rate_share:.2f} of the bare app's rate, not {one.floor:.2f}"
        if one.floor is not None and one.middle("p99") > SLOWEST:
            yield f"{name}: p99 {one.middle('p99') * 1e3:.0f} ms, not {SLOWEST * 1e3:.0f}"
    by_name = {(one.variant.name, one.size): one for one in results}
    for (name, size), one in by_name.items():
        if name == "pydantic" and one.middle("rate") > by_name["storm", size].middle("rate"):
            yield f"{size}: FastAPI with a pydantic body is faster than the storm"


def table(results: Sequence[Result]) -> str:
    lines = [
        "| event | variant | requests/s | share | floor | p50 | p99 | CPU a request | CPU share |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.size} | {one.variant.name} | {one.middle('rate'):.0f} | {one.rate_share:.2f} "
        f"| {one.floor if one.floor is not None else ''} "
        f"| {one.middle('p50') * 1e3:.1f} ms | {one.middle('p99') * 1e3:.1f} ms "
        f"| {one.middle('cpu') * 1e6:.0f} µs | {one.cpu_share:.2f} |"
        for one in results
    ]
    return "\n".join(lines)


class _Sender:
    def __init__(self, one: Variant, server: Server, envelope: bytes) -> None:
        self._one = one
        self._server = server
        self._fill = (stores if one.server == "pydantic" else requests)(envelope)
        self._hour = 0

    def warm_up(self) -> None:
        """Once; and again in a new hour, in which bodies are kept anew."""
        if self._hour != int(time.time()) // HOUR:
            self.drive(count=self._one.warms)
            self._hour = int(time.time()) // HOUR

    def drive(self, *, seconds: float = 0.0, count: int = 0) -> Measured:
        port, pid = self._server
        return drive(port, pid, self._request, seconds=seconds, count=count)

    def _request(self) -> Request:
        return self._fill(self._one.group())


def _results(place: int, size: str, measured: dict[str, list[Measured]]) -> Iterator[Result]:
    bare = measured["bare"]
    for one in VARIANTS:
        pairs = list(zip(measured[one.name], bare, strict=True))
        yield Result(
            size=size,
            variant=one,
            rounds=measured[one.name],
            rate_share=median(mine.rate / its.rate for mine, its in pairs),
            cpu_share=median(its.cpu / mine.cpu for mine, its in pairs),
            floor=one.floors[place] if one.floors else None,
        )


@contextmanager
def _served(one: Variant, postgres: Postgres) -> Iterator[Server]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if one.server not in ("sqlite", "postgres"):
            yield stack.enter_context(_app(one.server, folder / "least.db"))
            return
        where = {}
        if one.server == "postgres":
            where["POINTSMAN_DATABASE_URL"] = stack.enter_context(postgres.empty())
        service = stack.enter_context(a_service(folder, RULES, **SETTINGS, **where))
        yield Server(service.port, service.pid)


@contextmanager
def _app(kind: str, file: Path) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.bare", kind, str(port), str(file)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(lambda: _answers(port))
        yield Server(port, process.pid)
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _cores() -> tuple[set[int], set[int]]:
    """The load's, and the server's: the same where there is one only."""
    cores = sorted(os.sched_getaffinity(0))
    return {cores[-1]}, {cores[0]}


def _pin(pid: int, cores: set[int]) -> None:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


if __name__ == "__main__":
    main()
