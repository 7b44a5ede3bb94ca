"""The one writer: a thread that commits whatever gathered while its last commit ran.

    StoreUnavailableError    the database did not take it; nothing of the job is kept

No timer: at one sender each job has its own commit, under load one commit serves hundreds. A job
that raises takes nothing with it: the batch is rolled back and each job run again on its own.

Once the database did not take something, nothing else is tried on it until it takes nothing: the
writer asks once a second. Meanwhile every job fails at once.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Engine

from service.store.backend import backend_of, has_met, is_unavailable, reason
from service.store.event_ids import Coming
from service.store.job import Job, StoreUnavailableError, Waits, settle
from service.store.lag import Lag
from service.store.memory import Memory
from service.store.statements import Statements
from service.store.transaction import Transaction

__all__ = ["MOST", "PATIENCE", "StoreUnavailableError", "Writer"]

LOG = logging.getLogger(__name__)
T = TypeVar("T")
PROBE_SECONDS = 1.0
PATIENCE = 2.0  # seconds that a commit may take before the writer is behind
MOST = 5000  # events that may wait for the next commit
_TRIES = 10  # of a batch that met another service's at the same rows


class Writer:
    def __init__(
        self,
        engine: Engine,
        *,
        on_queued: Callable[[set[str]], None] = lambda _receivers: None,
        on_commit: Callable[[int, float], None] = lambda _jobs, _seconds: None,
    ) -> None:
        """on_queued hears of receivers with something new, on_commit of (jobs, seconds)."""
        self._engine = engine
        self._backend = backend_of(engine)
        self._statements = Statements(engine.dialect)
        self._memory = Memory(alone=not self._backend.shared)
        self._on_queued = on_queued
        self._on_commit = on_commit
        self.down: str | None = None  # why the database takes nothing; None: as far as is known
        self._began: float | None = None  # time.monotonic(), of the commit under way
        self._weight = 0  # of what waits
        self._waiting: list[Job[Any]] = []
        self._changed = threading.Condition()
        self._waits: Waits | None = None
        self.lag = Lag()
        self._stopping = False
        self._connection: Any = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self, down: str | None = None) -> None:
        """down: why it need not be tried at once."""
        self.down = down
        self._thread.start()

    @property
    def behind(self) -> bool:
        """It cannot keep up: too much waits, or the commit under way takes too long."""
        began = self._began
        return self._weight > MOST or (began is not None and time.monotonic() - began > PATIENCE)

    def stop(self) -> None:
        """Commits what is waiting, then ends."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def submit(
        self, work: Callable[[Transaction], T], coming: Sequence[Coming] = ()
    ) -> "Future[T]":
        """The future is done once the commit that holds the work has happened.

        It raises StoreUnavailableError where the database did not take it.
        coming: the events that the work will accept, where it is known which.
        """
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # a caller that goes away cancels nothing
        self._wait(Job(work, coming, future))
        return future

    async def commit(
        self,
        work: Callable[[Transaction], T],
        coming: Sequence[Coming],
        *,
        patience: float | None = None,
        late: Callable[[T], None] = lambda _result: None,
    ) -> T:
        """As submit, where the caller is a coroutine: a batch wakes its event loop once.

        patience: seconds, after which it raises StoreUnavailableError; `late` then has the result
        of what is committed after all.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = Job(work, coming, future)
        self._wait(job)
        if patience is None:
            return await future
        if self._waits is None or (self._waits.loop, self._waits.seconds) != (loop, patience):
            self._waits = Waits(loop, patience)
        self._waits.add(job, late)
        return await future

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Submit, and wait for the commit."""
        return self.submit(work).result()

    def _wait(self, job: Job[Any]) -> None:
        with self._changed:
            refused = "the service is stopping" if self._stopping else self.down
            if refused is None:
                if not self._waiting:
                    self.lag.begin()
                self._waiting.append(job)
                self._weight += max(1, len(job.coming))
                self._changed.notify()
                return
        settle([(job, StoreUnavailableError(refused))])

    def _run(self) -> None:
        while True:
            with self._changed:
                seconds = PROBE_SECONDS if self.down else None
                self._changed.wait_for(lambda: self._waiting or self._stopping, seconds)
                jobs = self._gathered()
                if not jobs and self._stopping:
                    break
            self._began = time.monotonic()
            if jobs:
                self._serve(jobs)
            elif self.down and (why := self._refused()) != self.down:
                self.down = why
                if why is None:
                    LOG.info("store_available")
            self._began = None
            self.lag.done()
        self._disconnect()

    def _gathered(self) -> list[Job[Any]]:
        self.lag.take()
        jobs, self._waiting, self._weight = self._waiting, [], 0
        return jobs

    def _refused(self) -> str | None:
        """Why the database takes no commit; None: it does."""
        try:
            self._commit([Job(lambda tx: tx.ask(), (), Future())], again=False)
        except Exception as error:
            self._disconnect()
            if is_unavailable(error, self._engine):
                return reason(error)
            LOG.exception("store_cannot_be_asked")  # our own mistake: the jobs themselves will tell
        return None

    def _serve(self, jobs: list[Job[Any]]) -> None:
        started = time.perf_counter()
        try:
            results, queued = self._commit_again(jobs)
        except Exception as error:  # noqa: BLE001 a job's own mistake must not harm its neighbours
            self._failed(jobs, error, time.perf_counter() - started)
            return
        settle(zip(jobs, results, strict=True))
        if queued:
            self._on_queued(queued)
        self._on_commit(len(jobs), time.perf_counter() - started)

    def _failed(self, jobs: list[Job[Any]], error: Exception, seconds: float) -> None:
        """seconds: after how long."""
        if is_unavailable(error, self._engine):
            self._give_up(jobs, reason(error), seconds)
        elif len(jobs) == 1:
            settle([(jobs[0], error)])
        else:
            for job in jobs:
                self._serve([job])

    def _give_up(self, jobs: list[Job[Any]], why: str, seconds: float) -> None:
        """Where it took long to find out, nobody waits for more."""
        LOG.error("store_unavailable", extra={"reason": why, "jobs": len(jobs)})
        self._disconnect()
        down = why if seconds > PROBE_SECONDS else self._refused()
        if down is not None:
            with self._changed:
                self.down = down
                jobs = jobs + self._gathered()
        settle([(job, StoreUnavailableError(why)) for job in jobs])

    def _commit_again(self, jobs: list[Job[Any]]) -> tuple[list[Any], set[str]]:
        """As _commit, again where another service's transaction was at the same rows."""
        again = False
        for _ in range(_TRIES - 1):
            try:
                return self._commit(jobs, again=again)
            except Exception as error:
                if not has_met(error):
                    raise
                LOG.info("batch_again", extra={"reason": reason(error), "jobs": len(jobs)})
                again = True
        return self._commit(jobs, again=True)

    def _commit(self, jobs: list[Job[Any]], *, again: bool) -> tuple[list[Any], set[str]]:
        """Each job's result, and the receivers that have something new.

        again: of those that met others and lost, one at a time tries again.
        """
        cursor = self._begun()
        try:
            self._memory.begin(cursor)
            tx = Transaction(cursor, self._statements, self._memory)
            if again:
                tx.locks.take("again")
            tx.prepare([one for job in jobs for one in job.coming])
            results = [job.work(tx) for job in jobs]
            tx.flush()
            cursor.execute("COMMIT")
        except BaseException:
            self._memory.forget()
            self._roll_back(cursor)
            raise
        cursor.close()
        return results, tx.queued

    def _roll_back(self, cursor: Any) -> None:
        try:
            cursor.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 SQLite has by itself, or the connection is gone
            self._disconnect()

    def _begun(self) -> Any:
        """A cursor in a new transaction; on a new connection where a kept one is gone."""
        if self._connection is not None and self._backend.shared:
            try:
                return self._begin()
            except Exception as error:  # noqa: BLE001 whatever it says, a new one knows better
                LOG.info("store_connects_again", extra={"reason": reason(error)})
                self._disconnect()
        return self._begin()

    def _begin(self) -> Any:
        cursor = self._connect().cursor()
        cursor.execute(self._backend.writes)
        return cursor

    def _connect(self) -> Any:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection = None
            self._memory.forget()  # the next cannot tell what others wrote before it
