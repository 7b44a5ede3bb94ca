"""Who owns a path, with no event around it: the last rule that a frame there would meet."""

from collections.abc import Sequence
from typing import Any

import msgspec

from matchers.event import Frame
from matchers.ownership import rule_json
from matchers.ruleset import Rule, Ruleset, always

_PROJECT = "1"


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    path: str  # as it was asked
    repository_path: str | None  # as the rules see it; None: no path stands for it
    rule: Rule | None  # None: no rule matches
    revision: str

    @property
    def owners(self) -> tuple[str, ...]:
        return self.rule.owners if self.rule else ()


def look_up(
    path: str, ruleset: Ruleset, *, module: str | None = None, function: str | None = None
) -> Lookup:
    """Rules that ask for an event (its exception, its tags, …) are not met by a path alone."""
    absolute = path.startswith("/")
    frame = Frame(
        filename=None if absolute else path,
        abs_path=path if absolute else None,
        module=module,
        function=function,
    )
    placed = ruleset.place(frame, None, _PROJECT, believe=True)
    rule = next(
        (rule for rule in ruleset.candidates(frame, placed.path) if rule.holds_for_event is always),
        None,
    )
    return Lookup(path=path, repository_path=placed.path, rule=rule, revision=ruleset.revision)


def lookup_json(lookup: Lookup, receivers: Sequence[str] = ()) -> dict[str, Any]:
    rule = lookup.rule
    return {
        "path": lookup.path,
        "repository_path": lookup.repository_path,
        "owners": list(lookup.owners),
        "rule": rule_json(rule),
        "unowned": bool(rule and rule.unowned),
        "transparent": bool(rule and rule.transparent),
        "feature": rule.feature if rule else None,
        "criticality": rule.criticality if rule else None,
        "receivers": list(receivers),
        "revision": lookup.revision,
    }
