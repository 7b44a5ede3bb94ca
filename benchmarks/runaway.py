"""One project sends fifty times its quota, of many different errors; another's single errors are
told meanwhile. A real service, a real webhook receiver, senders with connections of their own.
"""

import http.client
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.running import Receiver, Service, a_receiver, a_service, wait_for

QUOTA = 1_200  # events a minute
TIMES = 50
SENDERS = 16
SECONDS = 30.0
SINGLES = 10
BUDGET = 2.0  # seconds, from a single error's sending to its telling
RULES = """version: 1
teams:
  noisy: {{receivers: [{{channel: noisy}}]}}
  quiet: {{receivers: [{{channel: quiet}}]}}
channels:
  noisy: {{webhook: {{url: "{noisy}"}}}}
  quiet: {{webhook: {{url: "{quiet}"}}}}
rules:
  - {{path: /noisy/, owner: noisy}}
  - {{path: /quiet/, owner: quiet}}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name, a_receiver() as noisy, a_receiver() as quiet:
        rules = RULES.format(noisy=noisy.url, quiet=quiet.url)
        settings = {
            "POINTSMAN_QUOTA_PER_MINUTE": str(QUOTA),
            "POINTSMAN_INGEST_KEYS": "a:1,b:2",
            "POINTSMAN_ALLOW_PRIVATE_DESTINATIONS": "true",
            "LOG_LEVEL": "warning",
        }
        with a_service(Path(name), rules, **settings) as service:
            runaway = Runaway(service)
            runaway.start()
            told = [_told(service, quiet, number) for number in range(SINGLES)]
            runaway.stop()
            books = service.settled_books(120)
    _report(runaway, told, books)


class Runaway:
    """Senders that together keep a pace, each event an error of its own."""

    def __init__(self, service: Service) -> None:
        self.answers: Counter[int] = Counter()
        self.seconds = 0.0
        self._port = service.port
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]

    def start(self) -> None:
        self._began = time.perf_counter()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        time.sleep(max(0.0, SECONDS - (time.perf_counter() - self._began)))
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.perf_counter() - self._began

    def _send(self, sender: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        due, sent = time.perf_counter(), 0
        while not self._stopping.is_set():
            due += SENDERS / (QUOTA * TIMES / 60)
            time.sleep(max(0.0, due - time.perf_counter()))
            sent += 1
            self.answers[_post(connection, "a", f"noisy/of{sender}/n{sent}.py")] += 1


def _post(connection: http.client.HTTPConnection, key: str, path: str) -> int:
    event = {"exceptions": [{"type": f"Error{path}", "frames": [path]}]}
    connection.request("POST", f"/api/v1/events?key={key}", json.dumps(event))
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _told(service: Service, quiet: Receiver, number: int) -> float:
    """Seconds until the team of the quiet project has heard of its error."""
    time.sleep(SECONDS / SINGLES / 2)
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    began, known = time.monotonic(), len(quiet.heard)
    _post(connection, "b", f"quiet/n{number}.py")
    wait_for(lambda: len(quiet.heard) > known)
    return quiet.heard[-1].at - began


def _report(runaway: Runaway, told: list[float], books: dict[str, Any]) -> None:
    sent = runaway.answers.total()
    rate, over = sent / runaway.seconds, books["outcomes"].get("over_quota", 0)
    print(f"quota     {QUOTA} events a minute for each project")
    print(f"runaway   {sent} events sent, {rate:.0f} a second: {60 * rate / QUOTA:.0f} times it")
    print(f"answers   {dict(runaway.answers)}")
    print(
        f"stored    {sent + SINGLES - over}, over quota {over}, unaccounted {books['unaccounted']}"
    )
    print(f"told      {', '.join(f'{one:.2f}' for one in told)} s, budget {BUDGET:g} s")
    broken = {
        "a single error was told too late": max(told) > BUDGET,
        "the runaway was too slow": rate < 0.9 * TIMES * QUOTA / 60,
        "some were refused": runaway.answers[202] != sent,
        "the quota did not hold": sent - over > QUOTA * (1.1 + runaway.seconds / 60),
        "not every event is accounted for": books["unaccounted"]
        or books["accepted"] != sent + SINGLES,
    }
    if any(broken.values()):
        sys.exit("; ".join(said for said, is_so in broken.items() if is_so))


if __name__ == "__main__":
    main()
