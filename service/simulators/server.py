"""A simulated vendor on a port: as strict as the real one, and as faulty as it is told to be."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

import httpx

from service.simulators.faults import Fault, answer
from service.simulators.vendors import Vendor

BODY_LIMIT = 2_000_000  # bytes; more than any vendor takes
HANG_SECONDS = 60.0

# the path, the body, and what was answered; None: nothing
Told = Callable[[str, bytes, httpx.Response | None], None]


def now() -> datetime:
    return datetime.now(UTC)


class Simulated:
    """One vendor, and the fault that it has."""

    def __init__(self, vendor: Vendor, told: Told, fault: Fault | None = None) -> None:
        self.vendor = vendor
        self.fault = fault  # may be changed meanwhile
        self.stopping = Event()
        self._told = told
        self._handler = vendor.make(now)
        self._began: datetime | None = None
        self._lock = Lock()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> httpx.Response | None:
        with self._lock:
            self._began = self._began or now()
            left = self.fault.left(now() - self._began) if self.fault else timedelta()
            fault = self.fault if left else None
            works = fault is None or fault.takes
            taken = self._take(path, headers, body) if works else None
            answered = answer(fault, left) if fault else taken
            self._told(path, body, answered)
        if answered is None and not works:
            self.stopping.wait(HANG_SECONDS)
        return answered

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        kept = {name: value for name, value in headers.items() if name.lower() != "host"}
        request = httpx.Request("POST", self.vendor.base + path, headers=kept, content=body)
        try:
            return self._handler(request)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            return httpx.Response(400, text="not what this vendor is told")


@contextmanager
def served(simulated: Simulated, port: int = 0) -> Iterator[str]:
    """On loopback: its URL. Raises OSError where the port is taken."""

    class Hook(BaseHTTPRequestHandler):
        timeout = 30  # seconds for a request to come in

        def do_POST(self) -> None:
            said = self.headers.get("Content-Length") or "0"
            self.close_connection = True
            if not re.fullmatch("[0-9]{1,9}", said):
                self.send_error(400)
                return
            body = self.rfile.read(min(int(said), BODY_LIMIT))
            answered = simulated.take(self.path, dict(self.headers.items()), body)
            if answered is not None:
                with suppress(OSError):  # who asked may have gone meanwhile
                    self._send(answered)

        def _send(self, answered: httpx.Response) -> None:
            self.send_response(answered.status_code)
            for name, value in answered.headers.items():
                if name.lower() not in ("content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answered.content)))
            self.end_headers()
            self.wfile.write(answered.content)

        def log_message(self, *_: object) -> None:
            pass

    class Hooks(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    with Hooks(("127.0.0.1", port), Hook) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            simulated.stopping.set()
            server.shutdown()
            thread.join()
