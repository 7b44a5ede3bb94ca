"""The part of a rules file that decides: teams' names, rules, roots, projects → a Ruleset.

What has a mistake is left out and listed as a problem; the rest compiles.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from matchers.errors import Problem
from matchers.event import Event
from matchers.files import RepositoryFiles
from matchers.kinds import KINDS
from matchers.kinds.base import Sight, Text
from matchers.paths import SourceRoot
from matchers.patterns import PatternError
from matchers.ruleset import Project, Rule, Ruleset, always
from matchers.sources.checker import Checker
from matchers.sources.document import Path
from matchers.sources.schema import SLUG, FileEntry, ProjectEntry, Root, RuleEntry, TeamEntry

Section = Literal["rules", "overrides", "fallbacks"]
_ROOT: TypeAdapter[Any] = TypeAdapter(Root)
_TEXTS: TypeAdapter[Any] = TypeAdapter(list[Text])
_OPTIONS = ("strategy", "exceptions")


def check_file(checker: Checker) -> FileEntry:
    """The file's top level. A section that cannot be used is a problem; the others still count."""
    data = checker.document.data
    if not isinstance(data, dict):
        if not checker.problems:
            checker.problem((), "expected a rules file: `version: 1` and sections below it")
        return FileEntry(version=1)
    entry = checker.model(FileEntry, data, ())
    if entry is not None:
        return entry
    known = FileEntry.model_fields.keys() - {"version", *_OPTIONS}
    return FileEntry(version=1, **{key: data[key] for key in data if key in known})


def check_teams(entry: FileEntry, checker: Checker) -> dict[str, TeamEntry]:
    """Slug → team. A team with a mistake stays a team, so that its rules hold."""
    teams = {}
    for slug, value in checker.mapping(entry.teams, ("teams",)).items():
        path: Path = ("teams", slug)
        if not re.fullmatch(SLUG, slug):
            checker.problem(path, f'"{slug}" is no slug: letters, digits, . _ -', key=True)
        teams[slug] = checker.model(TeamEntry, value or {}, path) or TeamEntry()
    return teams


def team_names(teams: Mapping[str, TeamEntry], checker: Checker) -> dict[str, str]:
    """Every slug and alias → the slug. A name that two teams claim is a problem."""
    names = {slug: slug for slug in teams}
    for slug, team in teams.items():
        for index, alias in enumerate(team.aliases):
            if names.setdefault(alias, slug) != slug:
                path: Path = ("teams", slug, "aliases", index)
                checker.problem(path, f'"{alias}" already names the team "{names[alias]}"')
    return names


def compile_ruleset(
    entry: FileEntry,
    checker: Checker,
    names: Mapping[str, str],
    revision: str,
    files: RepositoryFiles | None = None,
) -> Ruleset:
    tags = entry.explicit_owner_tags
    return Ruleset(
        rules=tuple(_rules(entry.rules, "rules", checker, names)),
        overrides=tuple(_rules(entry.overrides, "overrides", checker, names)),
        fallbacks=tuple(_rules(entry.fallbacks, "fallbacks", checker, names)),
        default=_default(entry.default, checker, names),
        explicit_owner_tags=Ruleset().explicit_owner_tags
        if tags is None
        else tuple(checker.value(_TEXTS, tags, ("explicit_owner_tags",)) or ()),
        names=names,
        source_roots=tuple(_roots(entry.source_roots, checker)),
        projects=_projects(entry.projects, checker),
        strategy=entry.strategy,
        exceptions=entry.exceptions,
        files=files,
        revision=revision,
    )


def _rules(
    section: object, name: Section, checker: Checker, names: Mapping[str, str]
) -> Iterator[Rule]:
    for index, value in enumerate(checker.listing(section, (name,))):
        path: Path = (name, index)
        entry = checker.model(RuleEntry, value, path)
        if entry is None or checker.is_spoiled(path):
            continue
        before = len(checker.problems)
        rule = _rule(entry, value, path, checker, names)
        said = checker.problems[before:]
        if not said or (rule.owners and all(map(_is_unknown_owner, said))):
            yield rule


def _is_unknown_owner(problem: Problem) -> bool:
    """The rule still holds for the owners that are known."""
    return problem.message.startswith("unknown team")


def _rule(
    entry: Any, value: dict[str, Any], path: Path, checker: Checker, names: Mapping[str, str]
) -> Rule:
    conditions = _Conditions(checker, path)
    conditions.add(entry)
    if entry.not_ is not None:
        conditions.add(entry.not_, negated=True)
    return Rule(
        origin=checker.document.origin(path),
        text=_text(value),
        owners=_owners(entry, path, checker, names),
        unowned=entry.unowned,
        transparent=entry.transparent,
        notify_all=entry.notify == "all",
        feature=entry.feature,
        criticality=entry.criticality,
        paths=tuple(entry.path or ()),
        modules=tuple(entry.module or ()),
        functions=tuple(entry.function or ()),
        holds_for_event=_all(conditions.event),
        holds_for_frame=_all(conditions.frame),
        asks_of_calls=conditions.asks_of_calls,
    )


class _Conditions:
    """The predicates of one rule, by what they look at. What the index finds it by is none."""

    def __init__(self, checker: Checker, path: Path) -> None:
        self.checker = checker
        self.path = path
        self.event: list[Callable[[Event], bool]] = []
        self.frame: list[Callable[[Sight], bool]] = []
        self.asks_of_calls = False

    def add(self, entry: Any, *, negated: bool = False) -> None:
        indexed = negated  # what must not match is never found by the index
        for key, kind in KINDS.items():
            value = getattr(entry, key)
            if value is None:
                continue
            place = (*self.path, "not", key) if negated else (*self.path, key)
            if kind.looks_at == "frame" and self.path[0] != "rules":
                said = f"{self.path[0]} look at the event alone: `{key}` belongs under `rules:`"
                self.checker.problem(place, said, key=True)
                continue
            on_frame = kind.looks_at == "frame"
            self.asks_of_calls |= on_frame and key != "path"
            try:
                kind.check(value)
            except PatternError as error:
                self.checker.problem(place, str(error))
                continue
            if on_frame and not indexed:
                indexed = True  # the first frame condition; KINDS is in the index's order
                continue
            holds = kind.compile(value)
            predicates: list[Any] = self.frame if on_frame else self.event
            predicates.append(_negated(holds) if negated else holds)


def _owners(entry: Any, path: Path, checker: Checker, names: Mapping[str, str]) -> tuple[str, ...]:
    named: list[str] = [entry.owner] if entry.owner else (entry.owners or [])
    if entry.owner and entry.owners:
        checker.problem(path, "write `owner` or `owners`, not both")
    if entry.unowned and (named or entry.transparent):
        checker.problem(path, "an `unowned` rule has no owner and is not `transparent`")
    if not named and not entry.unowned:
        checker.problem(path, "the rule names no owner; where nobody shall own it: `unowned: true`")
    if path[0] != "rules" and (entry.unowned or entry.transparent):
        checker.problem(path, f"{path[0]} have no frames to pass: only an owner counts here")
    key = "owner" if entry.owner else "owners"
    slugs: dict[str, None] = {}
    for index, name in enumerate(named):
        if name in names:
            slugs[names[name]] = None
        else:
            place = (*path, key) if entry.owner else (*path, key, index)
            checker.unknown(place, name, "team", names)
    return tuple(slugs)


def _default(name: object, checker: Checker, names: Mapping[str, str]) -> Rule | None:
    path: Path = ("default",)
    if name is None:
        return None
    if not isinstance(name, str) or name not in names:
        checker.unknown(path, str(name), "team", names)
        return None
    origin = checker.document.origin(path)
    return Rule(origin=origin, text=f"default: {name}", owners=(names[name],))


def _roots(value: object, checker: Checker) -> Iterator[SourceRoot]:
    for index, item in enumerate(checker.listing(value, ("source_roots",))):
        root = checker.value(_ROOT, item, ("source_roots", index))
        if root is not None:
            yield SourceRoot(root.prefix, root.repository)


def _projects(value: object, checker: Checker) -> dict[str, Project]:
    projects = {}
    for number, item in checker.mapping(value, ("projects",)).items():
        entry = checker.model(ProjectEntry, item, ("projects", number))
        if entry is not None:
            projects[number] = Project(
                slug=entry.slug,
                default_environment=entry.default_environment,
                source_roots=tuple(SourceRoot(r.prefix, r.repository) for r in entry.source_roots),
            )
    return projects


def _text(value: Mapping[str, Any]) -> str:
    """The conditions as they were written, in their order."""
    said = [f"{key}: {_flow(value[key])}" for key in value if key in KINDS or key == "not"]
    return ", ".join(said) or "any in-app frame"


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)


def _all(predicates: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if not predicates:
        return always
    if len(predicates) == 1:
        return predicates[0]
    return lambda subject: all(holds(subject) for holds in predicates)


def _negated(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda subject: not holds(subject)
