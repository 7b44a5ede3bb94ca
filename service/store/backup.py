"""A copy of a SQLite database beside it, taken before its schema is changed.

    BackupError    there is none, and nothing was changed

Spec: https://www.sqlite.org/backup.html
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import Engine

from service.store.backend import reason

KEPT = 2  # the newest; older ones are deleted


class BackupError(Exception):
    """`backup_failed`: why, and where to."""


def back_up(engine: Engine, revision: str) -> Path:
    """Named after the schema's revision that it holds; whole, or not there."""
    database = Path(engine.url.database or "")
    backup = database.with_name(f"{database.name}.{revision}.backup")
    partial = backup.with_name(f"{backup.name}.partial")
    try:
        _copy(database, partial)
        partial.replace(backup)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            partial.unlink()
        said = f"no backup could be taken to {backup}, and nothing was changed: {reason(error)}"
        raise BackupError(said) from error
    for old in _of(database)[:-KEPT]:
        old.unlink(missing_ok=True)
    return backup


def _copy(database: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    to.touch()
    shutil.copymode(database, to)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    with to.open("rb") as written:
        os.fsync(written.fileno())


def _of(database: Path) -> list[Path]:
    """The oldest first."""
    here = database.parent.iterdir()
    backups = [one for one in here if one.name.startswith(f"{database.name}.")]
    backups = [one for one in backups if one.suffix == ".backup"]
    return sorted(backups, key=lambda one: (one.stat().st_mtime_ns, one.name))
