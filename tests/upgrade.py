"""What the service of an early commit was told: tests/data/upgrade/README.md.

`python -m tests.upgrade CHECKOUT` makes those databases with the code of that checkout.
"""

import re
import secrets
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import httpx
import msgspec

from tests.ingest.captured import load
from tests.running import Service, wait_for

DATA = Path(__file__).parent / "data" / "upgrade"
RULES = (DATA / "rules.yaml").read_text()
FILE = Path("data", "pointsman.db")
NATIVE = "/api/v1/events"
_ID = re.compile(rb'("event_id": ?")([0-9a-f]{32})"')
_ANSWERS = {"/payments": 204, "/platform": 204, "/search": 503, "/web": 410}


class Sent(NamedTuple):
    """A request to one of the doors, with one event."""

    path: str
    body: bytes

    @property
    def event_id(self) -> str:
        found = _ID.search(self.body)
        assert found is not None
        return found[2].decode()

    def again(self) -> "Sent":
        """The same error another time: only its id is another."""
        return Sent(
            self.path, self.body.replace(self.event_id.encode(), secrets.token_hex(16).encode())
        )


def _native(number: int, kind: str, value: str, path: str) -> Sent:
    error = {"type": kind, "value": value, "stacktrace": {"frames": [{"filename": path}]}}
    event = {"event_id": f"{number:032x}", "exception": {"values": [error]}}
    return Sent(NATIVE, msgspec.json.encode(event).replace(b'"event_id":', b'"event_id": '))


def _captured(name: str) -> Sent:
    captured = load(name)
    return Sent(captured.path, captured.body)


TOLD = (
    _native(0xA1, "KeyError", "'DE'", "billing/tax.py"),
    # since then addresses and temporary paths are no part of a group's name any more
    _native(0xA2, "MailError", "ann@example.org left /tmp/x8f2/a", "billing/mail.py"),
    _captured("sentry-python-gzip/01"),
    _captured("sentry-python-gzip/02"),
    _captured("sentry-python-gzip/04"),
    _captured("sentry-node/03"),
    _captured("sentry-go/02"),
    _captured("sentry-ruby/01"),
    _captured("sentry-browser/03"),
    _captured("raven-python-store/01"),
)
DEAD = (_native(0xB1, "RenderError", "no template", "web/page.py"),)
PENDING = (
    _native(0xC1, "ShardError", "shard 7 of 9 is gone", "search/shards.py"),
    _native(0xC2, "QueryError", "bob@example.org asked too much", "search/query.py"),
)
HELD = _native(0xD1, "HeldError", "killed meanwhile", "billing/held.py")
NOT_TOLD = {
    "no_receiver": _native(0xE1, "ArchiveError", "no shelf", "archive/shelf.py"),
    "unowned": _native(0xE2, "GnomeError", "the gnome is gone", "garden/gnome.py"),
}
UNDECIDED = _native(0xF1, "EarlyError", "before any rules", "billing/early.py")
DECIDED = (*TOLD, *DEAD, *PENDING, HELD, *NOT_TOLD.values())
TIMES = 3  # that each of TOLD came, besides its duplicate


def main() -> None:
    checkout = Path(sys.argv[1]).resolve()
    for name, act in (("told", _told), ("undecided", _undecided)):
        with tempfile.TemporaryDirectory() as folder:
            act(Path(folder), checkout)
            with closing(sqlite3.connect(Path(folder) / FILE)) as database:
                lines = list(database.iterdump())
        (DATA / f"{name}.sql").write_text("\n".join(lines) + "\n")


def _told(folder: Path, checkout: Path) -> None:
    held = Event()
    with _destinations(held) as url:
        service = _service(folder, checkout, RULES.replace("HOOKS", url))
        service.start()
        for one in (*TOLD, *DEAD, *PENDING, *NOT_TOLD.values()):
            _post(service, one)
        for one in TOLD:
            for again in (one.again(), one.again(), one):  # by its id the last is a duplicate
                _post(service, again)
        wait_for(lambda: _has(folder, pending=len(PENDING), leased=0, new=0))
        _post(service, HELD)
        wait_for(lambda: held.is_set() and _has(folder, pending=len(PENDING), leased=1))
        service.kill()


def _undecided(folder: Path, checkout: Path) -> None:
    service = _service(folder, checkout, "version: 1\nteams: 7\n")
    service.start()
    _post(service, UNDECIDED)
    service.kill()


def _service(folder: Path, checkout: Path, rules: str) -> Service:
    return Service(
        folder,
        rules,
        PYTHONPATH=str(checkout),
        POINTSMAN_ALLOW_PRIVATE_DESTINATIONS="true",
        POINTSMAN_PUBLIC_URL="https://pointsman.example.com",
    )


def _post(service: Service, sent: Sent) -> None:
    httpx.post(service.url + sent.path, content=sent.body, trust_env=False).raise_for_status()


def _has(folder: Path, **deliveries: int) -> bool:
    """Whether there are so many of each state; "new" is what was never tried."""
    with closing(sqlite3.connect(folder / FILE)) as database:
        rows = database.execute("SELECT state, attempts FROM deliveries")
        states = Counter(state if attempts else "new" for state, attempts in rows)
    return all(states[state] == count for state, count in deliveries.items())


@contextmanager
def _destinations(held: Event) -> Iterator[str]:
    """One that fails, one that is gone, and others; of one alert none ever says that it came."""
    ended = Event()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if HELD.event_id.encode() in body:
                held.set()
                ended.wait()
                return
            self.send_response(_ANSWERS[self.path])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            ended.set()
            server.shutdown()


if __name__ == "__main__":
    main()
