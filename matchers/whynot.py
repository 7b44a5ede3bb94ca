"""Why an event is not a team's, and which rule, placed where, would have made it so.

The rule that is proposed is applied and the event matched again: what does not hold is not said.
"""

import re
from collections.abc import Iterator

import msgspec

from matchers.engine import complete, match
from matchers.errors import Origin
from matchers.event import Event
from matchers.explain import Asked, survey
from matchers.kinds import KINDS
from matchers.ownership import Ownership
from matchers.patterns import exactly
from matchers.ruleset import Rule, Ruleset, Section
from matchers.sources.document import is_text

_NOWHERE = Origin("(proposed)", 0)


class Lost(msgspec.Struct, frozen=True):
    """A rule of the team's that matched, and why it did not decide."""

    path: str
    rule: Rule
    why: str

    def __hash__(self) -> int:
        return hash((self.path, self.rule.origin, self.why))


class Proposal(msgspec.Struct, frozen=True):
    section: str  # "rules", "overrides", "fallbacks", or "tags": of the event, no rule can do it
    text: str  # the entry as it would be written
    after: Origin | None  # the entry that it must stand behind; None: the section is empty


class WhyNot(msgspec.Struct, frozen=True):
    team: str
    ownership: Ownership
    lost: tuple[Lost, ...]
    proposal: Proposal | None  # None: it is the team's already


def why_not(event: Event, ruleset: Ruleset, team: str) -> WhyNot:
    """team: a slug."""
    event = complete(event, ruleset)
    ownership = match(event, ruleset)
    asked = survey(event, ruleset, ownership)
    lost = tuple(dict.fromkeys(_lost(asked, team)))
    if ownership.owner == team:
        return WhyNot(team, ownership, lost, None)
    for proposal, changed_event, changed_rules in _proposals(
        event, ruleset, ownership, asked, team
    ):
        if match(changed_event, changed_rules).owner == team:
            return WhyNot(team, ownership, lost, proposal)
    return WhyNot(team, ownership, lost, None)


def _lost(asked: tuple[Asked, ...], team: str) -> Iterator[Lost]:
    for one in asked:
        path = one.frame.path or "(no path)"
        if one.rule and team in one.rule.owners and not one.decided:
            yield Lost(path, one.rule, one.why)
        for rule in one.beaten:
            if team in rule.owners:
                yield Lost(path, rule, f"beaten by {one.rule.origin}" if one.rule else "beaten")


def _proposals(
    event: Event, ruleset: Ruleset, ownership: Ownership, asked: tuple[Asked, ...], team: str
) -> Iterator[tuple[Proposal, Event, Ruleset]]:
    """The least that may do it first: a frame's path, then the event after or before all frames."""
    tag = next(iter(ruleset.explicit_owner_tags), None)
    if ownership.step == "explicit":
        if tag is not None:
            tags = event.tags | {tag: team}
            named = Proposal("tags", f"{tag}: {team}", None)
            yield named, msgspec.structs.replace(event, tags=tags), ruleset
        return
    if ownership.step != "override":
        for one in sorted(asked, key=lambda one: not one.decided):
            if one.frame.path and one.verdict != "not_in_app":
                rule = _path_rule(team, exactly(one.frame.path))
                yield _behind("rules", ruleset.rules, rule), event, ruleset.with_rule(rule)
    sections: tuple[Section, ...] = ("fallbacks", "overrides")
    for section in sections[ownership.step == "override" :]:
        for key, value in _marks(event):
            rule = _event_rule(team, key, value)
            proposal = _behind(section, getattr(ruleset, section), rule)
            yield proposal, event, ruleset.with_rule(rule, section)


def _marks(event: Event) -> Iterator[tuple[str, str]]:
    """What an event-only rule could know this event by, the most telling first."""
    if event.exceptions and event.exceptions[-1].type:
        yield "exception", event.exceptions[-1].type
    for key in ("transaction", "logger", "message", "environment"):
        if value := getattr(event, key):
            yield key, value


def _path_rule(team: str, path: str) -> Rule:
    return Rule(origin=_NOWHERE, text=f"path: {_quoted(path)}", owners=(team,), paths=(path,))


def _event_rule(team: str, key: str, value: str) -> Rule:
    holds = KINDS[key].compile([value])
    text = f"{key}: {_quoted(value)}"
    return Rule(origin=_NOWHERE, text=text, owners=(team,), holds_for_event=holds)


def _behind(section: str, standing: tuple[Rule, ...], rule: Rule) -> Proposal:
    text = f"- {{{rule.text}, owner: {_quoted(rule.owners[0])}}}"
    return Proposal(section, text, standing[-1].origin if standing else None)


def _quoted(value: str) -> str:
    """As YAML: bare where every reader takes it for text, else in quotes, unprintables escaped."""
    if re.fullmatch(r"/?[A-Za-z_][\w./-]*", value, re.ASCII) and is_text(value):
        return value
    escaped = (f"\\{char}" if char in '"\\' else char for char in value)
    shown = (char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped)
    return '"' + "".join(shown) + '"'
