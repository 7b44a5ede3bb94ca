"""Bodies that mean harm, against the real service: bombs, lies, depths, and a million of anything.

Each is sent four times at once. The service may answer what each of them deserves, may never take
LIMIT above what it takes idle, and answers an ordinary event right afterwards within a second.
"""

import http.client
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from benchmarks.hostile_bodies import EVENT, NATIVE, Hostile, bodies
from tests.running import Service, a_service

AT_ONCE = 4
LIMIT = 100_000_000  # bytes above idle
PROMPT = 1.0  # seconds, for an ordinary event
RULES = "version: 1\nteams: {shop: {receivers: [{channel: log}]}}\ndefault: shop\n"


class Memory:
    """The most that a process ever had in memory while this was watching."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/statm")
        self.idle = self.most = self.now()
        self._stopped = Event()
        self._thread = Thread(target=self._watch)

    def now(self) -> int:
        return int(self._status.read_text().split()[1]) * 4096

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(0.005):
            self.most = max(self.most, self.now())


def post(service: Service, hostile: Hostile) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    kind = "text/plain" if hostile.body.startswith(b"Traceback") else hostile.kind
    headers = {"Content-Encoding": hostile.encoding, "Content-Type": kind}
    with suppress(BrokenPipeError, ConnectionResetError):  # answered before all was heard
        connection.request("POST", hostile.path, hostile.body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, a_service(Path(folder), RULES) as service:
        ordinary = Hostile("ordinary", NATIVE, EVENT, (202,))
        for _ in range(50):
            post(service, ordinary)
        failures = list(_attack(service, ordinary, tuple(sys.argv[1:]) or ("",)))
        books = service.read("/api/v1/accounting")
        if books["unaccounted"]:
            failures.append(f"unaccounted: {books['unaccounted']}")
    sys.exit("\n".join(failures) or None)


def _attack(service: Service, ordinary: Hostile, only: tuple[str, ...]) -> Iterator[str]:
    print(f"{'four at once':36} {'status':>8} {'seconds':>8} {'above idle':>11} {'then':>8}")
    with Memory(service.pid) as memory, ThreadPoolExecutor(AT_ONCE) as senders:
        for hostile in bodies():
            if not hostile.name.startswith(only):
                continue
            memory.most = memory.now()
            began = time.perf_counter()
            statuses = set(senders.map(lambda one: post(service, one), [hostile] * AT_ONCE))
            took, above = time.perf_counter() - began, memory.most - memory.idle
            began = time.perf_counter()
            after = post(service, ordinary)
            then = time.perf_counter() - began
            told = ", ".join(map(str, sorted(statuses)))
            figures = f"{took:8.2f} {above / 1e6:8.0f} MB {then * 1000:5.0f} ms"
            print(f"{hostile.name:36} {told:>8} {figures}", flush=True)
            if not statuses <= set(hostile.statuses):
                yield f"{hostile.name}: answered {told}"
            if above > LIMIT:
                yield f"{hostile.name}: {above / 1e6:.0f} MB above idle"
            if after != 202 or then > PROMPT:
                yield f"{hostile.name}: then {after} after {then:.2f} s"


if __name__ == "__main__":
    main()
