"""Which of the services on one database looks after what only one must: one, or for a while none.

A row that is renewed: it outlives no process for long, and needs no session, so that a proxy may
pool by transactions.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from service.store.rows import new_id
from service.store.writer import Writer

LASTS = timedelta(seconds=30)  # how long nobody looks where the one that did was killed
RENEWED = timedelta(seconds=10)  # so often, and so often the others ask
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Lease:
    """Thread-safe."""

    def __init__(self, name: str, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._name = name
        self._writer = writer
        self._clock = clock
        self._holder = new_id()
        self._lock = threading.Lock()
        self._asked_at = self._until = _LONG_AGO

    def is_held(self) -> bool:
        """Whether it is ours. Raises StoreUnavailableError."""
        with self._lock:
            now = self._clock()
            if now - self._asked_at >= RENEWED:
                until = now + LASTS
                taken = self._writer.run(
                    lambda tx: tx.leases.take(self._name, self._holder, now, until)
                )
                self._asked_at = now
                self._until = until if taken else _LONG_AGO
            return now < self._until

    def give_back(self) -> None:
        """So that another need not wait for its end. Raises StoreUnavailableError."""
        with self._lock:
            if self._until > _LONG_AGO:
                self._writer.run(lambda tx: tx.leases.give_back(self._name, self._holder))
                self._asked_at = self._until = _LONG_AGO
