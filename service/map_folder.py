"""Source maps that lie in a folder: RELEASE/path/to/bundle.js.map, perhaps beside their bundles."""

import logging
import os
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from service.ingest.limits import BODY as LIMIT
from service.rules_source import Mark, mark
from service.sourcemaps.mappings import SourceMapError

LOG = logging.getLogger(__name__)
EVERY = timedelta(seconds=30)  # how old what was seen may be: a release may be laid there any time


class Lying(msgspec.Struct, frozen=True):
    """A map's file, as it is now."""

    path: Path
    mark: tuple[str, Mark]

    def read(self) -> bytes:
        """Raises SourceMapError."""
        try:
            with self.path.open("rb") as file:
                raw = file.read(LIMIT + 1)
        except OSError as error:
            raise SourceMapError("", f"cannot be read: {error.strerror}") from None
        if len(raw) > LIMIT:
            raise SourceMapError("", f"it is larger than {LIMIT} bytes")
        return raw


class MapFolder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._maps: dict[str, dict[str, Path]] = {}  # release → bundle → map
        self._looked_at: datetime | None = None

    def may_have(self, release: str, now: datetime) -> bool:
        """Whether a look is worth it. Touches no disk."""
        return release in self._maps or self._is_due(now)

    def look(self, now: datetime) -> None:
        """Walk the folder, unless that was done just now."""
        if not self._is_due(now):
            return
        self._looked_at = now
        maps: dict[str, dict[str, Path]] = {}
        for folder, _, names in os.walk(self._path, onerror=_complain):
            for name in names:
                path = Path(folder, name)
                release, *inside = path.relative_to(self._path).parts
                if inside and name.endswith(".map"):
                    maps.setdefault(release, {})["/".join(inside).removesuffix(".map")] = path
        self._maps = maps

    def find(self, release: str, bundle: str) -> Lying | None:
        path = self._maps.get(release, {}).get(bundle)
        return Lying(path, (str(path), mark(path))) if path else None

    def _is_due(self, now: datetime) -> bool:
        return self._looked_at is None or now - self._looked_at >= EVERY


def _complain(error: OSError) -> None:
    LOG.warning("artifacts_unreadable", extra={"reason": f"{error.filename}: {error.strerror}"})
