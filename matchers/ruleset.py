"""The rules, compiled: immutable, swapped whole on reload."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from sys import getsizeof
from typing import Literal, get_args

import msgspec

from matchers.errors import Origin
from matchers.event import Event, Frame
from matchers.files import RepositoryFiles
from matchers.globs import GlobSet
from matchers.index import PathIndex
from matchers.kinds.base import Sight
from matchers.memo import Memo
from matchers.paths import Placed, SourceRoot, place
from matchers.template import Template

Section = Literal["rules", "overrides", "fallbacks"]
Strategy = Literal["nearest", "sentry"]
ExceptionOrder = Literal["root_cause_first", "thrown_first"]
PLACES_ROOM = 32 * 2**20  # bytes of frames whose place is remembered


def always(_subject: object) -> bool:
    return True


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    origin: Origin
    text: str  # as a person wrote it: "path: /server/app/billing/"
    owners: tuple[str, ...] = ()  # slugs, primary first; empty only where `unowned`
    unowned: bool = False
    transparent: bool = False
    notify_all: bool = False  # True: every owner is told, not just the primary
    feature: str | None = None
    criticality: str | None = None
    review: bool = True  # False: not in a generated CODEOWNERS
    # What the index finds it by: the first of these that is not empty. None: it is always asked.
    paths: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    # Whose rules stand elsewhere and depend on each other, a GitLab CODEOWNERS, a tree of
    # owners.yaml: counts as one rule, and answers for a path with the rule that holds there.
    resolve: Callable[[str], "Rule | None"] | None = None
    members: Callable[[], "Iterable[Rule]"] | None = None  # those many, in their files' order
    within: "Rule | None" = None  # the rule whose `resolve` gave this one
    # What must hold besides.
    holds_for_event: Callable[[Event], bool] = always
    holds_for_frame: Callable[[Sight], bool] = always
    asks_of_calls: bool = False  # of a frame's module or function: its path settles nothing
    tags: tuple[str, ...] = ()  # whose values it looks at

    @property
    def looks_at_frames(self) -> bool:
        """One that does not matches every in-app frame, and no other."""
        found_by = self.paths or self.modules or self.functions or self.resolve or self.within
        return bool(found_by) or self.holds_for_frame is not always


class GroupingEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are one group, or what their group is called."""

    origin: Origin
    text: str  # the conditions, as a person wrote them
    fingerprint: tuple[Template, ...] = ()  # empty: as it would be without the entry
    title: Template | None = None
    holds_for_event: Callable[[Event], bool] = always
    holds_for_frames: Callable[[Sequence[Sight]], bool] = always  # of all in-app frames
    tags: tuple[str, ...] = ()  # whose values it looks at, or names

    @property
    def looks_at_frames(self) -> bool:
        return self.holds_for_frames is not always


class Project(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    default_environment: str = "production"  # Sentry's
    source_roots: tuple[SourceRoot, ...] = ()  # asked beside the file's own


class RuleIndex:
    """Which rules may match a frame, the last first. Conditions are asked of these alone."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._paths = PathIndex(
            (path, number) for number, rule in enumerate(rules) for path in rule.paths
        )
        self._modules: GlobSet[int] = GlobSet()
        self._functions: GlobSet[int] = GlobSet()
        self._always: list[int] = []
        for number, rule in enumerate(rules):
            if rule.paths:
                continue
            for glob in rule.modules:
                self._modules.add(glob, number)
            for glob in () if rule.modules else rule.functions:
                self._functions.add(glob, number)
            if not rule.modules and not rule.functions:
                self._always.append(number)
        self._paths_decide = all(rule.paths for rule in rules)

    def candidates(self, frame: Frame, path: str | None) -> Sequence[int]:
        found = self._paths.matches(path) if path else ()
        if self._paths_decide:
            return found
        numbers = {*found, *self._always}
        if frame.module:
            numbers.update(self._modules.find(frame.module))
        if frame.function:
            numbers.update(self._functions.find(frame.function))
        return sorted(numbers, reverse=True)


class Ruleset:
    """Everything that decides. Only its memos change, and they are bounded."""

    def __init__(
        self,
        *,
        rules: tuple[Rule, ...] = (),
        overrides: tuple[Rule, ...] = (),
        fallbacks: tuple[Rule, ...] = (),
        grouping: tuple[GroupingEntry, ...] = (),
        default: Rule | None = None,
        explicit_owner_tags: tuple[str, ...] = ("owner", "team"),
        names: Mapping[str, str] | None = None,
        source_roots: tuple[SourceRoot, ...] = (),
        projects: Mapping[str, Project] | None = None,
        strategy: Strategy = "nearest",
        exceptions: ExceptionOrder = "root_cause_first",
        files: RepositoryFiles | None = None,
        revision: str = "",
    ) -> None:
        """names: a team's slug or alias → its slug. files: None where they are not known."""
        self.rules = rules
        self.overrides = overrides
        self.fallbacks = fallbacks
        self.grouping = grouping
        self.default = default
        self.explicit_owner_tags = explicit_owner_tags
        self.names = names or {}
        self.source_roots = source_roots
        self.projects = projects or {}
        self.strategy = strategy
        self.exceptions = exceptions
        self.files = files
        self.revision = revision
        self._index = RuleIndex(rules)
        self._places: Memo[object, Placed] = Memo(PLACES_ROOM)

    def with_rule(self, rule: Rule, section: Section = "rules") -> "Ruleset":
        """The same with one more rule, the last of its section."""
        added = {
            name: (*getattr(self, name), rule) if name == section else getattr(self, name)
            for name in get_args(Section)
        }
        return Ruleset(
            **added,
            grouping=self.grouping,
            default=self.default,
            explicit_owner_tags=self.explicit_owner_tags,
            names=self.names,
            source_roots=self.source_roots,
            projects=self.projects,
            strategy=self.strategy,
            exceptions=self.exceptions,
            files=self.files,
            revision=self.revision,
        )

    @cached_property
    def tags(self) -> frozenset[str]:
        """By which anything is decided, or grouped."""
        rules = (*self.rules, *self.overrides, *self.fallbacks)
        asked = (*(rule.tags for rule in rules), *(entry.tags for entry in self.grouping))
        return frozenset(self.explicit_owner_tags).union(*asked)

    @cached_property
    def ranks(self) -> Mapping[int, int]:
        """Which of the rules a rule is, by its identity."""
        return {id(rule): number for number, rule in enumerate(self.rules)}

    def rules_of(self, team: str) -> Iterator[Rule]:
        """By which it owns something; of a rule that stands for many, those."""
        default = [self.default] if self.default else []
        for rule in (*self.overrides, *self.rules, *self.fallbacks, *default):
            for one in rule.members() if rule.members else (rule,):
                if team in one.owners:
                    yield one

    def candidates(self, frame: Frame, path: str | None) -> list[Rule]:
        """The rules whose frame conditions hold, the last first; event conditions are not asked."""
        sight = Sight(frame, path)
        found = []
        for number in self._index.candidates(frame, path):
            rule = self._rule_at(number, path)
            if rule and (rule.holds_for_frame is always or rule.holds_for_frame(sight)):
                found.append(rule)
        return found

    def possible(self, path: str) -> list[Rule]:
        """The rules that some frame of the file may meet, the last first."""
        sight = Sight(Frame(filename=path), path)
        found = []
        for number in self._index.candidates(sight.frame, path):
            rule = self._rule_at(number, path)
            if rule and (rule.asks_of_calls or rule.holds_for_frame(sight)):
                found.append(rule)
        return found

    def _rule_at(self, number: int, path: str | None) -> Rule | None:
        """Of a rule that stands for many, the one that holds there."""
        rule = self.rules[number]
        if rule.resolve is None:
            return rule
        return rule.resolve(path) if path else None

    def place(self, frame: Frame, platform: str | None, project: str, *, believe: bool) -> Placed:
        """The frame's repository path, and whether it is our own code."""
        key = (
            frame.abs_path,
            frame.filename,
            frame.module,
            frame.in_app,
            platform,
            project,
            believe,
        )
        placed = self._places.get(key)
        if placed is None:
            known = self.projects.get(project)
            roots = self.source_roots + known.source_roots if known else self.source_roots
            placed = place(frame, platform, roots=roots, files=self.files, believe=believe)
            texts = (frame.abs_path, frame.filename, frame.module, placed.path)
            self._places.remember(key, placed, 200 + sum(map(getsizeof, texts)))
        return placed
