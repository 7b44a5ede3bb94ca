"""Reloads of 40 team files and 10,000 rules while 500 events a second flow.

A real service follows a link that is swapped between revisions of the same rules, each written
some lines further down: a decision that named rules of two revisions would name a wrong line.
"""

import http.client
import itertools
import json
import random
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from io import BufferedReader
from pathlib import Path
from typing import Any

from benchmarks.shapes import Shapes
from service.store.bodies import decision_in
from tests.running import Service, a_service

TEAMS, RULES = 40, 10_000
EVENTS = 500  # a second
SENDERS = 20
REVISIONS = 10
PAUSE = 2.0  # seconds of flow before each reload, and after the last
BUDGET = 1.0  # seconds of one reload
FIRST = 5  # the line of a file's first rule, in the revision that is not moved
FRAMES = 5
MADE = 20_000  # events; past these they come again, each as an event of its own
ROOT = "version: 1\nrules:\n  - {include: teams/*.yaml}\n"


def main() -> None:
    shapes = Shapes(RULES)
    owned = {f"t{team:02}": shapes.patterns[team::TEAMS] for team in range(TEAMS)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for moved in range(REVISIONS + 1):
            _write(folder / f"revision-{moved}", owned, moved)
        link = folder / "rules"
        link.symlink_to("revision-0")
        settings = {"POINTSMAN_RULES": "rules/ownership_rules.yaml", "LOG_LEVEL": "warning"}
        with a_service(folder, ROOT, **settings) as service:
            flow = Flow(service, list(shapes.paths(20_000)))
            moved_to, took = _reload_while(flow, service, folder)
            accepted = service.read("/api/v1/accounting")["accepted"]
        decisions = _decisions(folder / "data" / "pointsman.db")
    mixed = sum(not _is_of_one(decision, owned, moved_to) for decision in decisions)
    _report(flow, took, accepted, decisions, mixed)


class Flow:
    """Senders that keep their pace, whatever the answers; what they send is made beforehand."""

    def __init__(self, service: Service, paths: list[str]) -> None:
        self.answers: Counter[int] = Counter()
        self.seconds = 0.0
        self.slowest = 0.0
        self._port = service.port
        self._stopping = threading.Event()
        chosen = random.Random(0)
        requests = [_request(chosen.sample(paths, FRAMES)) for _ in range(MADE)]
        self._threads = [
            threading.Thread(target=self._send, args=(requests[sender::SENDERS],))
            for sender in range(SENDERS)
        ]

    def start(self) -> None:
        self._began = time.perf_counter()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.perf_counter() - self._began

    def _send(self, requests: list[bytes]) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as line:
            answers = line.makefile("rb")
            due = time.perf_counter()
            for request in itertools.cycle(requests):
                due += SENDERS / EVENTS
                time.sleep(max(0.0, due - time.perf_counter()))
                began = time.perf_counter()
                line.sendall(request)
                status = answer_status(answers)
                self.slowest = max(self.slowest, time.perf_counter() - began)
                self.answers[status] += 1
                if self._stopping.is_set():
                    return


def _request(paths: list[str]) -> bytes:
    """By hand: a client's library would take from the service what it has of the machine."""
    body = json.dumps({"frames": paths}).encode()
    head = f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answer_status(answers: BufferedReader) -> int:
    """Of one whole answer."""
    status = int(answers.readline().split()[1])
    length = 0
    while (line := answers.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    answers.read(length)
    return status


def _write(folder: Path, owned: dict[str, list[str]], moved: int) -> None:
    (folder / "teams").mkdir(parents=True)
    (folder / "ownership_rules.yaml").write_text(ROOT)
    for team, patterns in owned.items():
        rules = "".join(f'  - {{path: "{pattern}"}}\n' for pattern in patterns)
        (folder / "teams" / f"{team}.yaml").write_text(
            f"version: 1\nteam: {team}\nteams: {{{team}: {{}}}}\nrules:\n" + "  #\n" * moved + rules
        )


def _reload_while(flow: Flow, service: Service, folder: Path) -> tuple[dict[str, int], list[float]]:
    """How far each revision's rules are moved, and how long each reload took."""
    moved_to = {service.read("/api/v1/rules")["revision"]: 0}
    took: list[float] = []
    flow.start()
    try:
        for moved in range(1, REVISIONS + 1):
            time.sleep(PAUSE)
            (folder / "next").symlink_to(f"revision-{moved}")
            (folder / "next").replace(folder / "rules")
            began = time.perf_counter()
            revision = _reload(service)
            took.append(time.perf_counter() - began)
            moved_to[revision] = moved
        time.sleep(PAUSE)
    finally:
        flow.stop()
    return moved_to, took


def _reload(service: Service) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("POST", "/api/v1/rules/reload")
    status = json.loads(connection.getresponse().read())
    if status["problems"]:
        sys.exit(f"problems: {status['problems'][:3]}")
    return str(status["revision"])


def _decisions(database: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(database) as rows:
        packed = rows.execute("SELECT decision FROM events").fetchall()
    return [decision_in(one) or {} for (one,) in packed]


def _is_of_one(
    decision: dict[str, Any], owned: dict[str, list[str]], moved_to: dict[str, int]
) -> bool:
    """Whether every rule that it names stands where its revision has it."""
    moved = moved_to[decision["revision"]]
    walked = [one["rule"] for one in decision["trail"]]
    beaten = [rule for one in decision["trail"] for rule in one["beaten"]]
    for rule in filter(None, (decision["rule"], *walked, *beaten)):
        patterns = owned[Path(rule["file"]).stem]
        at = rule["line"] - FIRST - moved
        if not 0 <= at < len(patterns) or rule["text"] != f"path: {patterns[at]}":
            return False
    return True


def _report(
    flow: Flow, took: list[float], accepted: int, decisions: list[dict[str, Any]], mixed: int
) -> None:
    sent, refused = flow.answers.total(), flow.answers.total() - flow.answers[202]
    rate = sent / flow.seconds
    used = len({decision["revision"] for decision in decisions})
    ruled = sum(decision["rule"] is not None for decision in decisions)
    print(f"events     {sent} sent, {rate:.0f} a second for {flow.seconds:.0f} s")
    print(f"answers    {refused} refused, the slowest after {flow.slowest:.2f} s")
    print(
        f"reloads    {len(took)}: {', '.join(f'{one:.2f}' for one in took)} s, budget {BUDGET:g} s"
    )
    print(f"decisions  {len(decisions)} by {used} revisions, {ruled} by a rule, {mixed} mixed")
    broken = {
        "a reload took too long": max(took) > BUDGET,
        "the flow was too slow": rate < 0.95 * EVENTS,
        "some were refused": bool(refused),
        "some were lost": not sent == accepted == len(decisions),
        "some were decided by a mixture": bool(mixed),
        "not every revision decided": used <= REVISIONS,
        "hardly a rule decided": ruled < len(decisions) / 2,
    }
    if any(broken.values()):
        sys.exit("; ".join(said for said, is_so in broken.items() if is_so))


if __name__ == "__main__":
    main()
