"""A storm through the running service: what an event costs, by how many groups it falls into.

What a storm costs beyond its first hundred events a group is counting: CPU, and no bytes but ids.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.ingest import RULES, SETTINGS
from benchmarks.load import drive
from benchmarks.payloads import of, requests, small
from tests.running import a_service

EVENTS = 20_000
GROUPS = (1, 10, 100, 1000)


class Stormed(NamedTuple):
    groups: int
    rate: float
    cpu: float  # seconds of the server's, an event
    size: int  # bytes of the database, an event
    told: int  # notifications
    unaccounted: int


def main() -> None:
    found = [storm(groups) for groups in GROUPS]
    print(table(found))
    if any(one.unaccounted or one.told != one.groups for one in found):
        sys.exit("an event is not accounted for, or a group was told twice or never")


def storm(groups: int, events: int = EVENTS) -> Stormed:
    fill, group = requests(small()), of(groups)
    with tempfile.TemporaryDirectory() as name:
        with a_service(Path(name), RULES, **SETTINGS) as service:
            done = drive(service.port, service.pid, lambda: fill(group()), count=events)
            books = service.settled_books(300)
            service.stop()
        size = sum(file.stat().st_size for file in Path(name, "data").glob("pointsman.db*"))
    return Stormed(
        groups, done.rate, done.cpu, size // events, books["queued"], books["unaccounted"]
    )


def table(found: list[Stormed]) -> str:
    lines = [
        f"| groups of {EVENTS:,} events | requests/s | CPU an event | database | told |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.groups:,} | {one.rate:.0f} | {one.cpu * 1e6:.0f} µs | {one.size} B | {one.told} |"
        for one in found
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
