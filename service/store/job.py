"""What the writer is asked to do, and whoever waits for it: a thread, or an event loop."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from service.store.event_ids import Coming
from service.store.transaction import Transaction

T = TypeVar("T")
_LOOKS = 20  # while one waits


class StoreUnavailableError(Exception):
    """`store_unavailable`: the sender may come again."""


class Job(Generic[T]):
    def __init__(
        self,
        work: Callable[[Transaction], T],
        coming: Sequence[Coming],
        future: "Future[T] | asyncio.Future[T]",
    ) -> None:
        self.work = work
        self.coming = coming
        self.future = future


def settle(settled: Iterable[tuple[Job[Any], Any]]) -> None:
    """Give each job its result, or the exception that stands in its place."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job[Any], Any]]] = {}
    for job, result in settled:
        if isinstance(job.future, asyncio.Future):
            by_loop.setdefault(job.future.get_loop(), []).append((job, result))
        else:
            _set(job.future, result)
    for loop, those in by_loop.items():
        with suppress(RuntimeError):  # it is closed: nobody waits any more
            loop.call_soon_threadsafe(_set_all, those)


def _set_all(those: Iterable[tuple[Job[Any], Any]]) -> None:
    for job, result in those:
        if not job.future.done():  # its caller went away
            _set(job.future, result)


def _set(future: "Future[Any] | asyncio.Future[Any]", result: Any) -> None:
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)


class Waits:
    """Those that wait on one event loop, each for so many seconds. A timer for each would cost as
    much as a tenth of what it waits for: one looks at all of them now and then.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.loop = loop
        self.seconds = seconds
        self._waiting: deque[tuple[float, Job[Any], Callable[[Any], None]]] = deque()

    def add(self, job: Job[T], late: Callable[[T], None]) -> None:
        """late: has the job's result where nobody waited so long."""
        if not self._waiting:
            self.loop.call_later(self.seconds / _LOOKS, self._look)
        self._waiting.append((self.loop.time() + self.seconds, job, late))

    def _look(self) -> None:
        now, waiting = self.loop.time(), self._waiting
        while waiting and (waiting[0][0] <= now or waiting[0][1].future.done()):
            _ends, job, late = waiting.popleft()
            _tire(job, late)
        if waiting:
            self.loop.call_later(self.seconds / _LOOKS, self._look)


def _tire(job: Job[T], late: Callable[[T], None]) -> None:
    tired = job.future
    if isinstance(tired, asyncio.Future) and not tired.done():
        job.future = tired.get_loop().create_future()
        job.future.add_done_callback(partial(_tell_late, late))
        tired.set_exception(StoreUnavailableError("the writer is behind"))


def _tell_late(late: Callable[[T], None], future: "asyncio.Future[T]") -> None:
    if future.exception() is None:
        late(future.result())
