"""Each file of the rules is good or quarantined: then its last good version stays in force.

One team's mistake never breaks another's rules, and the rules of a quarantined team stay what they
were, so that its events keep going where they went.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from matchers.errors import Problem
from matchers.sources.base import Shown, Tree
from routers.rules import Loaded, load_rules

_NOTHING = b"version: 1\n"  # stands for a file that never was good


class Partly(msgspec.Struct, frozen=True):
    """What is put in force, and which files it has in another version than the one that stands."""

    loaded: Loaded | None  # None: the root file is broken, and never was good
    quarantined: Mapping[str, Sequence[Problem]]  # by the file's path in the tree
    problems: tuple[Problem, ...]  # all, of the files as they stand


def load_partly(
    tree: Tree, path: str, environ: Mapping[str, str], kept: Mapping[str, bytes], **options: Any
) -> Partly:
    """kept: the last good text of each file. options: as of load_rules."""
    loaded = standing = load_rules(tree, path, environ, **options)
    quarantined: dict[str, Sequence[Problem]] = {}
    while broken := _broken(loaded, quarantined, options.get("shown", str)):
        quarantined |= broken
        if path in quarantined and path not in kept:
            return Partly(None, quarantined, standing.problems)
        good = {file: kept.get(file, _NOTHING) for file in quarantined}
        loaded = load_rules(_Patched(tree, good), path, environ, **options)
    return Partly(loaded, quarantined, standing.problems)


def _broken(
    loaded: Loaded, known: Mapping[str, object], shown: Shown
) -> dict[str, Sequence[Problem]]:
    """Files with problems that are not quarantined yet. A CODEOWNERS drops its bad lines itself."""
    files = {shown(path): path for path in loaded.keepable if path not in known}
    broken: dict[str, list[Problem]] = {}
    for problem in loaded.problems:
        if file := files.get(problem.origin.file):
            broken.setdefault(file, []).append(problem)
    return dict(broken)


class _Patched(msgspec.Struct, frozen=True):
    """A tree with some files in another version."""

    tree: Tree
    files: Mapping[str, bytes]

    def read(self, path: str) -> bytes | None:
        return self.files[path] if path in self.files else self.tree.read(path)

    def glob(self, pattern: str) -> list[str]:
        return self.tree.glob(pattern)
