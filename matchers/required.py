"""Directories that must have exactly one owner: what keeps a monolith owned.

Files that are unowned on purpose are nobody's gap: they count only where a directory has no others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from matchers.coverage import Coverage, Owned, owner_of
from matchers.sources.pathglob import PathGlob


class Directory(msgspec.Struct, frozen=True):
    path: str  # with its last slash
    owners: Counter[str | None]  # primary owners of all files in it; None: nobody's

    @property
    def has_one_owner(self) -> bool:
        return len(self.owners) == 1 and None not in self.owners


def directories(found: Coverage, glob: str) -> list[Directory]:
    """Those that fit, sorted. In the glob, `*` stays inside a directory and `**` does not."""
    folders: dict[str, list[Owned]] = {}
    for one in found.files:
        for folder in _around(one.path):
            folders.setdefault(folder, []).append(one)
    fitting = PathGlob(glob.rstrip("/")).select(folders)
    return [Directory(f"{folder}/", _owners(folders[folder])) for folder in fitting]


def _around(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _owners(files: Iterable[Owned]) -> Counter[str | None]:
    those = list(files)
    asked = [one for one in those if one.rule is None or not one.rule.unowned]
    return Counter(owner_of(one.rule) for one in asked or those)
