"""The files of the repository, and which of them a path seen at run time must be.

Never a guess: the longest suffix of at least two segments that fits exactly one file.
"""

from collections.abc import Iterable

import msgspec

_TAIL = 2  # segments; fewer fit too much


class Fit(msgspec.Struct, frozen=True):
    path: str | None  # None: no file, or several, fit
    ambiguous: bool = False


class RepositoryFiles:
    def __init__(self, paths: Iterable[str]) -> None:
        """Paths relative to the repository's root."""
        self.paths = frozenset(paths)
        self._by_tail: dict[str, list[str]] = {}
        for path in self.paths:
            self._by_tail.setdefault(_tail(path), []).append(path)

    def fit(self, candidate: str) -> Fit:
        if candidate in self.paths:
            return Fit(candidate)
        best: list[str] = []
        most = 0
        for path in self._by_tail.get(_tail(candidate), ()) if "/" in candidate else ():
            shared = _shared(path, candidate)
            if shared > most:
                best, most = [path], shared
            elif shared == most:
                best.append(path)
        return Fit(best[0]) if len(best) == 1 else Fit(None, ambiguous=bool(best))


def _tail(path: str) -> str:
    return "/".join(path.split("/")[-_TAIL:])


def _shared(one: str, other: str) -> int:
    """How many segments the two end with in common."""
    count = 0
    for left, right in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if left != right:
            break
        count += 1
    return count
