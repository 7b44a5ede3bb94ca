"""Half an hour of 500 events a second through the running service: its memory does not grow.

    python -m benchmarks.soak [MINUTES]

Of all events nine in ten fall into 1,000 groups, the tenth into ever new ones, told as storms are.
Memory is sampled every few seconds; what the service needs to warm up (what it remembers of groups,
decisions and texts is bounded, and fills) is the first half.
"""

import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.ingest import RULES, SETTINGS
from benchmarks.load import cpu_of, rss_of
from benchmarks.payloads import of, requests, small
from benchmarks.reload import answer_status
from tests.running import Service, a_service

MINUTES = 30.0
RATE = 500  # events a second
SENDERS = 21  # prime to EVERY, so that each sends of both
EVERY = 10  # of so many events one is of a new group
IDLE = 150e6  # bytes, at the most, before the first event
GROWTH = 0.10  # of the memory at half time, at the most, and
SLACK = 8e6  # bytes, what samples differ by
SAMPLE = 2.0  # seconds


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    with (
        tempfile.TemporaryDirectory() as name,
        a_service(Path(name), RULES, **SETTINGS) as service,
    ):
        idle = rss_of(service.pid)
        samples, statuses, cpu = _soak(service, minutes * 60)
        # what the storm gathers for its next message may wait for half an hour more
        books = service.read("/api/v1/accounting")
    half, end = median(_part(samples, 0.4, 0.6)), median(_part(samples, 0.8, 1.0))
    sent = statuses.total()
    print(f"events     {sent:,} in {minutes:g} minutes, {sent / minutes / 60:.0f} a second")
    print(f"answers    {dict(statuses)}")
    print(f"books      accepted {books['accepted']:,}, unaccounted {books['unaccounted']}")
    print(f"CPU        {cpu / sent * 1e6:.0f} µs an event")
    print(f"memory     idle {idle / 1e6:.0f} MB, at half time {half / 1e6:.0f} MB, at the end ")
    print(f"           {end / 1e6:.0f} MB, the most {max(samples) / 1e6:.0f} MB")
    broken = {
        f"idle memory is past {IDLE / 1e6:.0f} MB": idle > IDLE,
        "memory grows": end > half * (1 + GROWTH) + SLACK,
        "an event was refused or is not accounted for": set(statuses) != {200}
        or books["unaccounted"]
        or books["accepted"] != sent,
        "the flow was too slow": sent < 0.95 * RATE * minutes * 60,
    }
    if said := [said for said, is_so in broken.items() if is_so]:
        sys.exit("; ".join(said))


def _soak(service: Service, seconds: float) -> tuple[list[int], Counter[int], float]:
    """Bytes in memory, every now and then; what was answered; the server's CPU."""
    fill, known, new = requests(small()), of(1000), count(1_000_000)
    statuses: Counter[int] = Counter()
    began, cpu = time.perf_counter(), cpu_of(service.pid)

    def send(sender: int) -> None:
        with socket.create_connection(("127.0.0.1", service.port), timeout=60) as line:
            answers = line.makefile("rb")
            for number in range(sender, int(seconds * RATE), SENDERS):
                due = began + number / RATE
                time.sleep(max(0.0, due - time.perf_counter()))
                line.sendmsg(fill(known() if number % EVERY else next(new)))
                statuses[answer_status(answers)] += 1

    samples: list[int] = []
    senders = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        samples.append(rss_of(service.pid))
        time.sleep(SAMPLE)
    return samples, statuses, cpu_of(service.pid) - cpu


def _part(samples: list[int], begins: float, ends: float) -> list[int]:
    return samples[int(len(samples) * begins) : int(len(samples) * ends)]


if __name__ == "__main__":
    main()
