"""What a way of writing rules is given, and what it gives.

A source is a file of this package with a `read_…` function: from the repository's tree and the
names of teams to rules, in the order of their precedence (the last wins). It reads leniently what
the format's own tools would, says every problem in its place, and keeps each rule's file and line.
Lines whose owners no team claims are problems; a rule left without owners is left out.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from matchers.errors import Origin, Problem, did_you_mean


class Tree(Protocol):
    """The files of a repository, by paths relative to its root with `/` between segments."""

    def read(self, path: str) -> bytes | None:
        """None: there is no such file."""

    def glob(self, pattern: str) -> list[str]:
        """The files that fit, sorted. `*` stays inside a directory, `**` does not."""


class Site(msgspec.Struct, frozen=True):
    """Where a source is read: the tree, the teams, and where problems are said."""

    tree: Tree
    names: Mapping[str, str]  # a team's slug or alias → its slug
    say: Callable[[Problem], None]

    def problem(self, origin: Origin, message: str) -> None:
        self.say(Problem(origin, message))

    def slug(self, name: str, origin: Origin) -> str | None:
        """The team that a name stands for; None, and a problem, where no team claims it."""
        slug = self.names.get(name)
        if slug is None:
            self.problem(origin, f'unknown team "{name}"{did_you_mean(name, self.names)}')
        return slug
