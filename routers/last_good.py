"""Each file of the rules is good or quarantined: then its last good version stays in force.

One team's mistake never breaks another's rules, and the rules of a quarantined team stay what they
were, so that its events keep going where they went.

1. A rules file with a problem is quarantined, and so is a file of owners beside them that was good.
2. What should find a file and finds none any more finds the last good ones.
3. A file whose last good version has a problem suffers from another that changed: a team that is
   called otherwise, a name that is claimed twice. Then it is that one which is quarantined.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from matchers.errors import Origin, Problem
from matchers.sources.base import Shown, Tree, TreeError
from matchers.sources.bundle import gather
from matchers.sources.pathglob import PathGlob
from routers.rules import Loaded, load_rules

_NOTHING = b"version: 1\n"  # stands for a file that never was good


class Partly(msgspec.Struct, frozen=True):
    """What is put in force, and which files it has in another version than the one that stands."""

    loaded: Loaded | None  # None: the root file is broken, and never was good
    quarantined: Collection[str]  # paths in the tree
    problems: tuple[Problem, ...]  # all, of the files as they stand


def load_partly(
    tree: Tree, path: str, environ: Mapping[str, str], kept: Mapping[str, bytes], **options: Any
) -> Partly:
    """kept: the last good text of each file. options: as of load_rules."""
    loading = _Loading(tree, path, environ, kept, options)
    held: dict[str, Problem] = {}  # those that others suffer from
    while True:
        loaded, quarantined = loading.settled(held)
        if path in quarantined and path not in kept:
            return Partly(None, quarantined, loading.standing.problems)
        suffered_from = loading.suffered_from(loaded, quarantined)
        if not suffered_from:
            said = {*loading.standing.problems, *loading.said, *held.values()}
            return Partly(loaded, quarantined, tuple(sorted(said)))
        held |= suffered_from


class KeptTree(msgspec.Struct, frozen=True):
    """Files that are kept, and nothing else."""

    files: Mapping[str, bytes]

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def glob(self, pattern: str) -> list[str]:
        return PathGlob(pattern).select(self.files)


class _Loading:
    """Loads one tree, again and again, with some files in another version."""

    def __init__(
        self,
        tree: Tree,
        path: str,
        environ: Mapping[str, str],
        kept: Mapping[str, bytes],
        options: dict[str, Any],
    ) -> None:
        self._tree = tree
        self._path = path
        self._environ = environ
        self._kept = kept
        self._options = options
        self._shown: Shown = options.get("shown", str)
        self.standing = load_rules(tree, path, environ, **options)
        self.said: set[Problem] = set()  # of files as they stand, when they were quarantined

    def settled(self, held: Iterable[str]) -> tuple[Loaded, Collection[str]]:
        """With every broken file quarantined; ends early where the root never was good."""
        quarantined = dict.fromkeys(held)
        self.said.clear()
        loaded = self._load(quarantined) if quarantined else self.standing
        while broken := dict.fromkeys(self._broken(loaded, quarantined)):
            quarantined |= broken
            self.said |= {*self._problems(loaded, broken)}
            if self._path in broken and self._path not in self._kept:
                break
            loaded = self._load(quarantined)
        return loaded, quarantined

    def suffered_from(self, loaded: Loaded, quarantined: Collection[str]) -> dict[str, Problem]:
        """The files by whose change quarantined ones have problems in their last good version."""
        suffering = self._suffering(loaded, quarantined)
        if not suffering:
            return {}

        def culprits(files: list[str]) -> list[str]:
            """By halves: most of what changed has nothing to do with it."""
            without = self._load([*quarantined, *files])
            if len(self._suffering(without, quarantined)) >= len(suffering):
                return []
            if len(files) == 1:
                return files
            middle = len(files) // 2
            return culprits(files[:middle]) + culprits(files[middle:]) or files

        found = culprits([*self._changed(loaded, quarantined)])
        those = ", ".join(sorted({problem.origin.file for problem in suffering}))
        said = f"its last good version stays in force: with this one, {those} would have problems"
        return {file: Problem(Origin(self._shown(file), 1), said) for file in found}

    def _load(self, quarantined: Iterable[str]) -> Loaded:
        good = {file: self._kept.get(file, _NOTHING) for file in quarantined}
        return load_rules(_Patched(self._tree, good), self._path, self._environ, **self._options)

    def _broken(self, loaded: Loaded, known: Collection[str]) -> Iterator[str]:
        """Files to be quarantined: first what was there and was good, whose lack others show."""
        lost = [PathGlob(pattern) for pattern in loaded.lost]
        beside = loaded.bad.union(*(glob.select(sorted(self._kept)) for glob in lost))
        found = [file for file in sorted(beside) if file in self._kept and file not in known]
        yield from found
        if not found:
            named = {problem.origin.file for problem in loaded.problems}
            yield from (
                file for file in loaded.files if self._shown(file) in named and file not in known
            )

    def _suffering(self, loaded: Loaded, quarantined: Collection[str]) -> list[Problem]:
        return self._problems(loaded, (file for file in quarantined if file in self._kept))

    def _problems(self, loaded: Loaded, files: Iterable[str]) -> list[Problem]:
        names = set(map(self._shown, files))
        return [problem for problem in loaded.problems if problem.origin.file in names]

    def _changed(self, loaded: Loaded, quarantined: Collection[str]) -> Iterator[str]:
        """Rules files that came, went or changed since they were kept."""
        before = [part.path for part in gather(KeptTree(self._kept), self._path).parts]
        for file in dict.fromkeys([*loaded.files, *before]):
            now = loaded.texts[file] if file in loaded.files else None
            if file not in quarantined and now != self._kept.get(file):
                yield file


class _Patched(msgspec.Struct, frozen=True):
    """A tree with some files in another version, be they still there or not."""

    tree: Tree
    files: Mapping[str, bytes]

    def read(self, path: str) -> bytes | None:
        return self.files[path] if path in self.files else self.tree.read(path)

    def glob(self, pattern: str) -> list[str]:
        added = PathGlob(pattern).select(self.files)
        try:
            return sorted({*self.tree.glob(pattern), *added})
        except TreeError:
            if not added:
                raise
            return added
