"""Globs that find files of a tree: `*` and `?` stay inside a directory, `**` is any number of them.

Not CODEOWNERS patterns: a glob is anchored to the root and fits files only, never what is below.
`**` between slashes also stands for none. Asked segment by segment, so that a walk leaves out what
cannot fit; a set of positions instead of backtracking, so that each path is looked at once.
Cases: tests/matchers/test_pathglob.py.
"""

from collections.abc import Iterable

from matchers.globs import compile_glob

ANY_DIRECTORIES = "**"

# Where in the glob a walk may be; empty where nothing below can fit.
State = frozenset[int]


class PathGlob:
    def __init__(self, glob: str) -> None:
        self._segments = [segment for segment in glob.split("/") if segment not in ("", ".")]
        self._fits = [compile_glob(segment) for segment in self._segments]
        self._last = len(self._segments) - 1
        self.start = self._closed({0})

    def enter(self, state: State, folder: str) -> State:
        """The state below a directory of this name."""
        reached = set()
        for at in state:
            if self._segments[at] == ANY_DIRECTORIES:
                reached.add(at)
            elif self._fits[at](folder):
                reached.add(at + 1)
        return self._closed(reached)

    def fits(self, state: State, name: str) -> bool:
        """Whether a file of this name fits there."""
        return self._last in state and self._fits[self._last](name)

    def select(self, paths: Iterable[str]) -> list[str]:
        """The paths that fit, sorted."""
        states: dict[str, State] = {"": self.start}
        found = []
        for path in paths:
            folder, _, name = path.rpartition("/")
            state = states.get(folder)
            if state is None:
                state = states[folder] = self._below(folder)
            if state and self.fits(state, name):
                found.append(path)
        return sorted(found)

    def _below(self, folder: str) -> State:
        state = self.start
        for segment in folder.split("/"):
            state = self.enter(state, segment)
        return state

    def _closed(self, positions: set[int]) -> State:
        """With what follows a `**` that stands for no directory; without what is past the end."""
        closed = {at for at in positions if at <= self._last}
        for at in sorted(closed):
            while at < self._last and self._segments[at] == ANY_DIRECTORIES:
                at += 1
                closed.add(at)
        return frozenset(closed)
