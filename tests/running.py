"""The real service as a process of its own, with real senders and real receivers, for stories."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple, TypeVar

import httpx

ROOT = Path(__file__).parent.parent
PATIENCE = 30.0  # seconds: two loaded cores, and a service that starts
OUR_SETTINGS = ("POINTSMAN_", "PORT", "HOST", "LOG_LEVEL", "SENTRY_DSN")
T = TypeVar("T")


def wait_for(claim: Callable[[], T], seconds: float = PATIENCE) -> T:
    """What the claim answers once that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := claim()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
    return answer


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would set up a service."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OUR_SETTINGS)}
    return {**kept, **more}


class Service:
    """`pointsman serve` in a folder, which holds its rules, its database and what it says."""

    def __init__(self, folder: Path, rules: str, **settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.dsn = f"http://any@127.0.0.1:{self.port}/1"
        self._folder = folder
        ours = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PORT": str(self.port)}
        self._environment = environment(**ours | settings)
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "ownership_rules.yaml").write_text(rules, encoding="utf-8")

    def start(self, *entry: str) -> None:
        """Returns once it is ready. After `stop` or `kill` it is the same service again.

        entry: what stands behind the interpreter, where it is not `pointsman serve`.
        """
        command = [sys.executable, *(entry or ("-m", "service.cli", "serve"))]
        with self._file("console").open("ab") as out, self._file("log").open("ab") as err:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=self._environment, stdout=out, stderr=err
            )
        wait_for(self._is_ready)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        """SIGTERM. The exit code, as a shell has it."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As `kill -9` does."""
        self._end(signal.SIGKILL)

    def dies(self) -> int:
        """By itself: its exit code."""
        assert self._process is not None
        code = self._process.wait(PATIENCE)
        self._process = None
        return code

    def read(self, path: str) -> Any:
        return json.loads(self.text(path))

    def text(self, path: str) -> str:
        answer = httpx.get(self.url + path, trust_env=False, timeout=PATIENCE)
        return answer.raise_for_status().text

    def post(self, event: dict[str, Any]) -> dict[str, Any]:
        """What it says of the event: its id, group, owner and step."""
        answer = httpx.post(
            f"{self.url}/api/v1/events", json=event, trust_env=False, timeout=PATIENCE
        )
        said: dict[str, Any] = answer.raise_for_status().json()["events"][0]
        return said

    def groups(self) -> dict[str, Any]:
        """Title → group."""
        return {group["title"]: group for group in self.read("/api/v1/groups?limit=200")["groups"]}

    def settled_books(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """Its accounting, once nothing waits to be told. A dead worker's lease lasts 30 s."""

        def settled() -> Any:
            books = self.read("/api/v1/accounting")
            return None if books["deliveries"]["pending"] else books

        books: dict[str, Any] = wait_for(settled, seconds)
        return books

    def console(self) -> str:
        return self._file("console").read_text(encoding="utf-8")

    def log(self) -> str:
        return self._file("log").read_text(encoding="utf-8")

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.txt"

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", trust_env=False).is_success
        return False

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        code = self._process.wait(PATIENCE)
        self._process = None
        return code if code >= 0 else 128 - code

    def clean_up(self) -> None:
        """Whatever the story left."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def a_service(folder: Path, rules: str, **settings: str) -> Iterator[Service]:
    service = Service(folder, rules, **settings)
    try:
        service.start()
        yield service
    finally:
        service.clean_up()


class Heard(NamedTuple):
    id: str  # the webhook-id
    at: float  # time.monotonic()
    notification: dict[str, Any]


class Receiver(NamedTuple):
    url: str
    heard: list[Heard]


@contextmanager
def a_receiver(before_answering: Callable[[], object] = lambda: None) -> Iterator[Receiver]:
    """The other end of a webhook: remembers every request as it comes in, then answers."""
    heard: list[Heard] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told = body["notifications"][0]
            heard.append(Heard(self.headers["webhook-id"], time.monotonic(), told))
            before_answering()
            with suppress(OSError):  # the service may have been killed meanwhile
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Hooks(ThreadingHTTPServer):
        daemon_threads = False  # so that closing waits for them

    with Hooks(("127.0.0.1", 0), Hook) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Receiver(f"http://127.0.0.1:{server.server_port}/", heard)
        finally:
            server.shutdown()
            thread.join()


class Load:
    """Clients that post as fast as they are answered, and keep their own log of it, by aisle.

    Each aisle of the shop is one group: the file that fails there is its own.
    """

    def __init__(self, port: int, *, aisles: int) -> None:
        self.aisles = aisles  # may grow meanwhile
        self.sent: Counter[str] = Counter()  # title → requests that were begun
        self.answered: Counter[str] = Counter()  # title → requests that were answered 202
        self.refused: list[int] = []  # other answers
        self._port = port
        self._lock = Lock()
        self._stopped = Event()

    @contextmanager
    def from_clients(self, count: int) -> Iterator[None]:
        clients = [Thread(target=self._post) for _ in range(count)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._stopped.set()
            for client in clients:
                client.join()

    def wait_for_more(self, answers: int) -> None:
        before = self.answered.total()
        wait_for(lambda: self.answered.total() >= before + answers)

    def _post(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)) as connection:
            while not self._stopped.is_set():
                try:
                    self._post_one(connection)
                except (OSError, http.client.HTTPException):  # the service is gone for now
                    connection.close()
                    time.sleep(0.02)

    def _post_one(self, connection: http.client.HTTPConnection) -> None:
        if connection.sock is None:
            connection.connect()
        title, event = spilled_in(random.randrange(self.aisles))  # noqa: S311
        with self._lock:
            self.sent[title] += 1
        connection.request("POST", "/api/v1/events", json.dumps(event))
        answer = connection.getresponse()
        answer.read()
        with self._lock:
            if answer.status == 202:
                self.answered[title] += 1
            else:
                self.refused.append(answer.status)


def spilled_in(aisle: int, team: str = "payments") -> tuple[str, dict[str, Any]]:
    """An error's title, and the error as an event: each aisle is one group."""
    frame = {"filename": f"shop/{team}/aisle_{aisle}.py", "function": "mop", "lineno": 3}
    error = {"type": f"Spill{aisle}Error", "value": "wet", "stacktrace": {"frames": [frame]}}
    return f"Spill{aisle}Error: wet", {"exception": {"values": [error]}, "platform": "python"}
