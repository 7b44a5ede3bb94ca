"""A rules file with the team files that it includes, each its own document, in their order.

A team file has the same form as the root. It brings teams, channels, rules, fallbacks, overrides
and tests, and may name its team once (`team: payments`), which every rule in it then defaults to.
What concerns everybody (the default, the policy, …) belongs in the root.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from matchers.errors import Problem
from matchers.sources.base import Notes, Shown, Tree, TreeError, within
from matchers.sources.checker import Checker
from matchers.sources.document import Path, read_document
from matchers.sources.schema import FileEntry, TeamEntry
from matchers.sources.sections import check_file, check_teams

TEAM_FILES_LIMIT = 10_000
DEPTH_LIMIT = 16  # files that include each other, one inside the other
_OF_THE_ROOT = (
    "source_roots",
    "projects",
    "explicit_owner_tags",
    "grouping",  # the last entry wins, so a team's would regroup what is another's
    "default",
    "unowned",
    "policy",
    "visible",
    "strategy",
    "exceptions",
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a bundle."""

    path: str  # in the tree
    raw: bytes
    checker: Checker
    entry: FileEntry
    teams: Mapping[str, TeamEntry]


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """parts: the root first, then team files in the order they are included."""

    shown: Shown
    tree: Tree
    parts: tuple[Part, ...]
    included: Mapping[tuple[str, int], tuple[Part, ...]]  # by the file and place of the entry
    names: Mapping[str, str]  # a team's slug or alias, of any file → its slug
    notes: Notes  # of all that is read beside

    @property
    def root(self) -> Part:
        return self.parts[0]

    @property
    def folder(self) -> str:
        """Of the root file, in the tree."""
        return self.root.path.rpartition("/")[0]

    def problems(self) -> list[Problem]:
        return [problem for part in self.parts for problem in part.checker.problems]

    def digest(self) -> str:
        """Another one where any file that was read has another name or content."""
        read = {part.path: part.raw for part in self.parts} | self.notes.texts
        digest = blake2b(digest_size=6)
        for path, raw in read.items():
            name = path.encode(errors="surrogateescape")
            digest.update(b"%d:%s%d:%s" % (len(name), name, len(raw), raw))
        return digest.hexdigest()


def gather(tree: Tree, path: str, shown: Shown = str) -> Bundle:
    """Never raises: what cannot be read is a problem, in the file that names it."""
    gathering = _Gathering(tree, path.rpartition("/")[0], shown)
    gathering.read(path, None)
    parts = tuple(gathering.parts.values())
    return Bundle(
        shown=shown,
        tree=tree,
        parts=parts,
        included=gathering.included,
        names=_names(parts),
        notes=gathering.notes,
    )


class _Gathering:
    def __init__(self, tree: Tree, folder: str, shown: Shown) -> None:
        self.tree = tree
        self.folder = folder
        self.shown = shown
        self.parts: dict[str, Part] = {}
        self.included: dict[tuple[str, int], tuple[Part, ...]] = {}
        self.notes = Notes()
        self._depth = 0

    def read(self, path: str, includer: Checker | None) -> Part:
        raw, why = self._raw(path)
        checker = Checker(read_document(raw or b"", self.shown(path)))
        if raw is None:
            checker.problem((), why)
        entry = check_file(checker) if raw is not None else FileEntry(version=1)
        if includer is not None:
            _refuse_what_is_the_roots(entry, checker)
        teams = check_teams(entry, checker)
        part = Part(path=path, raw=raw or b"", checker=checker, entry=entry, teams=teams)
        self.parts[path] = part
        for index, value in enumerate(entry.rules if isinstance(entry.rules, list) else ()):
            if isinstance(value, dict) and isinstance(value.get("include"), str):
                self._include(part, index, value["include"])
        return part

    def _raw(self, path: str) -> tuple[bytes | None, str]:
        """And why it is None."""
        try:
            return self.tree.read(path), "there is no such file, or none that can be read"
        except TreeError as error:
            return None, error.why

    def _glob(self, part: Part, pattern: str, place: Path) -> list[str]:
        glob = within(self.folder, pattern)
        try:
            found = self.tree.glob(glob)
        except TreeError as error:
            self.notes.lost.append(glob)
            part.checker.problem(place, f"{self.shown(error.path)}: {error.why}")
            return []
        if not found:
            self.notes.lost.append(glob)
            part.checker.problem(place, f'"{pattern}" fits no file')
        return found

    def _include(self, part: Part, index: int, pattern: str) -> None:
        place: Path = ("rules", index, "include")
        if self._depth >= DEPTH_LIMIT:
            part.checker.problem(place, f"files include files deeper than {DEPTH_LIMIT}")
            return
        self._depth += 1
        found = self._glob(part, pattern, place)
        brought: list[Part] = []
        for path in found:
            if path in self.parts:
                said = "includes itself" if path == part.path else "was included before"
                part.checker.problem(place, f"{self.shown(path)} {said}")
            elif len(self.parts) >= TEAM_FILES_LIMIT:
                part.checker.problem(place, f"more than {TEAM_FILES_LIMIT} files are included")
                break
            else:
                brought.append(self.read(path, part.checker))
        self._depth -= 1
        self.included[part.path, index] = tuple(brought)


def _refuse_what_is_the_roots(entry: FileEntry, checker: Checker) -> None:
    for key in _OF_THE_ROOT:
        if key in entry.model_fields_set:
            checker.problem((key,), f"`{key}` belongs in the root file", key=True)


def _names(parts: tuple[Part, ...]) -> dict[str, str]:
    """A name that two teams claim, or a team that two files bring, is a problem."""
    names: dict[str, str] = {}
    homes: dict[str, str] = {}
    for part in parts:
        for slug in part.teams:
            if slug in homes:
                said = f'the team "{slug}" stands in {homes[slug]} already'
                part.checker.problem(("teams", slug), said, key=True)
            homes.setdefault(slug, part.checker.document.file)
            names.setdefault(slug, slug)
    for part in parts:
        for slug, team in part.teams.items():
            for index, alias in enumerate(team.aliases):
                if names.setdefault(alias, slug) != slug:
                    said = f'"{alias}" already names the team "{names[alias]}"'
                    part.checker.problem(("teams", slug, "aliases", index), said)
    for part in parts:
        if part.entry.team is not None and part.entry.team not in names:
            part.checker.unknown(("team",), part.entry.team, "team", names)
    return names
