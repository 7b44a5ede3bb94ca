"""The part of a rules file that decides: teams' names, rules, roots, projects → a Ruleset.

What has a mistake is left out and listed as a problem; the rest compiles.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from matchers.errors import Problem
from matchers.files import RepositoryFiles
from matchers.kinds.base import Text
from matchers.paths import SourceRoot
from matchers.ruleset import Project, Rule, Ruleset
from matchers.sources.base import Site
from matchers.sources.bundle import Bundle, Part
from matchers.sources.checker import Checker
from matchers.sources.conditions import holds_all, negated, read_conditions, written
from matchers.sources.document import Path
from matchers.sources.grouping import read_grouping
from matchers.sources.includes import INCLUDES, mistake_of
from matchers.sources.restricted import why_refused
from matchers.sources.schema import IncludeEntry, ProjectEntry, Root, RuleEntry

Section = Literal["rules", "overrides", "fallbacks"]
_ROOT: TypeAdapter[Any] = TypeAdapter(Root)
_TEXTS: TypeAdapter[Any] = TypeAdapter(list[Text])


def compile_ruleset(
    bundle: Bundle,
    revision: str | None = None,
    files: RepositoryFiles | None = None,
    *,
    restrict: bool = False,
) -> Ruleset:
    """revision: None names it by the content of all files that are read.

    restrict: a team file may not assign to another team than its own.
    """
    root, checker = bundle.root.entry, bundle.root.checker
    compiler = _Compiler(bundle, restrict=restrict)
    tags = root.explicit_owner_tags
    rules = tuple(compiler.section("rules", bundle.root))  # reads what they bring
    return Ruleset(
        rules=rules,
        overrides=tuple(compiler.everywhere("overrides")),
        fallbacks=tuple(compiler.everywhere("fallbacks")),
        grouping=tuple(read_grouping(root.grouping, checker)),
        default=_default(root.default, checker, bundle.names),
        explicit_owner_tags=Ruleset().explicit_owner_tags
        if tags is None
        else tuple(checker.value(_TEXTS, tags, ("explicit_owner_tags",)) or ()),
        names=bundle.names,
        source_roots=tuple(_roots(root.source_roots, checker)),
        projects=_projects(root.projects, checker),
        strategy=root.strategy,
        exceptions=root.exceptions,
        files=files,
        revision=revision or bundle.digest(),
    )


class _Compiler:
    """Rules in the order they stand, what is included in its place."""

    def __init__(self, bundle: Bundle, *, restrict: bool) -> None:
        self._bundle = bundle
        self._restrict = restrict

    def everywhere(self, name: Section) -> Iterator[Rule]:
        for part in self._bundle.parts:
            yield from self.section(name, part)

    def section(self, name: Section, part: Part) -> Iterator[Rule]:
        """Without the rules that name no owner where the file's own `team:` is unknown."""
        values = part.checker.listing(getattr(part.entry, name), (name,))
        for index, value in enumerate(values):
            include = _include_key(value)
            if include is not None:
                yield from self._included(include, value, (name, index), part)
            else:
                yield from self._rule(value, (name, index), part)

    def _included(self, key: str, value: dict[str, Any], path: Path, part: Part) -> Iterator[Rule]:
        checker = part.checker
        if path[0] != "rules":
            checker.problem((*path, key), f"{path[0]} include nothing: it belongs under `rules:`")
        entry = checker.model(IncludeEntry, value, path)
        if entry is None or path[0] != "rules":
            return
        if wrong := mistake_of(entry):
            checker.problem((*path, wrong[0]), wrong[1])
            return
        if key == "include":
            for brought in self._bundle.included.get((part.path, int(path[1])), ()):
                yield from self.section("rules", brought)
            return
        bundle = self._bundle
        site = Site(
            bundle.tree, bundle.names, checker.say, bundle.folder, bundle.shown, bundle.notes
        )
        for rule in INCLUDES[key](entry, site, checker.document.origin(path)):
            if self._may_bring(rule, path, part):
                yield rule

    def _rule(self, value: Any, path: Path, part: Part) -> Iterator[Rule]:
        checker = part.checker
        entry = checker.model(RuleEntry, value, path)
        if entry is None or checker.is_spoiled(path):
            return
        before = len(checker.problems)
        rule = _rule(entry, value, path, checker, self._bundle.names, part.entry.team)
        self._may_bring(rule, path, part)
        said = checker.problems[before:]
        decides = bool(rule.owners) or (rule.unowned and not said)
        if decides and all(map(_is_unknown_owner, said)):
            yield rule

    def _may_bring(self, rule: Rule, path: Path, part: Part) -> bool:
        """A problem where team files are restricted, and this one assigns to another team."""
        if not self._restrict or part is self._bundle.root:
            return True
        refused = why_refused(rule, part.entry.team, self._bundle.names)
        if refused is not None:
            part.checker.problem(path, f"team files are restricted: {refused}")
        return refused is None


def _include_key(value: Any) -> str | None:
    """Which kind of include an entry is; None: it is a rule."""
    if not isinstance(value, dict):
        return None
    return next((key for key in ("include", *INCLUDES) if key in value), None)


def _is_unknown_owner(problem: Problem) -> bool:
    """The rule still holds for the owners that are known."""
    return problem.message.startswith("unknown team")


def _rule(
    entry: Any,
    value: dict[str, Any],
    path: Path,
    checker: Checker,
    names: Mapping[str, str],
    team: str | None = None,
) -> Rule:
    """team: the owner where the rule names none."""
    conditions = read_conditions(
        entry, path, checker, frames="indexed" if path[0] == "rules" else "refused"
    )
    return Rule(
        origin=checker.document.origin(path),
        text=written(value) or "any in-app frame",
        owners=_owners(entry, path, checker, names, team),
        unowned=entry.unowned,
        transparent=entry.transparent,
        notify_all=entry.notify == "all",
        feature=entry.feature,
        criticality=entry.criticality,
        review=entry.review,
        paths=tuple(entry.path or ()),
        modules=tuple(entry.module or ()),
        functions=tuple(entry.function or ()),
        holds_for_event=holds_all(conditions.event),
        holds_for_frame=holds_all([*conditions.frame, *map(negated, conditions.not_frame)]),
        asks_of_calls=conditions.asks_of_calls,
        tags=tuple(conditions.tags),
    )


def _owners(
    entry: Any, path: Path, checker: Checker, names: Mapping[str, str], team: str | None
) -> tuple[str, ...]:
    named: list[str] = [entry.owner] if entry.owner else (entry.owners or [])
    if not named and team is not None and not entry.unowned:
        return (names[team],) if team in names else ()
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
