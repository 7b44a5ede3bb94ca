"""A thread that looks whether SQLite's own counts of rows are right: service/store/books.py.

What went without its notice, a damaged page, is then entered in the count as the rows have it: the
books do not balance any more, and say so.
"""

import logging

from sqlalchemy import Engine

from service.store.backend import backend_of
from service.store.books import miscounted
from service.store.writer import Writer
from service.watch import Watch

LOG = logging.getLogger(__name__)
SECONDS = 3600.0


class Recount(Watch):
    def __init__(self, engine: Engine, writer: Writer) -> None:
        super().__init__("recount", SECONDS)
        self._engine = engine
        self._writer = writer

    def look(self) -> None:
        if backend_of(self._engine).shared:
            return
        with self._engine.begin() as connection:
            more = miscounted(connection)
        if more:
            LOG.error("rows_miscounted", extra={"more": more})
            self._writer.run(lambda tx: tx.recount(more))
