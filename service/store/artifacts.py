"""The source maps that are kept: what is read of them, and the part of a transaction."""

from typing import Any

from sqlalchemy import Engine, select, tuple_

from service.store.paging import Moment, Page, decode, page
from service.store.rows import Artifact, artifact_record, artifact_row
from service.store.statement import every
from service.store.statements import Statements
from service.store.tables import ARTIFACTS, to_us

_COLUMNS = [column for column in ARTIFACTS.columns if column.name != "content"]
_ORDER = [ARTIFACTS.c.created_at, ARTIFACTS.c.project, ARTIFACTS.c.release, ARTIFACTS.c.name]


class ArtifactStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def every(self) -> list[Artifact]:
        with self._engine.begin() as connection:
            rows = connection.execute(select(*_COLUMNS)).mappings()
            return [artifact_record(dict(row)) for row in rows]

    def page(
        self,
        limit: int,
        cursor: str | None = None,
        *,
        project: str | None = None,
        release: str | None = None,
    ) -> Page:
        """The newest first. Raises CursorError."""
        query = select(*_COLUMNS).order_by(*(column.desc() for column in _ORDER)).limit(limit + 1)
        if cursor:
            query = query.where(tuple_(*_ORDER) < decode(cursor, tuple[Moment, str, str, str]))
        if project is not None:
            query = query.where(ARTIFACTS.c.project == project)
        if release is not None:
            query = query.where(ARTIFACTS.c.release == release)
        with self._engine.begin() as connection:
            rows = connection.execute(query).mappings()
            found = [artifact_record(dict(row)) for row in rows]
        return page(
            found, limit, lambda one: [to_us(one.created_at), one.project, one.release, one.name]
        )

    def packed(self, artifact: Artifact) -> bytes | None:
        """None: it is gone, or another by now."""
        query = select(ARTIFACTS.c.content).where(
            ARTIFACTS.c.project == artifact.project,
            ARTIFACTS.c.release == artifact.release,
            ARTIFACTS.c.name == artifact.name,
            ARTIFACTS.c.sha256 == artifact.sha256,
        )
        with self._engine.begin() as connection:
            content: bytes | None = connection.execute(query).scalar()
        return content


class Artifacts:
    """Of one transaction."""

    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements

    def put(self, artifact: Artifact, packed: bytes) -> None:
        self._sql.put_artifact.run(self._cursor, artifact_row(artifact) | {"content": packed})

    def releases(self, project: str) -> dict[str, int]:
        """Release → bytes of its maps, unpacked; the one that was added to last first."""
        rows = every(self._sql.artifact_releases.run(self._cursor, {"project": project}))
        return {row["release"]: int(row["size"]) for row in rows}

    def drop(self, project: str, release: str) -> int:
        """How many they were."""
        named = {"p": project, "r": release}
        return int(self._sql.drop_artifacts.run(self._cursor, named).rowcount)
