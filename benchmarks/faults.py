"""Eight destinations at once: one black-holed, one that answers 429, one 500, one gone; one that
takes what it is told and loses the answer now and then, one that takes it and never answers, one
that does so once and is gone then; and one that is well. The faults end; who was told what, where
and how often is counted.
"""

import json
import math
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tests.running import Service, a_service, wait_for

SECONDS = 120.0  # how long the faults last
EVERY = 0.5  # seconds between two errors of one team
BUDGET = 2.0  # seconds, from an error's sending to its telling, where all is well
PROBES = 6  # that a destination which is gone may be asked in all
SETTLES = 400.0  # seconds
TEAMS = ("hole", "limited", "broken", "gone", "forgetful", "mute", "leaving", "well")
FALLBACK = "fallback"


class Heard(NamedTuple):
    place: str
    id: str  # the notification's
    message: str  # the webhook-id
    alone: bool  # its message told nothing else
    title: str
    at: float  # time.monotonic()
    answered: bool  # False: it was taken, and the answer lost


class Destination:
    """One webhook's other end, well or at fault."""

    def __init__(self, name: str, heard: list[Heard]) -> None:
        self.name = name
        self.asked = 0
        self.ends = math.inf  # time.monotonic() at which its fault is over
        self._heard = heard

    def take(self, headers: Any, body: bytes) -> int | None:
        """The status; None: no answer."""
        self.asked += 1
        if self.name == "gone" or (self.name == "leaving" and self.asked > 1):
            return 410
        if self.is_faulty and self.name in ("limited", "broken"):
            return {"limited": 429, "broken": 500}[self.name]
        loses = self._loses_its_answer()
        said = json.loads(body)
        for told in said["notifications"]:
            if not told["event_id"]:  # that another cannot be told
                continue
            one = Heard(
                self.name,
                told["id"],
                headers["webhook-id"],
                len(said["notifications"]) + said["omitted"] == 1,
                told["title"],
                time.monotonic(),
                not loses,
            )
            self._heard.append(one)
        if loses and self.name == "mute":
            self._hold()
        return None if loses else 204

    def _loses_its_answer(self) -> bool:
        forgets = self.is_faulty and self.name == "forgetful" and self.asked % 3 == 0
        return forgets or self.name == "leaving" or (self.is_faulty and self.name == "mute")

    def _hold(self) -> None:
        """Longer than anybody waits."""
        time.sleep(max(0.0, min(self.ends - time.monotonic(), 20.0)))

    @property
    def is_faulty(self) -> bool:
        return time.monotonic() < self.ends

    def swallow(self) -> bool:
        """Whether this request goes nowhere: it is not even read."""
        if self.name != "hole" or not self.is_faulty:
            return False
        self.asked += 1
        self._hold()
        return True


class Outcome(NamedTuple):
    sent: dict[str, tuple[str, float]]  # title → team, time.monotonic()
    heard: list[Heard]
    asked: dict[str, int]
    books: dict[str, Any]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        outcome = run(Path(name), SECONDS)
    _report(outcome)
    if broken := claims(outcome):
        sys.exit("; ".join(broken))


def run(folder: Path, seconds: float) -> Outcome:
    heard: list[Heard] = []
    places = {name: Destination(name, heard) for name in (*TEAMS, FALLBACK)}
    with ExitStack() as stack:
        urls = {name: stack.enter_context(listening(one)) for name, one in places.items()}
        settings = {"POINTSMAN_ALLOW_PRIVATE_DESTINATIONS": "true", "LOG_LEVEL": "error"}
        with a_service(folder, rules(urls), **settings) as service:
            ends = time.monotonic() + seconds
            for place in places.values():
                place.ends = ends
            sent = send(service, ends)
            wait_for(lambda: all(title in _told(heard) for title in sent), SETTLES)
            books = service.settled_books(SETTLES)
    return Outcome(sent, heard, {name: one.asked for name, one in places.items()}, books)


def rules(urls: dict[str, str]) -> str:
    file = {
        "version": 1,
        "teams": {name: {"receivers": [{"channel": name}]} for name in TEAMS},
        "channels": {name: {"webhook": {"url": url}} for name, url in urls.items()},
        "rules": [{"path": f"/{name}/", "owner": name} for name in TEAMS],
        "policy": {"fallback_receivers": [FALLBACK]},
    }
    return json.dumps(file)  # which is YAML too


def send(service: Service, ends: float) -> dict[str, tuple[str, float]]:
    """A new error of each team now and then, until the faults are over."""
    sent: dict[str, tuple[str, float]] = {}
    number = 0
    while time.monotonic() < ends + 4 * EVERY:
        for team in TEAMS:
            title = f"{team.title()}{number}Error"
            sent[title] = team, time.monotonic()
            error = {"type": title, "frames": [f"{team}/n{number}.py"]}
            service.post({"exceptions": [error]})
        number += 1
        time.sleep(EVERY)
    return sent


def claims(outcome: Outcome) -> list[str]:
    """Those that do not hold."""
    told, books = _told(outcome.heard), outcome.books
    lost = [title for title in outcome.sent if title not in told]
    late = [one for one in _seconds(outcome, "well") if one > BUDGET]
    elsewhere = [
        title
        for title, (team, _) in outcome.sent.items()
        if any(one.place not in (team, FALLBACK) for one in told.get(title, ()))
    ]
    broken = {
        f"{len(lost)} groups were told nowhere": lost,
        f"{len(late)} groups were told late where all is well": late,
        "a group was told elsewhere than at its place or its fallback": elsewhere,
        "what is well was told somewhere else or twice": _places(outcome, "well") != {"well"}
        or len(_seconds(outcome, "well")) != _count(outcome, "well"),
        "a duplicate has another id, or follows no lost answer": _unexcused(outcome.heard),
        "no answer was lost": all(one.answered for one in outcome.heard),
        "no fallback heard what had been told": not _moved(outcome.heard),
        "what is gone was asked again and again": max(
            outcome.asked["gone"], outcome.asked["leaving"]
        )
        > PROBES,
        "what asked for quiet went elsewhere": _places(outcome, "limited") != {"limited"},
        "the books do not balance": books["unaccounted"] or books["deliveries"]["pending"],
    }
    return [said for said, is_so in broken.items() if is_so]


def _told(heard: list[Heard]) -> dict[str, list[Heard]]:
    """By title, in the order heard."""
    told: dict[str, list[Heard]] = {}
    for one in list(heard):
        told.setdefault(one.title, []).append(one)
    return told


def _unexcused(heard: list[Heard]) -> list[Heard]:
    """Heard again, though the last answer was not lost, or with another id."""
    return [
        again
        for before, again in _again(heard)
        if before.answered
        or before.id != again.id
        or (before.alone and again.alone and before.message != again.message)
        or again.place not in (before.place, FALLBACK)
    ]


def _moved(heard: list[Heard]) -> list[Heard]:
    return [again for before, again in _again(heard) if again.place != before.place]


def _again(heard: list[Heard]) -> list[tuple[Heard, Heard]]:
    """What was heard twice: the one, and the next."""
    return [pair for all_of_it in _told(heard).values() for pair in pairwise(all_of_it)]


def _places(outcome: Outcome, team: str) -> set[str]:
    return {one.place for one in outcome.heard if outcome.sent[one.title][0] == team}


def _seconds(outcome: Outcome, team: str) -> list[float]:
    sent = outcome.sent
    return [one.at - sent[one.title][1] for one in outcome.heard if sent[one.title][0] == team]


def _count(outcome: Outcome, team: str) -> int:
    return sum(name == team for name, _ in outcome.sent.values())


@contextmanager
def listening(destination: Destination) -> Iterator[str]:
    class Hook(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            if destination.swallow():
                self.close_connection = True
            else:
                super().handle_one_request()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = destination.take(self.headers, body)
            self.close_connection = True
            if status is None:
                return
            with suppress(OSError):
                self.send_response(status)
                if status == 429:
                    self.send_header("Retry-After", "5")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Hooks(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    with Hooks(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def _report(outcome: Outcome) -> None:
    print(f"faults    {SECONDS:g} s; 410 for ever")
    for team in TEAMS:
        seconds = sorted(_seconds(outcome, team))
        places = [one.place for one in outcome.heard if outcome.sent[one.title][0] == team]
        print(
            f"{team:<9} {_count(outcome, team)} groups: {places.count(team)} told there, "
            f"{places.count(FALLBACK)} at the fallback, asked {outcome.asked[team]} times; "
            f"half within {seconds[len(seconds) // 2]:.2f} s, all within {seconds[-1]:.2f} s"
        )
    twice, moved = len(_again(outcome.heard)), len(_moved(outcome.heard))
    lost = sum(not one.answered for one in outcome.heard)
    states = ", ".join(f"{name} {n}" for name, n in outcome.books["deliveries"].items())
    print(
        f"answers   {lost} lost, {twice} told again with the same id, "
        f"{moved} of them at the fallback"
    )
    print(f"books     {states}; unaccounted {outcome.books['unaccounted']}")


if __name__ == "__main__":
    main()
