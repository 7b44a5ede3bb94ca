"""Threads that look after the database itself: its own counts of rows (service/store/books.py),
and SQLite's log (service/checkpoints.py).

Recount looks whether they are right. What went without their notice, a damaged page, is then
entered as the rows have it: the books do not balance any more, and say so. Fold keeps them few.
"""

import logging

from sqlalchemy import Engine

from service.checkpoints import Checkpoints
from service.lease import Lease
from service.store.backend import backend_of
from service.store.books import miscounted
from service.store.writer import Writer
from service.watch import Watch

LOG = logging.getLogger(__name__)
SECONDS = 3600.0
FOLDED = 60.0  # seconds; in a storm some hundred rows are added in each


def upkeep(engine: Engine, writer: Writer, lease: Lease) -> tuple[Watch, Watch]:
    """lease: two that put the same right at once would put it wrong."""
    recount = Recount(engine, writer, lease)
    return recount, Fold(writer, lease) if backend_of(engine).shared else Checkpoints(engine)


class Recount(Watch):
    def __init__(self, engine: Engine, writer: Writer, lease: Lease | None = None) -> None:
        super().__init__("recount", SECONDS, lease)
        self._engine = engine
        self._writer = writer

    def look(self) -> None:
        with self._engine.begin() as connection:
            more = miscounted(connection)
        if more:
            LOG.error("rows_miscounted", extra={"more": more})
            self._writer.run(lambda tx: tx.recount(more))


class Fold(Watch):
    """On PostgreSQL alone: SQLite has one row for each count."""

    def __init__(self, writer: Writer, lease: Lease | None = None) -> None:
        super().__init__("fold", FOLDED, lease)
        self._writer = writer

    def look(self) -> None:
        self._writer.run(lambda tx: tx.fold())
