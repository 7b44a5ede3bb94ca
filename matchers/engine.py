"""match(event, ruleset): the ladder. Total: it always answers, and always with its trail.

The frame nearest the raise decides; for one frame the last rule that matches wins, as in
CODEOWNERS. Cases: conformance/events.yaml.
"""

from collections.abc import Callable, Iterable

import msgspec

from matchers.climb import Climb, Found, Seen
from matchers.event import Event
from matchers.ownership import Ownership, Passed, Step
from matchers.ruleset import Rule, Ruleset


def match(event: Event, ruleset: Ruleset) -> Ownership:
    """Who owns the event. Asks the steps of the ladder in order; the first answer is the answer."""
    climb = Climb(complete(event, ruleset), ruleset)
    for step, ask in _LADDER:
        found = ask(climb)
        if isinstance(found, Found):
            return climb.decided(step, found)
        climb.steps.append(Passed(step, found))
    return climb.decided("unowned", Found())


def complete(event: Event, ruleset: Ruleset) -> Event:
    """With what the rules file knows of its project: its slug, and the environment if none came."""
    project = ruleset.projects.get(event.project)
    slug = project.slug if project else None
    if event.environment is not None and event.project_slug == slug:
        return event
    environment = event.environment or (project.default_environment if project else "production")
    return msgspec.structs.replace(event, environment=environment, project_slug=slug)


def _explicit(climb: Climb) -> Found | str:
    named = [tag for tag in climb.ruleset.explicit_owner_tags if tag in climb.event.tags]
    for tag in named:
        value = climb.event.tags[tag]
        if slug := climb.ruleset.names.get(value):
            return Found((slug,))
        climb.warn("unknown_explicit_owner", f'tag {tag} names "{value[:80]}", which is no team')
    if named:
        return "the event's owner tag names no known team"
    return f"the event has no tag {' or '.join(climb.ruleset.explicit_owner_tags)}"


def _override(climb: Climb) -> Found | str:
    return _last(climb.ruleset.overrides, climb.event, "override")


def _frame(climb: Climb) -> Found | str:
    if climb.ruleset.strategy == "sentry":
        return _any_frame(climb)
    return _walk(climb, in_app=True)


def _walk(climb: Climb, *, in_app: bool) -> Found | str:
    """From the raise outwards: the first frame whose winning rule is neither shared nor unowned."""
    any_frame = False
    for seen in climb.frames():
        if seen.in_app is not in_app:
            if in_app:
                climb.walked(seen, "not_in_app")
            continue
        any_frame = True
        rules = climb.matching(seen)
        if rules and not in_app:
            del climb.trail[seen.ref.at]  # it was passed over; now it stands where it decides
        if not rules:
            climb.walked(seen, "no_rule" if in_app else "not_in_app")
        elif rules[0].unowned:
            climb.walked(seen, "unowned", rules)
            climb.unowned, climb.remembered = rules[0], None
            return f"{seen.ref.path} is unowned on purpose ({rules[0].origin})"
        elif rules[0].transparent:
            climb.walked(seen, "transparent", rules)
            climb.remembered = climb.remembered or Found(rules[0].owners, rules[0], seen.ref)
        else:
            climb.walked(seen, "owned", rules)
            return Found(rules[0].owners, rules[0], seen.ref)
    if not any_frame:
        return "the event has no such frame"
    return "shared code only" if climb.remembered else "no rule matches any of these frames"


def _any_frame(climb: Climb) -> Found | str:
    """Sentry's precedence: the last rule that matches any in-app frame; its nearest such frame."""
    best: tuple[int, Seen, Rule] | None = None
    ranks = climb.ruleset.ranks
    for seen in climb.frames():
        if not seen.in_app:
            climb.walked(seen, "not_in_app")
            continue
        rules = climb.matching(seen)
        if not rules:
            climb.walked(seen, "no_rule")
            continue
        climb.walked(seen, "unowned" if rules[0].unowned else "owned", rules)
        rank = ranks[id(rules[0].within or rules[0])]
        if best is None or rank > best[0]:
            best = rank, seen, rules[0]
    if best is None:
        return "no rule matches any in-app frame"
    _, seen, rule = best
    if rule.unowned:
        climb.unowned = rule
        return f"{seen.ref.path} is unowned on purpose ({rule.origin})"
    return Found(rule.owners, rule, seen.ref)


def _transparent(climb: Climb) -> Found | str:
    return climb.remembered or "no shared code was passed"


def _third_party(climb: Climb) -> Found | str:
    if climb.unowned:
        return f"the walk ended at {climb.unowned.origin}"
    found = _walk(climb, in_app=False)
    return found if isinstance(found, Found) else climb.remembered or found


def _fallback(climb: Climb) -> Found | str:
    return _last(climb.ruleset.fallbacks, climb.event, "fallback")


def _default(climb: Climb) -> Found | str:
    default = climb.ruleset.default
    return Found(default.owners, default) if default else "the rules file names no default"


def _last(rules: Iterable[Rule], event: Event, noun: str) -> Found | str:
    found = [rule for rule in rules if rule.holds_for_event(event)]
    return Found(found[-1].owners, found[-1]) if found else f"no {noun} matches the event"


_LADDER: tuple[tuple[Step, Callable[[Climb], Found | str]], ...] = (
    ("explicit", _explicit),
    ("override", _override),
    ("frame", _frame),
    ("transparent", _transparent),
    ("third_party", _third_party),
    ("fallback", _fallback),
    ("default", _default),
)
