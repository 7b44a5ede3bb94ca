"""What is read of the source maps that are kept."""

from sqlalchemy import Engine, select, tuple_

from service.store.paging import Moment, Page, decode, page
from service.store.rows import Artifact, artifact_record
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
