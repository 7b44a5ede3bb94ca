"""A thread that looks every few seconds, whatever became of the look before."""

import logging
import threading
from abc import ABC, abstractmethod

from sqlalchemy.exc import SQLAlchemyError

from service.lease import Lease
from service.store.spool_file import SpoolError
from service.store.writer import StoreUnavailableError

LOG = logging.getLogger(__name__)


class Watch(ABC):
    def __init__(self, name: str, seconds: float, lease: Lease | None = None) -> None:
        """seconds: between two looks. lease: who looks of several on one database; None: each."""
        self._name = name
        self._lease = lease
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def look(self) -> None:
        """Do what is due. What StoreUnavailableError, SpoolError left, the next look may."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                if self._lease is None or self._lease.is_held():
                    self.look()
            except (StoreUnavailableError, SQLAlchemyError, SpoolError) as error:
                about = {"watch": self._name, "reason": type(error).__name__}
                LOG.warning("watch_cannot_look", extra=about)
            except Exception:  # one look's mistake must not be the last look
                LOG.exception("watch_failed", extra={"watch": self._name})
