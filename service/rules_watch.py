"""A thread that follows the rules: it looks every few seconds, and at once when it is told to."""

import logging
import threading
import time
from collections.abc import Callable

LOG = logging.getLogger(__name__)
_SHARE = 20  # a look that computes for long comes seldom: it is given a twentieth of the time


class RulesWatch:
    def __init__(self, look: Callable[[], object], seconds: float, *, at_once: bool) -> None:
        """at_once: the first look is not waited for."""
        self._look = look
        self._seconds = seconds
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
        if at_once:
            self._woken.set()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Look now. However often it is said while a look is under way, one more follows."""
        self._woken.set()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = self._seconds
        while True:
            self._woken.wait(pause)
            self._woken.clear()
            if self._stopping.is_set():
                return
            began = time.thread_time()
            try:
                self._look()
            except Exception:  # whatever the files did: the last good rules go on being followed
                LOG.exception("rules_cannot_be_followed")
            pause = max(self._seconds, _SHARE * (time.thread_time() - began))
