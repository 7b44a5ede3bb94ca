"""The one writer: a thread that commits whatever gathered while its last commit ran.

    StoreUnavailableError    the database did not take it; nothing of the job is kept

No timer: at one sender each job has its own commit, under load one commit serves hundreds. A job
that raises takes nothing with it: the batch is rolled back and each job run again on its own.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.store.event_ids import Coming
from service.store.memory import Memory
from service.store.statements import Statements
from service.store.transaction import Transaction

LOG = logging.getLogger(__name__)
T = TypeVar("T")
_UNAVAILABLE = (sqlite3.Error, SQLAlchemyError, OSError)


class StoreUnavailableError(Exception):
    """`store_unavailable`: the sender may come again."""


class _Job(Generic[T]):
    def __init__(self, work: Callable[[Transaction], T], coming: Sequence[Coming]) -> None:
        self.work = work
        self.coming = coming
        self.future: Future[T] = Future()
        self.future.set_running_or_notify_cancel()  # a caller that goes away cancels nothing


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
        self._statements = Statements(engine.dialect)
        self._memory = Memory(alone=engine.dialect.name == "sqlite")
        self._on_queued = on_queued
        self._on_commit = on_commit
        self._waiting: list[_Job[Any]] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._connection: Any = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

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
        job = _Job(work, coming)
        with self._changed:
            if self._stopping:
                job.future.set_exception(StoreUnavailableError("the service is stopping"))
                return job.future
            self._waiting.append(job)
            self._changed.notify()
        return job.future

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Submit, and wait for the commit."""
        return self.submit(work).result()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                jobs, self._waiting = self._waiting, []
                if not jobs:
                    break
            self._serve(jobs)
        self._disconnect()

    def _serve(self, jobs: list[_Job[Any]]) -> None:
        started = time.perf_counter()
        try:
            results, queued = self._commit(jobs)
        except _UNAVAILABLE as error:
            LOG.error("store_unavailable", extra={"reason": str(error), "jobs": len(jobs)})
            self._disconnect()
            for job in jobs:
                job.future.set_exception(StoreUnavailableError(str(error)))
            return
        except Exception as error:  # noqa: BLE001 a job's own mistake must not harm its neighbours
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
                return
            for job in jobs:
                self._serve([job])
            return
        for job, result in zip(jobs, results, strict=True):
            job.future.set_result(result)
        if queued:
            self._on_queued(queued)
        self._on_commit(len(jobs), time.perf_counter() - started)

    def _commit(self, jobs: list[_Job[Any]]) -> tuple[list[Any], set[str]]:
        """Each job's result, and the receivers that have something new."""
        cursor = self._connect().cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            self._memory.known.begin(cursor)
            tx = Transaction(cursor, self._statements, self._memory)
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
        except _UNAVAILABLE:  # SQLite has rolled back by itself, or the connection is gone
            self._disconnect()

    def _connect(self) -> Any:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection = None
