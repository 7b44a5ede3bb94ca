"""The rules, compiled: immutable, swapped whole on reload."""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from matchers.errors import Origin
from matchers.event import Event
from matchers.kinds.base import Sight
from matchers.paths import SourceRoot

Strategy = Literal["nearest", "sentry"]
ExceptionOrder = Literal["root_cause_first", "thrown_first"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    origin: Origin
    text: str  # as a person wrote it: "path: /server/app/billing/"
    owners: tuple[str, ...] = ()  # slugs, primary first; empty only where `unowned`
    unowned: bool = False
    transparent: bool = False
    notify_all: bool = False  # True: every owner is told, not just the primary
    feature: str | None = None
    criticality: str | None = None
    holds_for_event: Callable[[Event], bool] = lambda _event: True
    holds_for_frame: Callable[[Sight], bool] = lambda _sight: True


class Project(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    default_environment: str = "production"  # Sentry's
    source_roots: tuple[SourceRoot, ...] = ()  # asked beside the file's own


class Ruleset(msgspec.Struct, frozen=True, kw_only=True):
    rules: tuple[Rule, ...] = ()
    overrides: tuple[Rule, ...] = ()
    fallbacks: tuple[Rule, ...] = ()
    default: Rule | None = None
    explicit_owner_tags: tuple[str, ...] = ("owner", "team")
    names: Mapping[str, str] = {}  # a team's slug or alias → its slug
    source_roots: tuple[SourceRoot, ...] = ()
    projects: Mapping[str, Project] = {}
    strategy: Strategy = "nearest"
    exceptions: ExceptionOrder = "root_cause_first"
    revision: str = ""

    def roots_of(self, project: str) -> tuple[SourceRoot, ...]:
        known = self.projects.get(project)
        return self.source_roots + known.source_roots if known else self.source_roots
