"""The files of the repository, and which of them a path seen at run time must be.

Never a guess: the longest suffix of at least two segments that fits exactly one file.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import takewhile

import msgspec

_LEAST = 2  # segments; fewer fit too much
_END = "\0"  # of a segment; sorts before all that a name may hold


class Fit(msgspec.Struct, frozen=True):
    path: str | None  # None: no file, or several, fit
    ambiguous: bool = False


class RepositoryFiles:
    def __init__(self, paths: Iterable[str]) -> None:
        """Paths relative to the repository's root."""
        self.paths = frozenset(paths)
        # sorted by their segments, the last first: paths that end alike stand side by side
        self._backwards = sorted(map(_backwards, self.paths))

    def fit(self, candidate: str) -> Fit:
        if candidate in self.paths:
            return Fit(candidate)
        wanted = _backwards(candidate)
        at = bisect_left(self._backwards, wanted)
        beside = self._backwards[max(0, at - 1) : at + 1]
        end = max((_shared(path, wanted) for path in beside), key=len, default=[])
        if len(end) < _LEAST:
            return Fit(None)
        start = bisect_left(self._backwards, _END.join(end))
        found = [
            path for path in self._backwards[start : start + 2] if _shared(path, wanted) == end
        ]
        return Fit(_forwards(found[0])) if len(found) == 1 else Fit(None, ambiguous=True)


def _backwards(path: str) -> str:
    return _END.join(reversed(path.split("/")))


def _forwards(path: str) -> str:
    return "/".join(reversed(path.split(_END)))


def _shared(one: str, other: str) -> list[str]:
    """The segments that the two begin with in common."""
    both = zip(one.split(_END), other.split(_END), strict=False)
    return [left for left, _ in takewhile(lambda pair: pair[0] == pair[1], both)]
