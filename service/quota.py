"""How many events a project and key may send: a runaway client is counted, and not stored.

A token bucket each, as large as what a minute brings: a storm that ends within the minute passes
whole. Only the distinct senders are remembered, and of those the busiest.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

MINUTE = 60.0  # seconds
SENDERS = 10_000  # remembered; the one that was quiet longest is forgotten
SHOWN = 300.0  # seconds for which a project is shown as over its quota

Sender = tuple[str, str]  # project, key


class Quota:
    """Thread-safe."""

    def __init__(self, per_minute: int, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """per_minute: 0 is no quota."""
        self._size = float(per_minute)
        self._seconds = seconds
        self._buckets: OrderedDict[Sender, tuple[float, float]] = OrderedDict()  # left, as of when
        self._over: Counter[str] = Counter()  # by project
        self._over_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, sender: Sender, wanted: int) -> int:
        """How many of them may be stored."""
        if not self._size:
            return wanted
        with self._lock:
            now = self._seconds()
            left, then = self._buckets.get(sender, (self._size, now))
            left = min(self._size, left + (now - then) * self._size / MINUTE)
            given = min(wanted, int(left))
            self._buckets[sender] = (left - given, now)
            self._buckets.move_to_end(sender)
            if len(self._buckets) > SENDERS:
                self._buckets.popitem(last=False)
            if given < wanted:
                self._note(sender[0], wanted - given, now)
        return given

    def exceeded(self) -> dict[str, int]:
        """Project → how many events were not stored, while it goes on."""
        with self._lock:
            since = self._seconds() - SHOWN
            for project in [one for one, at in self._over_at.items() if at < since]:
                del self._over_at[project], self._over[project]
            return dict(self._over)

    def _note(self, project: str, count: int, now: float) -> None:
        if project not in self._over_at and len(self._over_at) >= SENDERS:
            return
        self._over[project] += count
        self._over_at[project] = now
