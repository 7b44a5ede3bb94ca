"""What stands in for the database while that cannot be reached, or falls behind: a local file.

    SpoolFullError    it has no room left, or its disk takes nothing: the only refusal

One thread commits whatever gathered while its last commit ran, so that an outage under load costs
no more than normal running. service/drain.py brings it into the database.
"""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime

import msgspec

from matchers.event import Event
from service.store.rows import Waiting
from service.store.spool_file import Row, SpoolError, SpoolFile, Standing
from service.store.tables import from_us, to_us
from service.store.writer import StoreUnavailableError
from service.telemetry import Telemetry

LOG = logging.getLogger(__name__)
TOGETHER = 2**20  # bytes in one commit; only one large batch has more
LOUD_SECONDS = 10.0  # between two lines that say the same


class SpoolFullError(StoreUnavailableError):
    """`spool_full`: nothing of the request is kept."""


class Spooled(msgspec.Struct, frozen=True):
    """An accepted event, masked."""

    event: Event
    fingerprints: tuple[str, ...] = ()  # of its group, before it was masked; none: no rules yet


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What was accepted at once, and is committed at once."""

    adapter: str
    received_at: datetime
    events: tuple[Spooled, ...] = ()
    over: tuple[str, ...] = ()  # ids of events beyond the quota
    onward: Waiting | None = None


def in_words(standing: Standing, now: datetime) -> str | None:
    """None: nothing waits."""
    if standing.oldest is None:
        return None
    seconds = max(0, int((now - from_us(standing.oldest)).total_seconds()))
    events = "1 event waits" if standing.events == 1 else f"{standing.events} events wait"
    return f"{events} in the spool, since {seconds} s"


_Job = tuple[Batch, "Future[None]"]


class Spool:
    def __init__(self, file: SpoolFile, telemetry: Telemetry, *, capacity: int) -> None:
        """capacity: bytes that may wait."""
        self.refusing: str | None = None  # why it took nothing, the last time
        self._file = file
        self._telemetry = telemetry
        self._capacity = capacity
        self._said = (-LOUD_SECONDS, "")  # when, and why, a refusal was logged
        self._took_said = -LOUD_SECONDS  # when it was logged that it takes something
        self._waiting: list[_Job] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Commits what is waiting, then ends."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._file.close()

    def put(self, batch: Batch) -> "Future[None]":
        """Done once it is on the disk. It raises SpoolFullError where it is not."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # a caller that goes away cancels nothing
        with self._changed:
            if self._stopping:
                future.set_exception(SpoolFullError("the service is stopping"))
                return future
            self._waiting.append((batch, future))
            self._changed.notify()
        return future

    def standing(self) -> Standing:
        """Raises SpoolError."""
        return self._file.standing()

    def oldest(self) -> datetime | None:
        """When what waits longest came (None: nothing waits); where nobody can tell, long ago.

        No id of an event is forgotten that came later: the drain asks for it.
        """
        try:
            at = self._file.standing().oldest
        except SpoolError:
            return from_us(0)
        return None if at is None else from_us(at)

    def relieved(self) -> None:
        """There is room again."""
        if self.refusing:
            LOG.info("spool_has_room")
            self.refusing = None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                jobs, self._waiting = self._waiting, []
                if not jobs:
                    break
            while jobs:
                try:
                    jobs = self._serve(jobs)
                except Exception as error:  # our own mistake, loud: the thread must go on
                    LOG.exception("spool_failed")
                    for _, future in jobs:
                        if not future.done():
                            future.set_exception(error)
                    jobs = []

    def _serve(self, jobs: list[_Job]) -> list[_Job]:
        """What is left for the next commit."""
        rows, size = [], 0
        for batch, _ in jobs:
            rows.append(_row(batch))
            size += len(rows[-1].body)
            if size > TOGETHER:
                break
        some, rest = jobs[: len(rows)], jobs[len(rows) :]
        try:
            taken = self._file.append(rows, self._capacity)
        except SpoolError as error:
            self._refuse(some, str(error))
            return rest
        self._say_that_it_takes()
        for batch, future in some[:taken]:
            self._telemetry.spooled(batch.adapter, len(batch.events) + len(batch.over))
            future.set_result(None)
        if taken < len(some):
            self._refuse(some[taken:], f"{self._capacity} bytes wait")
        else:
            self.relieved()
        return rest

    def _say_that_it_takes(self) -> None:
        if time.monotonic() - self._took_said > LOUD_SECONDS:
            LOG.warning("spooling", extra={"path": str(self._file.path)})
            self._took_said = time.monotonic()

    def _refuse(self, jobs: Sequence[_Job], why: str) -> None:
        said_at, said = self._said
        if why != said or time.monotonic() - said_at > LOUD_SECONDS:
            LOG.error("spool_full", extra={"reason": why, "path": str(self._file.path)})
            self._said = time.monotonic(), why
        self.refusing = why
        for _, future in jobs:
            future.set_exception(SpoolFullError(why))


def _row(batch: Batch) -> Row:
    events = len(batch.events) + len(batch.over)
    return Row(to_us(batch.received_at), events, msgspec.json.encode(batch))
