"""The maps in use: those asked for last, within a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from service.sourcemaps.mappings import SourceMapError
from service.sourcemaps.reader import SourceMap, read_map

LIMIT = 128 * 1024 * 1024  # bytes
_BROKEN = 1024  # bytes that a map counts for which cannot be read


class MapCache:
    """For one thread."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._maps: OrderedDict[Hashable, SourceMap | SourceMapError] = OrderedDict()
        self._size = 0

    def get(self, key: Hashable, load: Callable[[], bytes]) -> SourceMap:
        """Raises SourceMapError; what `load` raises is not remembered, a map that is none is."""
        found = self._maps.pop(key, None)
        if found is None:
            found = _read(load())
            self._size += _size(found)
        self._maps[key] = found
        while self._size > self._limit and len(self._maps) > 1:
            _, gone = self._maps.popitem(last=False)
            self._size -= _size(gone)
        if isinstance(found, SourceMapError):
            raise found
        return found


def _read(raw: bytes) -> SourceMap | SourceMapError:
    try:
        return read_map(raw)
    except SourceMapError as error:
        return error


def _size(found: SourceMap | SourceMapError) -> int:
    return _BROKEN if isinstance(found, SourceMapError) else found.size
