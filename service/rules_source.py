"""Where the rules' files come from, and whether they changed since they were read."""

import logging
import os
from pathlib import Path
from typing import Protocol

import msgspec

from matchers.errors import Problem
from matchers.files import RepositoryFiles
from matchers.sources.base import Tree, TreeError
from service.repository import RepositoryError, read_files

LOG = logging.getLogger(__name__)
Mark = tuple[int, ...] | None  # None: there is no such file


class Rewritten(msgspec.Struct, frozen=True):
    """A force-push: the commit after is no descendant of the one before."""

    before: str
    after: str


class Standing(msgspec.Struct, frozen=True):
    """The rules' files as they stand."""

    folder: Path | None  # what the root file's path is relative to; None: nothing is at hand
    revision: str | None = None  # the commit; None: named by the files' content, and may change
    files: RepositoryFiles | None = None
    problem: Problem | None = None  # why this may not be the newest
    rewritten: Rewritten | None = None  # the last one seen


class Source(Protocol):
    def at_hand(self) -> Standing:
        """What is there without waiting for anybody else."""

    def newest(self, *, afresh: bool = False) -> Standing:
        """The same object's parts where nothing changed. afresh: trust nothing kept."""

    def close(self) -> None:
        """End what is under way."""


class FilesSource:
    """Files that somebody else keeps up to date, and perhaps a repository's paths."""

    def __init__(self, repository: Path | None) -> None:
        self._repository = repository
        self._standing: Standing | None = None
        self._marks: list[Mark] = []

    def at_hand(self) -> Standing:
        return self.newest()

    def newest(self, *, afresh: bool = False) -> Standing:
        marks = self._mark()
        if afresh or self._standing is None or marks != self._marks:
            self._marks = marks
            self._standing = Standing(Path(), files=paths_of(self._repository))
        return self._standing

    def close(self) -> None:
        pass

    def _mark(self) -> list[Mark]:
        """Of a list of paths, or of a checkout's index: git writes it whenever it adds a file."""
        where = self._repository
        return [mark(where), mark(where / ".git/index")] if where else []


class Seen:
    """A tree that remembers what was read of it, so that it can be asked whether that changed."""

    def __init__(self, tree: Tree, root: Path, link: Path) -> None:
        """link: what leads to the root file, perhaps from elsewhere."""
        self._link = link
        self._led_to = mark(link)
        self._tree = tree
        self._root = root
        self._marks: dict[str, Mark] = {}
        self._found: dict[str, list[str]] = {}
        self._there: set[str] = set()

    def read(self, path: str) -> bytes | None:
        self._marks.setdefault(path, mark(self._root / path))  # before: a later change is seen
        content = self._tree.read(path)
        if content is not None:
            self._there.add(path)
        return content

    def glob(self, pattern: str) -> list[str]:
        if pattern not in self._found:
            self._found[pattern] = []
            self._found[pattern] = self._tree.glob(pattern)
        return list(self._found[pattern])

    def was_there(self, path: str) -> bool:
        """Whether it could be read."""
        return path in self._there

    def now(self) -> tuple[Mark, dict[str, Mark], dict[str, list[str]]]:
        """Marks and listings of what was read, as they are now."""
        marks = {path: mark(self._root / path) for path in self._marks}
        return mark(self._link), marks, {pattern: self._listed(pattern) for pattern in self._found}

    def changed(self) -> bool:
        return self.now() != (self._led_to, self._marks, self._found)

    def _listed(self, pattern: str) -> list[str]:
        try:
            return self._tree.glob(pattern)
        except TreeError:  # whoever reads it says so
            return []


def paths_of(repository: Path | None) -> RepositoryFiles | None:
    """None where they are not known: paths are then taken as they were sent."""
    try:
        return read_files(repository) if repository else None
    except RepositoryError as error:
        LOG.error("repository_unreadable", extra={"reason": str(error)})
        return None


def mark(path: Path) -> Mark:
    """Differs once the file differs; links are followed, as Kubernetes swaps them."""
    try:
        found = os.stat(path)  # noqa: PTH116 the path may hold a null byte
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode)
