"""A thread that brings what was committed from SQLite's log into its file, beside the writer.

By itself SQLite does that in whichever commit fills the log: of a large file some 0.3 s, which all
that waits for that commit wait too. The writer still does it where this one falls behind, or the
log would grow for ever: it begins anew only once all of it is in the file.
Spec: https://www.sqlite.org/wal.html#checkpointing
"""

from sqlalchemy import Engine

from service.watch import Watch

SECONDS = 1.0
FEW = 100  # pages
RESTS = 9  # looks that are left out after one that found no more


class Checkpoints(Watch):
    def __init__(self, engine: Engine) -> None:
        super().__init__("checkpoints", SECONDS)
        self._engine = engine
        self._done = 0  # pages of the log that are in the file
        self._resting = 0

    def look(self) -> None:
        if self._resting:
            self._resting -= 1
            return
        with self._engine.connect() as connection:
            answer = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
            _busy, _log, done = answer.one()
        moved = done - self._done if done >= self._done else done
        self._done = done
        if moved < FEW:
            self._resting = RESTS
