"""How a service begins: with its database, or without it until that is back.

A service whose database is away accepts events into its spool. A thread then looks every second
whether the schema can be brought up to date, and begins all that waits for it.
"""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.store.database import may_come_back, migrate, reason
from service.store.writer import StoreUnavailableError

LOG = logging.getLogger(__name__)
SECONDS = 1.0  # between two attempts
_UNOPENED = "nobody has tried"


class Opening:
    def __init__(self, engine: Engine, begin: Callable[[], None]) -> None:
        """begin: starts what needs the database; what it does before it raises it does again."""
        self.away: str | None = _UNOPENED  # why the database cannot be reached
        self._engine = engine
        self._begin = begin
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="opening", daemon=True)

    def open(self) -> None:
        """Bring the schema up to date, unless the database is away.

        Raises SQLAlchemyError, alembic's CommandError: somebody must put right what is set.
        """
        try:
            migrate(self._engine)
        except SQLAlchemyError as error:
            if not may_come_back(error):
                raise
            self.away = reason(error)
            LOG.error("store_unavailable", extra={"reason": self.away})
        else:
            self.away = None

    def open_once(self) -> None:
        if self.away == _UNOPENED:
            self.open()

    def begins(self) -> bool:
        """False: the database is away."""
        if self.away is not None:
            return False
        try:
            self._begin()
        except (StoreUnavailableError, SQLAlchemyError) as error:
            LOG.warning("begins_later", extra={"reason": reason(error)})
            return False
        return True

    def begin_later(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(SECONDS):
            try:
                if self.away is not None:
                    self.open()
                if self.begins():
                    LOG.info("begun_late")
                    return
            except Exception:  # loud, and tried again: a service without it only accepts
                LOG.exception("cannot_begin")
