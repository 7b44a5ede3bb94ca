"""A tree of owners.yaml files, version 1: each directory says whose it is, the nearest decides.

Spec: https://github.com/PostHog/posthog/blob/master/tools/owners/SPEC.md
Read here: `version`, `owners`, `status`, `inherit`, `rules`, and `teams` for the names in it. Not
read: channels (ours are receivers), the other settings of the root, alias files.
Cases: tests/data/owners_yaml.yaml.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from matchers.errors import Origin, did_you_mean
from matchers.index import PathIndex
from matchers.kinds.base import LISTED, Text, Texts
from matchers.patterns import PatternError, below, parse_pattern
from matchers.ruleset import Rule
from matchers.sources.base import Site, within
from matchers.sources.checker import Checker
from matchers.sources.document import Path, read_document
from matchers.sources.schema import Strict

NAME = "owners.yaml"
Status = Literal["active", "deprecated", "generated", "vendored"]  # says nothing about the owner
OF_THE_ROOT = {"teams", "github_org", "producers", "reserved_dirs", "codeowners"}


class Fields(Strict):
    """What a file says of its directory, and an entry of `rules:` of what it matches."""

    owners: Annotated[list[Text] | None, LISTED] = None  # null: unowned by design
    status: Status | None = None
    inherit: bool | None = None


class Entry(Fields):
    match: Texts


class Level(msgspec.Struct, frozen=True):
    """What one file has to say of some paths below it."""

    file: str
    rule: Rule | None  # None: it sets no owners
    inherit: bool  # whether files further up are asked


def read_owners_yaml(folder: str, site: Site, origin: Origin) -> list[Rule]:
    """One rule, which stands for the whole tree; none where there is no such file."""
    root = within(site.folder, folder)
    paths = site.named(NAME, root, origin)
    tree = _Tree()
    whole = Rule(origin=origin, text=f"owners_yaml: {folder}", resolve=tree.resolve)
    for path in paths:
        raw = site.read(path)
        if raw is not None:
            is_root = path.rpartition("/")[0] == root
            tree.add(_File(path, raw, site, whole, is_root=is_root).levels())
    tree.index()
    return [whole] if paths else []


class _Tree:
    """One path index for all files; the further down a file, the higher its numbers."""

    def __init__(self) -> None:
        self._levels: list[Level] = []
        self._patterns: list[tuple[str, int]] = []
        self._index = PathIndex(())

    def add(self, levels: Iterator[tuple[str, Level]]) -> None:
        for pattern, level in levels:
            self._patterns.append((pattern, len(self._levels)))
            self._levels.append(level)

    def index(self) -> None:
        self._index = PathIndex(self._patterns)

    def resolve(self, path: str) -> Rule | None:
        """From the nearest file upwards; of each file its last level that matches."""
        asked = ""
        for number in self._index.matches(path):
            level = self._levels[number]
            if level.file == asked:
                continue
            asked = level.file
            if level.rule is not None or not level.inherit:
                return level.rule
        return None


class _File:
    def __init__(self, path: str, raw: bytes, site: Site, whole: Rule, *, is_root: bool) -> None:
        self.path = path
        self.site = site
        self.whole = whole
        self.is_root = is_root
        self.checker = Checker(read_document(raw, site.shown(path)))

    def levels(self) -> Iterator[tuple[str, Level]]:
        """What the file says, each with the pattern of what it is said of, the last winning."""
        fields = self._fields()
        if fields is not None:
            yield from self._levels(self.checker.document.data, fields)
        for problem in self.checker.problems:
            self.site.say(problem)

    def _levels(self, data: dict[str, Any], fields: Fields) -> Iterator[tuple[str, Level]]:
        at = self.checker.document.origin(("owners",), key=True)
        rule = self._rule(fields, (), at, f"owners: {_flow(data['owners'])}")
        standing = Level(self.path, rule, fields.inherit is not False)
        folder = below(self.path.rpartition("/")[0])
        yield folder, standing
        for index, value in enumerate(self.checker.listing(data.get("rules"), ("rules",))):
            path: Path = ("rules", index)
            entry = self.checker.model(Entry, value, path)
            if entry is None or self.checker.is_spoiled(path):
                continue
            level = self._level(entry, path, standing, f"match: {_flow(value['match'])}")
            for number, pattern in enumerate(entry.match):
                if self._is_pattern(pattern, (*path, "match", number)) and level is not None:
                    yield _anchored(pattern, folder), level

    def _level(self, entry: Entry, path: Path, standing: Level, text: str) -> Level | None:
        """The file's own with what the entry replaces. None: no team claims any of its owners."""
        rule = self._rule(entry, path, self.checker.document.origin(path), text)
        if rule is None and entry.owners:
            return None
        return Level(
            self.path,
            rule if "owners" in entry.model_fields_set else standing.rule,
            standing.inherit if entry.inherit is None else entry.inherit,
        )

    def _fields(self) -> Fields | None:
        """None: the file counts as absent, and why is said."""
        data = self.checker.document.data
        if not isinstance(data, dict):
            if not self.checker.problems:
                self.checker.problem((), "expected `version: 1` and `owners`: counts as absent")
            return None
        self._check_keys(data)
        if data.get("version") is True or data.get("version") != 1:
            self.checker.problem(("version",), "expected `version: 1`: the file counts as absent")
            return None
        if "owners" not in data:
            self.checker.problem((), "the key `owners` is missing: the file counts as absent")
            return None
        known = {key: data[key] for key in Fields.model_fields if key in data}
        return self.checker.model(Fields, known, ())

    def _check_keys(self, data: dict[str, Any]) -> None:
        known = ("version", "rules", *Fields.model_fields)
        for key in data:
            if key not in OF_THE_ROOT and key not in known:
                said = f'unknown key "{key}"{did_you_mean(key, known)}'
                self.checker.problem((key,), said, key=True)
            elif key in OF_THE_ROOT and not self.is_root:
                self.checker.problem((key,), f"`{key}` belongs in the root file alone", key=True)
        if self.is_root:
            for name in self.checker.mapping(data.get("teams"), ("teams",)):
                self.site.slug(name, self.checker.document.origin(("teams", name), key=True))

    def _rule(self, fields: Fields, path: Path, at: Origin, text: str) -> Rule | None:
        """None: it sets no owners, or none that a team claims."""
        if "owners" in fields.model_fields_set and fields.owners is None:
            return Rule(origin=at, text=text, unowned=True, within=self.whole)
        named = [
            (name, self.checker.document.origin((*path, "owners", number)))
            for number, name in enumerate(fields.owners or ())
        ]
        slugs = self.site.slugs(named)
        return Rule(origin=at, text=text, owners=slugs, within=self.whole) if slugs else None

    def _is_pattern(self, pattern: str, path: Path) -> bool:
        try:
            parse_pattern(pattern)
        except PatternError as error:
            self.checker.problem(path, str(error))
            return False
        return True


def _anchored(pattern: str, folder: str) -> str:
    """A pattern relative to a directory, as one of the whole tree that fits nothing outside."""
    anywhere = "" if "/" in pattern[:-1] else "**/"
    return (folder if folder != "*" else "/") + anywhere + pattern.lstrip("/")


def _flow(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    return "null" if value is None else str(value)
