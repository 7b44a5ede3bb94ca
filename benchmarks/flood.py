"""A storm: 100,000 events in 3,000 new groups of one team, in a minute if the machine takes them.
Its channel is a Slack that enforces its limits; another team's single errors are told meanwhile.
"""

import http.client
import json
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from service.simulators.server import Simulated, served
from service.simulators.vendors import VENDORS
from tests.running import PATIENCE, Receiver, Service, a_receiver, a_service, wait_for

EVENTS, GROUPS, SINGLES = 100_000, 3_000, 10
BATCH = 25  # events in a request
SENDERS = 4
SECONDS = 60.0
BUDGET = 2.0  # seconds, from a single error's sending to its telling
BURST, PER_SECOND = 3, 1.0  # what Slack takes
SETTLES = 300.0  # seconds
RULES = """version: 1
teams:
  noisy: {{receivers: [{{channel: noisy}}]}}
  quiet: {{receivers: [{{channel: quiet}}]}}
channels:
  noisy: {{{noisy}}}
  quiet: {{webhook: {{url: "{quiet}"}}}}
rules:
  - {{path: /noisy/, owner: noisy}}
  - {{path: /quiet/, owner: quiet}}
"""
SETTINGS = {
    "POINTSMAN_QUOTA_PER_MINUTE": "1000000",
    "POINTSMAN_INGEST_KEYS": "a:1,b:2",
    "POINTSMAN_ALLOW_PRIVATE_DESTINATIONS": "true",
    "LOG_LEVEL": "warning",
}


class Flood(NamedTuple):
    events: int = EVENTS
    groups: int = GROUPS
    singles: int = SINGLES
    seconds: float = SECONDS


class Outcome(NamedTuple):
    took: float  # seconds until all events were answered
    answers: Counter[int]  # status → events
    told: list[float]  # seconds, of each single error
    messages: list[str]  # that Slack took
    limited: int  # that it refused as too many
    lasted: float  # seconds from the first message to the last
    books: dict[str, Any]


def main() -> None:
    flood = Flood()
    with tempfile.TemporaryDirectory() as name:
        outcome = run(flood, Path(name))
    _report(flood, outcome)
    if broken := claims(flood, outcome):
        sys.exit("; ".join(broken))


def run(flood: Flood, folder: Path) -> Outcome:
    answered: list[tuple[float, int, str]] = []

    def slack(_path: str, body: bytes, answer: httpx.Response | None) -> None:
        text = json.loads(body)["text"]
        answered.append((time.monotonic(), answer.status_code if answer else 0, text))

    simulated = Simulated(VENDORS["slack"], slack)
    with served(simulated) as url, a_receiver() as quiet:
        rules = RULES.format(noisy=VENDORS["slack"].channel.format(url=url), quiet=quiet.url)
        with a_service(folder, rules, **SETTINGS) as service:
            senders = Senders(service, flood)
            senders.start()
            told = [_told(service, quiet, number, flood) for number in range(flood.singles)]
            senders.join()
            books = service.settled_books(SETTLES)
    return Outcome(
        took=senders.took,
        answers=senders.answers,
        told=told,
        messages=[text for _, status, text in answered if status == 200],
        limited=sum(status == 429 for _, status, _ in answered),
        lasted=answered[-1][0] - answered[0][0] if answered else 0.0,
        books=books,
    )


def claims(flood: Flood, outcome: Outcome) -> list[str]:
    """Those that do not hold."""
    books, told = outcome.books, sum(map(_groups_in, outcome.messages))
    allowed = BURST + PER_SECOND * outcome.lasted
    broken = {
        "an event was not accepted": outcome.answers != {202: flood.events},
        "an event is not accounted for": books["unaccounted"]
        or books["accepted"] != flood.events + flood.singles,
        "Slack was told more than it takes": outcome.limited or len(outcome.messages) > allowed,
        "no message says that it is a storm": not any(map(_is_storm, outcome.messages)),
        f"{told} groups are named or counted, not {flood.groups}": told != flood.groups,
        "a delivery was not delivered": books["deliveries"]["dead"]
        or books["queued"] != flood.groups + flood.singles,
        "a single error was told too late": max(outcome.told) > BUDGET,
    }
    return [said for said, is_so in broken.items() if is_so]


class Senders:
    """Together they send at an even pace, as far as the service keeps it."""

    def __init__(self, service: Service, flood: Flood) -> None:
        self.answers: Counter[int] = Counter()
        self.took = 0.0
        self._port = service.port
        self._flood = flood
        self._batches = list(_batches(flood))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]

    def start(self) -> None:
        self._began = time.perf_counter()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _send(self, sender: int) -> None:
        mine = self._batches[sender::SENDERS]
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as to:
            for number, batch in enumerate(mine):
                due = self._began + self._flood.seconds * number / len(mine)
                time.sleep(max(0.0, due - time.perf_counter()))
                status, count = _post(to, "a", batch)
                with self._lock:
                    self.answers[status] += count
                    self.took = time.perf_counter() - self._began


def _batches(flood: Flood) -> Iterator[bytes]:
    for start in range(0, flood.events, BATCH):
        numbers = range(start, min(start + BATCH, flood.events))
        yield json.dumps([_event(flood, number) for number in numbers]).encode()


def _event(flood: Flood, number: int) -> dict[str, Any]:
    """New groups come all the time, and each comes again and again."""
    born = 1 + number * flood.groups // flood.events  # so many groups by now
    is_new = born > 1 + (number - 1) * flood.groups // flood.events
    group = born - 1 if is_new or number == 0 else number * 7_919 % born
    error = {"type": f"Storm{group}Error", "value": "x", "frames": [f"noisy/n{group}.py"]}
    return {"exceptions": [error], "release": "shop@2.1"}


def _post(connection: http.client.HTTPConnection, key: str, body: bytes) -> tuple[int, int]:
    """The status, and how many events it says that of."""
    connection.request("POST", f"/api/v1/events?key={key}", body)
    answer = connection.getresponse()
    said = json.loads(answer.read())
    return answer.status, len(said.get("events", []))


def _told(service: Service, quiet: Receiver, number: int, flood: Flood) -> float:
    """Seconds until the quiet team has heard of its error."""
    time.sleep(flood.seconds / (flood.singles + 1))
    error = {"type": f"Single{number}Error", "frames": [f"quiet/n{number}.py"]}
    began, known = time.monotonic(), len(quiet.heard)
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)) as to:
        _post(to, "b", json.dumps([{"exceptions": [error]}]).encode())
    wait_for(lambda: len(quiet.heard) > known)
    return quiet.heard[-1].at - began


def _is_storm(message: str) -> bool:
    return message.startswith("Storm of")


def _groups_in(message: str) -> int:
    """How many groups a message tells: itself, and those that it counts."""
    more = re.search(r"^and ([\d,]+) more alerts$", message, re.MULTILINE)
    return 1 + (int(more[1].replace(",", "")) if more else 0)


def _report(flood: Flood, outcome: Outcome) -> None:
    rate = flood.events / outcome.took
    states = ", ".join(f"{name} {n}" for name, n in outcome.books["deliveries"].items())
    print(f"storm     {flood.events} events in {flood.groups} new groups, {BATCH} in a request")
    print(f"accepted  {outcome.answers[202]} in {outcome.took:.1f} s, {rate:.0f} a second")
    print(f"books     {states}; unaccounted {outcome.books['unaccounted']}")
    print(f"slack     {len(outcome.messages)} messages, {outcome.limited} refused as too many")
    for message in outcome.messages:
        print(f"          {_groups_in(message):>5} groups: {message.splitlines()[0][:90]}")
    print(f"meanwhile {', '.join(f'{one:.2f}' for one in outcome.told)} s, budget {BUDGET:g} s")


if __name__ == "__main__":
    main()
