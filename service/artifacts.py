"""Source maps by release: uploaded ones, those of a folder, and the few that are in use.

    ReleaseFullError    the maps of one release are more than a project may have

An event whose release has no map costs a look into a dictionary. All others are mapped on one
thread, which alone reads and keeps maps in memory: no sender but theirs waits for it.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from hashlib import sha256
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from matchers.event import Event
from service.map_folder import MapFolder
from service.memory import trim
from service.sourcemaps.cache import MapCache
from service.sourcemaps.frames import has_bundles, mapped
from service.sourcemaps.mappings import SourceMapError
from service.sourcemaps.reader import SourceMap, read_map
from service.store.artifacts import ArtifactStore
from service.store.database import reason
from service.store.rows import Artifact
from service.store.transaction import Transaction
from service.store.writer import Writer

LOG = logging.getLogger(__name__)
PROJECT_LIMIT = 2 * 1024**3  # bytes of one project's maps, as they were uploaded


class ReleaseFullError(Exception):
    def __init__(self, limit: int) -> None:
        super().__init__(f"the maps of one release are at most {limit} bytes")


class Artifacts:
    def __init__(
        self,
        store: ArtifactStore,
        writer: Writer,
        folder: MapFolder | None,
        clock: Callable[[], datetime],
        *,
        limit: int = PROJECT_LIMIT,
    ) -> None:
        """Nothing is read before `start`. limit: bytes; the oldest releases beyond it go."""
        self._store = store
        self._writer = writer
        self._folder = folder
        self._clock = clock
        self._limit = limit
        self._kept: dict[tuple[str, str], dict[str, Artifact]] = {}  # by project and release
        self._cache = MapCache()
        self._checking = Lock()  # one upload at a time: a large map is many objects for a moment
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sourcemaps")

    def start(self) -> None:
        for artifact in self._store.every():
            self._enter(artifact)

    def stop(self) -> None:
        self._thread.shutdown()

    async def mapped(self, events: Sequence[Event]) -> Sequence[Event]:
        """In the order given."""
        if not any(map(self._may_have, events)):
            return events
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._mapped, events)

    def keep(self, project: str, release: str, name: str, raw: bytes) -> tuple[Artifact, bool]:
        """What is kept, and whether that is new. Raises SourceMapError, ReleaseFullError."""
        digest = sha256(raw).hexdigest()
        known = self._kept.get((project, release), {}).get(name)
        if known and known.sha256 == digest:
            return known, False
        with self._checking:
            _check(raw)
        artifact = Artifact(
            project=project,
            release=release,
            name=name,
            sha256=digest,
            size=len(raw),
            created_at=self._clock(),
        )
        dropped = self._writer.run(partial(self._put, artifact, zlib.compress(raw)))
        for old in dropped:
            self._kept.pop((project, old), None)
            LOG.info("artifacts_dropped", extra={"project": project, "release": old})
        self._enter(artifact)
        return artifact, True

    def drop(self, project: str, release: str) -> int:
        """How many they were."""
        count = self._writer.run(lambda tx: tx.artifacts.drop(project, release))
        self._kept.pop((project, release), None)
        return count

    def _enter(self, artifact: Artifact) -> None:
        kept = self._kept.setdefault((artifact.project, artifact.release), {})
        kept[artifact.name] = artifact

    def _put(self, artifact: Artifact, packed: bytes, tx: Transaction) -> list[str]:
        """The releases that had to go for it."""
        tx.artifacts.put(artifact, packed)
        sizes = tx.artifacts.releases(artifact.project)
        total = sizes.pop(artifact.release)
        if total > self._limit:
            raise ReleaseFullError(self._limit)
        dropped = []
        for release, size in sizes.items():
            total += size
            if total > self._limit:
                tx.artifacts.drop(artifact.project, release)
                dropped.append(release)
        return dropped

    def _may_have(self, event: Event) -> bool:
        if event.release is None:
            return False
        known = (event.project, event.release) in self._kept
        lying = self._folder and self._folder.may_have(event.release, self._clock())
        return bool(known or lying) and has_bundles(event)

    def _mapped(self, events: Sequence[Event]) -> list[Event]:
        if self._folder:
            self._folder.look(self._clock())
        return [mapped(event, partial(self._find, event)) for event in events]

    def _find(self, event: Event, name: str) -> SourceMap | None:
        """Raises SourceMapError."""
        release = event.release or ""
        artifact = self._kept.get((event.project, release), {}).get(name)
        try:
            if artifact:
                return self._cache.get(artifact.sha256, partial(self._unpacked, artifact))
            lying = self._folder.find(release, name) if self._folder else None
            return self._cache.get(lying.mark, lying.read) if lying else None
        except SourceMapError as error:
            said = {"release": release, "map": name, "reason": str(error)}
            LOG.warning("source_map_broken", extra=said)
            raise

    def _unpacked(self, artifact: Artifact) -> bytes:
        try:
            packed = self._store.packed(artifact)
            return zlib.decompress(packed or b"")
        except (SQLAlchemyError, zlib.error) as error:
            raise SourceMapError("", f"cannot be read: {reason(error)}") from None


def _check(raw: bytes) -> None:
    """Raises SourceMapError, which would keep whatever was read of the map as long as it lives."""
    trim()
    try:
        read_map(raw)
    except SourceMapError as error:
        raise error.with_traceback(None) from None
