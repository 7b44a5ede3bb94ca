"""A CODEOWNERS file in GitLab's dialect: sections, each with its own last match, joined.

Spec: https://docs.gitlab.com/user/project/codeowners/reference/
The whole file is one rule, for its lines depend on each other: asked for a path, it answers with
the owners of all sections in their order, and with the line that decided in the first of them.

1. A section's name counts without regard to case; sections of one name are one.
2. An entry without owners has those of the heading it stands under; without any it says nobody.
3. An exclusion, `!pattern`, is final for its section, wherever it stands.
4. A pattern that stands twice in a section keeps its first place and has its last owners.

Optional sections, `^[Name]`, and approvals, `[Name][2]`, change who must approve, not who owns.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

from matchers.errors import Origin
from matchers.gitlab_patterns import normal_gitlab_pattern, parse_gitlab_pattern
from matchers.index import PathIndex
from matchers.patterns import PatternError
from matchers.ruleset import Rule
from matchers.sources.base import Site
from matchers.sources.owner_lines import Line, slugs, well_formed

ANSWERS_LIMIT = 65_536  # answers that are remembered

_HEADING = re.compile(
    r"\^?\[(?P<name>[^\]]*)\](?:\[(?P<approvals>[\s\d]*)\])?(?P<rest>.*)", re.DOTALL
)
_BROKEN_HEADING = re.compile(r"\^?\[")
_OUTSIDE = "codeowners"  # the section of what stands before any heading


class Entry(msgspec.Struct, frozen=True):
    line: Line
    section: int  # counts from 0, in the order of the file
    pattern: str
    names: tuple[str, ...]  # as written, or the heading's; empty: it says nobody
    excludes: bool = False


class Heading(msgspec.Struct, frozen=True):
    section: int
    line: Line | None = None  # None: outside of any
    names: tuple[str, ...] = ()


def read_gitlab(lines: Iterable[Line], path: str, site: Site) -> Rule:
    """One rule, whose `resolve` answers for a path."""
    entries: dict[tuple[int, str], tuple[Entry, tuple[str, ...]]] = {}
    defaults: dict[Origin, tuple[str, ...]] = {}  # a heading's teams, asked once
    for entry, heading in read_entries(lines, site):
        if heading.line is not None and entry.names is heading.names:
            origin = heading.line.origin
            if origin not in defaults:
                defaults[origin] = slugs(heading.names, origin, site)
            owners = defaults[origin]
        else:
            owners = slugs(entry.names, entry.line.origin, site)
        if owners or not entry.names:
            # 4: a dictionary keeps the first place of a key
            entries[entry.section, normal_gitlab_pattern(entry.pattern)] = (entry, owners)
    return _Book(path, list(entries.values())).rule


def read_entries(lines: Iterable[Line], site: Site) -> Iterator[tuple[Entry, Heading]]:
    """Each entry, and the heading it stands under."""
    sections = {_OUTSIDE: 0}
    heading = Heading(0)
    for line in lines:
        if found := _HEADING.match(line.text):
            section = sections.setdefault(found["name"].casefold(), len(sections))  # 1
            heading = Heading(section, line, _default_owners(found, line, site))
        elif _BROKEN_HEADING.match(line.text):
            site.problem(line.origin, "a section heading without its `]` counts for nothing")
        else:
            entry = _entry(line, heading, site)
            if entry is not None:
                yield entry, heading


def _default_owners(found: re.Match[str], line: Line, site: Site) -> tuple[str, ...]:
    if not found["name"].strip():
        site.problem(line.origin, "the section has no name")
    rest: str = found["rest"]
    if rest and not rest[0].isspace() and rest[0] != "@":
        site.problem(
            line.origin,
            "a line that starts with `[` is a section heading: `[Name][2] @owners`; "
            "a pattern that does is written `/**/[…`",
        )
        return ()
    return tuple(well_formed(rest.split(), "gitlab", line.origin, site))


def _entry(line: Line, heading: Heading, site: Site) -> Entry | None:
    pattern, rest = line.parted()
    excludes = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    try:
        parse_gitlab_pattern(pattern)
    except PatternError as error:
        site.problem(line.origin, str(error))
        return None
    if excludes:
        return Entry(line, heading.section, pattern, (), excludes=True)
    named = rest.split()
    if not named:
        return Entry(line, heading.section, pattern, heading.names)  # 2
    names = _owners(named, line.origin, site)
    return Entry(line, heading.section, pattern, names) if names else None


def _owners(named: list[str], origin: Origin, site: Site) -> tuple[str, ...]:
    """GitLab has no comments behind a pattern: owners in them are owners."""
    if "#" not in named:
        return tuple(well_formed(named, "gitlab", origin, site))
    site.problem(origin, "`#` starts no comment behind a pattern: owners that follow it count")
    at = named.index("#")
    said = [name for name in named[at:] if "@" in name]
    return tuple(well_formed([*named[:at], *said], "gitlab", origin, site))


class _Book:
    """The entries of one file, and its answers, which are remembered."""

    def __init__(self, path: str, entries: list[tuple[Entry, tuple[str, ...]]]) -> None:
        self.rule = Rule(
            origin=Origin(path, 1),
            text=f"codeowners: {path}",
            resolve=self.resolve,
            members=self.rules,
        )
        self._entries = entries
        patterns = ((entry.pattern, number) for number, (entry, _) in enumerate(entries))
        self._index = PathIndex(patterns, parse_gitlab_pattern)
        self._answers: dict[tuple[int, ...], Rule] = {}

    def rules(self) -> Iterator[Rule]:
        """Of each line what it says alone."""
        for entry, owners in self._entries:
            if owners:
                yield self._rule(entry, owners)

    def resolve(self, path: str) -> Rule | None:
        """The rule that holds for the path; None: no line says anything of it."""
        numbers = self._index.matches(path.removeprefix("/"))
        if not numbers:
            return None
        answer = self._answers.get(numbers)
        if answer is None:
            if len(self._answers) >= ANSWERS_LIMIT:
                self._answers.clear()
            answer = self._answers[numbers] = self._answer(numbers)
        return answer

    def _answer(self, numbers: tuple[int, ...]) -> Rule:
        decided: dict[int, tuple[Entry, tuple[str, ...]]] = {}
        for number in numbers:  # the last entry comes first
            entry, owners = self._entries[number]
            if entry.excludes and not decided.get(entry.section, (entry,))[0].excludes:
                decided[entry.section] = entry, owners  # 3
            decided.setdefault(entry.section, (entry, owners))
        said = [decided[section] for section in sorted(decided)]
        first = next((entry for entry, owners in said if owners), said[0][0])
        owners = tuple(dict.fromkeys(owner for _, those in said for owner in those))
        return self._rule(first, owners)

    def _rule(self, entry: Entry, owners: tuple[str, ...]) -> Rule:
        return Rule(
            origin=entry.line.origin,
            text=entry.line.shown,
            owners=owners,
            unowned=not owners,
            within=self.rule,
        )
