"""What is submitted to the writer, and how whoever waits for it hears of it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

from service.store.event_ids import Coming
from service.store.transaction import Transaction

T = TypeVar("T")


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
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, result in settled:
        if isinstance(job.future, asyncio.Future):
            by_loop.setdefault(job.future.get_loop(), []).append((job.future, result))
        else:
            _set(job.future, result)
    for loop, those in by_loop.items():
        with suppress(RuntimeError):  # it is closed: nobody waits any more
            loop.call_soon_threadsafe(_set_all, those)


def leave(job: Job[Any], error: Exception, late: Callable[["asyncio.Future[Any]"], object]) -> None:
    """Whoever waits for it does so no longer, and hears the error; late, what becomes of it."""
    waited = job.future
    if isinstance(waited, asyncio.Future) and not waited.done():
        job.future = waited.get_loop().create_future()
        job.future.add_done_callback(late)
        waited.set_exception(error)


def _set_all(those: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in those:
        if not future.done():  # its caller went away
            _set(future, result)


def _set(future: "Future[Any] | asyncio.Future[Any]", result: Any) -> None:
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
