"""How many requests a vendor takes in a sliding minute."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


class Window:
    def __init__(self, clock: Callable[[], datetime], limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._taken: deque[datetime] = deque()

    def takes(self) -> bool:
        now = self._clock()
        while self._taken and now - self._taken[0] >= MINUTE:
            self._taken.popleft()
        if len(self._taken) >= self._limit:
            return False
        self._taken.append(now)
        return True


def units(text: str) -> int:
    """As Java and JavaScript count."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
