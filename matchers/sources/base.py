"""What a way of writing rules is given, and what it gives.

A source is a file of this package with a `read_…` function: from the repository's tree and the
names of teams to rules, in the order of their precedence (the last wins). It reads leniently what
the format's own tools would, says every problem in its place, and keeps each rule's file and line.
Lines whose owners no team claims are problems; a rule left without owners is left out.

TreeError              a file or a folder of the tree cannot be read; says which, and why
└── NotRegularError    it is a folder, a pipe or a device: something is there, and nobody reads it
"""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from matchers.errors import Origin, Problem, did_you_mean


class TreeError(Exception):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class NotRegularError(TreeError):
    def __init__(self, path: str) -> None:
        super().__init__(path, "it is no regular file")


class Tree(Protocol):
    """The files of a repository, by paths relative to its root with `/` between segments."""

    def read(self, path: str) -> bytes | None:
        """None: there is no such file. Raises TreeError."""

    def glob(self, pattern: str) -> list[str]:
        """The files that fit, sorted; see PathGlob. Raises TreeError."""


Shown = Callable[[str], str]  # from a path of the tree to the one that a reader can open


class Site(msgspec.Struct, frozen=True):
    """Where a source is read: the tree, the teams, and where problems are said."""

    tree: Tree
    names: Mapping[str, str]  # a team's slug or alias → its slug
    say: Callable[[Problem], None]
    folder: str = ""  # of the root rules file, which paths in rules files start from; "": the root
    shown: Shown = str

    def problem(self, origin: Origin, message: str) -> None:
        self.say(Problem(origin, message))

    def slug(self, name: str, origin: Origin) -> str | None:
        """The team that a name stands for; None, and a problem, where no team claims it."""
        slug = self.names.get(name)
        if slug is None:
            self.problem(origin, f'unknown team "{name}"{did_you_mean(name, self.names)}')
        return slug

    def slugs(self, names: Iterable[tuple[str, Origin]]) -> tuple[str, ...]:
        """The teams of the names that stand for one, each once; the others are problems."""
        found = (self.slug(name, origin) for name, origin in names)
        return tuple(dict.fromkeys(slug for slug in found if slug is not None))

    def files(self, pattern: str, origin: Origin) -> list[str]:
        """The files that fit; a problem where none does."""
        return self._found(within(self.folder, pattern), origin, f'"{pattern}" fits no file')

    def named(self, name: str, folder: str, origin: Origin) -> list[str]:
        """The files of this name in a folder of the tree and below, those further up first."""
        start = folder and folder + "/"
        missing = f"there is no {name} below {folder}" if folder else f"there is no {name}"
        found = self._found(f"{start}**/{name}", origin, missing)
        return sorted((path for path in found if path.startswith(start)), key=depth)

    def _found(self, glob: str, origin: Origin, missing: str) -> list[str]:
        try:
            found = self.tree.glob(glob)
        except TreeError as error:
            self.problem(origin, f"{self.shown(error.path)}: {error.why}")
            return []
        if not found:
            self.problem(origin, missing)
        return found

    def read(self, path: str, origin: Origin | None = None) -> bytes | None:
        """The bytes of a file that should be there; None, and a problem, where they are not.

        A link that leads nowhere, or out of the tree, is such a file. origin: where it is named,
        if not by a glob.
        """
        shown = self.shown(path)
        origin = origin or Origin(shown, 1)
        try:
            raw = self.tree.read(path)
            said = "no such file, or a link that leads out of the repository"
        except TreeError as error:
            raw, said = None, error.why
        if raw is None:
            self.problem(origin, said if origin.file == shown else f"{shown}: {said}")
        return raw


def depth(path: str) -> tuple[int, str]:
    """Sorts what lies further up before what lies below it."""
    return path.count("/"), path


def within(folder: str, text: str) -> str:
    """A path, a folder or a glob as it is written in a file of that folder (`.`, `./server/`,
    `/server`, `../CODEOWNERS`), from the tree's root; `..` stands before one that leads out.
    """
    found = posixpath.normpath(posixpath.join(folder, text.lstrip("/")))
    return "" if found == "." else found
