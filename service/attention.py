"""Which receivers have something new, which are being served, and which asked for quiet."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime


class Attention:
    """Thread-safe."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._news: set[str] = set()
        self._busy: set[str] = set()
        self._missed: set[str] = set()  # had something new while they were busy
        self._paused: dict[str, datetime] = {}  # until when

    def tell(self, receivers: Iterable[str] = ()) -> None:
        """They have something new; none: whoever waits should look why."""
        with self._lock:
            self._news.update(receivers)
        self._woken.set()

    def wait(self, seconds: float) -> set[str]:
        """At most so long, for receivers with something new and those whose pause is over."""
        with self._lock:
            over = min(self._paused.values(), default=None)
        left = seconds if over is None else (over - self._clock()).total_seconds()
        self._woken.wait(min(max(left, 0.0), seconds))
        self._woken.clear()
        now = self._clock()
        with self._lock:
            news, self._news = self._news, set()
            return news | {one for one, until in self._paused.items() if until <= now}

    def begin(self, receiver: str) -> bool:
        """Whether it may be served now, by the caller alone until `end`."""
        with self._lock:
            if receiver in self._busy:
                self._missed.add(receiver)
                return False
            if (until := self._paused.get(receiver)) is not None:
                if until > self._clock():
                    return False
                del self._paused[receiver]
            self._busy.add(receiver)
            return True

    def end(self, receiver: str) -> None:
        with self._lock:
            self._busy.discard(receiver)
            missed = receiver in self._missed
            self._missed.discard(receiver)
        if missed:
            self.tell([receiver])

    def pause(self, receiver: str, until: datetime) -> None:
        with self._lock:
            self._paused[receiver] = until

    def is_paused(self, receiver: str) -> bool:
        return receiver in self._paused
