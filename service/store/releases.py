"""When an event of a release first came: tells which is newer where their names do not."""

from datetime import datetime
from typing import Any

from matchers.event import Event
from service.store.statements import Statements
from service.store.tables import from_us, to_us

KEPT = 1000  # releases of a project; the oldest are forgotten


class Releases:
    """Those of one transaction, in memory until `flush`."""

    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements
        self._seen: dict[tuple[str, str], datetime] = {}

    def saw(self, event: Event) -> None:
        if event.release is not None:
            self._seen.setdefault((event.project, event.release), event.received_at)

    def first_seen(self, project: str, release: str) -> datetime | None:
        """None: never, or so long ago that it is forgotten."""
        named = {"project": project, "release": release}
        row = self._sql.release.run(self._cursor, named).fetchone()
        return from_us(row[0]) if row else self._seen.get((project, release))

    def newest(self, project: str) -> str | None:
        """The one that was first seen last; None: no event of the project named one."""
        row = self._sql.newest_release.run(self._cursor, {"project": project}).fetchone()
        return row[0] if row else None

    def flush(self) -> None:
        rows = [
            {"project": project, "release": release, "first_seen": to_us(at)}
            for (project, release), at in sorted(self._seen.items())
        ]
        if self._sql.add_release.run_all(self._cursor, rows):
            projects = {project for project, _release in self._seen}
            forgotten = [{"p": project, "keep": KEPT} for project in projects]
            self._sql.drop_releases.run_all(self._cursor, forgotten)
