"""What a way of writing rules is given, and what it gives.

A source is a file of this package with a `read_…` function: from the repository's tree and the
names of teams to rules, in the order of their precedence (the last wins). It reads leniently what
the format's own tools would, says every problem in its place, and keeps each rule's file and line.
Lines whose owners no team claims are problems; a rule left without owners is left out.

TreeError    a file or a folder of the tree cannot be read; says which, and why
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from matchers.errors import SUGGESTIONS, Origin, Problem, did_you_mean


class TreeError(Exception):
    pass


class Tree(Protocol):
    """The files of a repository, by paths relative to its root with `/` between segments."""

    def read(self, path: str) -> bytes | None:
        """None: there is no such file. Raises TreeError."""

    def glob(self, pattern: str) -> list[str]:
        """The files that fit, sorted; see PathGlob. Raises TreeError."""


class Notes(msgspec.Struct):
    """What was read beside the rules files themselves."""

    texts: dict[str, bytes] = {}  # by path; of source code, only the line that names a team
    by_line: set[str] = set()  # of them, those whose bad lines are dropped alone
    lost: list[str] = []  # paths and globs that should find a file, and found none


class Site(msgspec.Struct, frozen=True):
    """Where a source is read: the tree, the teams, and where problems are said."""

    tree: Tree
    names: Mapping[str, str]  # a team's slug or alias → its slug
    say: Callable[[Problem], None]
    notes: Notes = msgspec.field(default_factory=Notes)
    unknown: list[str] = []  # names that no team claims, for which a near one was sought

    def problem(self, origin: Origin, message: str) -> None:
        self.say(Problem(origin, message))

    def slug(self, name: str, origin: Origin) -> str | None:
        """The team that a name stands for; None, and a problem, where no team claims it."""
        slug = self.names.get(name)
        if slug is None:
            self.problem(origin, f'unknown team "{name}"{self._near(name)}')
        return slug

    def _near(self, name: str) -> str:
        """Of the first names alone: it takes long, and a CODEOWNERS may have thousands."""
        if len(self.unknown) >= SUGGESTIONS:
            return ""
        self.unknown.append(name)
        return did_you_mean(name, self.names)

    def slugs(self, names: Iterable[tuple[str, Origin]]) -> tuple[str, ...]:
        """The teams of the names that stand for one, each once; the others are problems."""
        found = (self.slug(name, origin) for name, origin in names)
        return tuple(dict.fromkeys(slug for slug in found if slug is not None))

    def files(self, pattern: str, origin: Origin) -> list[str]:
        """The files that fit; a problem where none does."""
        try:
            found = self.tree.glob(pattern)
        except TreeError as error:
            self.notes.lost.append(pattern)
            self.problem(origin, str(error))
            return []
        if not found:
            self.notes.lost.append(pattern)
            self.problem(origin, f'"{pattern}" fits no file')
        return found

    def named(self, name: str, folder: str, origin: Origin) -> list[str]:
        """The files of this name in a folder ("" is the root) and below, those further up first."""
        start = folder and folder + "/"
        found = [path for path in self.files(f"**/{name}", origin) if path.startswith(start)]
        if folder and not found:
            self.notes.lost.append(f"{start}**/{name}")
            self.problem(origin, f"there is no {name} below {folder}")
        return sorted(found, key=depth)

    def read(self, path: str, origin: Origin | None = None) -> bytes | None:
        """The bytes of a file that should be there; None, and a problem, where they are not.

        A link that leads nowhere, or out of the tree, is such a file. origin: where it is named,
        if not by a glob.
        """
        origin = origin or Origin(path, 1)
        try:
            raw = self.tree.read(path)
        except TreeError as error:
            self.notes.lost.append(path)
            self.problem(origin, str(error))
            return None
        if raw is not None:
            self.notes.texts[path] = raw
        else:
            self.notes.lost.append(path)
            said = "no such file, or a link that leads out of the repository"
            self.problem(origin, said if origin.file == path else f"{path}: {said}")
        return raw


def depth(path: str) -> tuple[int, str]:
    """Sorts what lies further up before what lies below it."""
    return path.count("/"), path


def folder_of(text: str) -> str:
    """A folder as somebody wrote it (`.`, `./server`, `/server/`), as the start of its paths."""
    return "/".join(segment for segment in text.split("/") if segment not in ("", "."))
