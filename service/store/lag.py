"""How far the writer is behind: what an event waits from its door to its commit.

A gauge that is asked every 15 or 30 s would miss what happened between, so the longest wait is
held and halves every HALF_LIFE. What waits now counts as it grows: a writer that stands still is
seen to.
"""

import time
from collections.abc import Callable

HALF_LIFE = 15.0  # seconds


class Lag:
    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._gathering: float | None = None  # since when the oldest job of the next batch waits
        self._serving: float | None = None  # the same of the batch that is being committed
        self._worst, self._worst_at = 0.0, seconds()

    def begin(self) -> None:
        """The first job of a batch waits."""
        self._gathering = self._seconds()

    def take(self) -> None:
        """The batch is being committed."""
        self._serving, self._gathering = self._gathering, None

    def done(self) -> None:
        if self._serving is not None:
            now = self._seconds()
            waited, self._serving = now - self._serving, None
            if waited >= self._faded(now):
                self._worst, self._worst_at = waited, now

    def seconds(self) -> float:
        now = self._seconds()
        waits = [now - since for since in (self._serving, self._gathering) if since is not None]
        return max([self._faded(now), *waits])

    def _faded(self, now: float) -> float:
        return float(self._worst * 0.5 ** ((now - self._worst_at) / HALF_LIFE))
