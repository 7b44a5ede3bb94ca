"""From accepted to told: how long a new error takes from its answer to its team's webhook.

Alone, and while a storm of another team goes on.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

from tests.running import Receiver, Service, a_receiver, a_service, wait_for

ERRORS = 100
PAUSE = 0.05  # seconds between two of them
STORM = 500  # events a second, of another team
BUDGET = 2.0  # seconds
RULES = """version: 1
teams:
  quiet: {{receivers: [{{channel: quiet}}]}}
  noisy: {{receivers: [{{channel: console}}]}}
channels:
  quiet: {{webhook: {{url: "{url}"}}}}
  console: {{log: {{}}}}
rules:
  - {{path: /quiet/, owner: quiet}}
  - {{path: /noisy/, owner: noisy}}
"""
SETTINGS = {
    "POINTSMAN_QUOTA_PER_MINUTE": "0",
    "POINTSMAN_ALLOW_PRIVATE_DESTINATIONS": "true",
    "LOG_LEVEL": "warning",
}


class Told(NamedTuple):
    meanwhile: str
    p50: float  # seconds
    p99: float


def main() -> None:
    found = list(measure())
    print(table(found))
    if any(one.p99 > BUDGET for one in found):
        sys.exit(f"a team was told later than {BUDGET:g} s after the answer")


def measure(errors: int = ERRORS) -> Iterator[Told]:
    with (
        tempfile.TemporaryDirectory() as name,
        a_receiver() as quiet,
        a_service(Path(name), RULES.format(url=quiet.url), **SETTINGS) as service,
    ):
        yield _told("nothing", service, quiet, errors)
        with _storming(service):
            yield _told(f"a storm of {STORM} events a second", service, quiet, errors)


def table(found: list[Told]) -> str:
    lines = ["| meanwhile | p50 | p99 |", "|---|---|---|"]
    lines += [
        f"| {one.meanwhile} | {one.p50 * 1e3:.0f} ms | {one.p99 * 1e3:.0f} ms |" for one in found
    ]
    return "\n".join(lines)


def _told(meanwhile: str, service: Service, quiet: Receiver, errors: int) -> Told:
    answered: dict[str, float] = {}
    known = len(quiet.heard)
    line = HTTPConnection("127.0.0.1", service.port, timeout=30)
    for number in range(known, known + errors):
        group = _post(line, "quiet", number)
        answered[group] = time.monotonic()
        time.sleep(PAUSE)
    line.close()
    wait_for(lambda: len(quiet.heard) >= known + errors)
    took = [one.at - answered[one.notification["group"]] for one in quiet.heard[known:]]
    percents = quantiles(took, n=100)
    return Told(meanwhile, percents[49], percents[98])


@contextmanager
def _storming(service: Service) -> Iterator[None]:
    stopped = threading.Event()

    def send() -> None:
        line, due, number = HTTPConnection("127.0.0.1", service.port), time.perf_counter(), 0
        while not stopped.is_set():
            due += 1 / STORM
            time.sleep(max(0.0, due - time.perf_counter()))
            _post(line, "noisy", number % 100)
            number += 1
        line.close()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _post(line: HTTPConnection, team: str, number: int) -> str:
    """The event's group. Each is told by itself: no two have a frame, a release or a cause."""
    name = "".join(chr(ord("a") + int(digit)) for digit in f"{number:06}")
    error = {"type": f"{name.title()}Error", "frames": [f"{team}/{name}.py"]}
    event = {"exceptions": [error], "release": f"{name}@1"}
    line.request("POST", "/api/v1/events", json.dumps(event))
    said = json.loads(line.getresponse().read())
    return str(said["events"][0]["group"])


if __name__ == "__main__":
    main()
