"""What was committed comes into the file beside the writer."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from service.checkpoints import RESTS, Checkpoints
from service.store.database import migrate, open_database
from service.store.store import Store
from service.store.writer import Writer


def accepted(file: Path) -> int:
    """As the file says by itself, without its log."""
    alone = shutil.copy(file, file.with_name("alone.db"))
    with closing(sqlite3.connect(alone)) as connection:
        found = connection.execute("SELECT n FROM ledger WHERE book = 'accepted'").fetchone()
    return int(found[0]) if found else 0


def test_the_file_holds_what_was_committed_before_the_look(tmp_path: Path) -> None:
    file = tmp_path / "pointsman.db"
    engine = open_database(f"sqlite:///{file}")
    migrate(engine)
    writer, checkpoints = Writer(engine), Checkpoints(engine)
    writer.start()
    checkpoints.look()
    said = []
    for look in range(RESTS + 1):
        writer.run(lambda tx: tx.over_quota(1))
        checkpoints.look()
        said.append(accepted(file))
        assert Store(engine).accounting()["accepted"] == look + 1
    writer.stop()
    engine.dispose()
    assert said[-1] == RESTS + 1
