"""match(event, ruleset): the ladder. Total: it always answers, and always with its trail.

The frame nearest the raise decides; for one frame the last rule that matches wins, as in
CODEOWNERS. Cases: conformance/events.yaml.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from matchers.event import Event, ExceptionValue
from matchers.kinds.base import Sight
from matchers.ownership import FrameRef, Ownership, Passed, Step, Verdict, Walked, Warned
from matchers.paths import flags_are_believed, is_in_app, repository_path
from matchers.ruleset import ExceptionOrder, Rule, Ruleset


def match(event: Event, ruleset: Ruleset) -> Ownership:
    """Who owns the event. Asks the steps of the ladder in order; the first answer is the answer."""
    climb = _Climb(event, ruleset)
    for step, ask in _LADDER:
        found = ask(climb)
        if isinstance(found, _Found):
            return climb.decided(step, found)
        climb.steps.append(Passed(step, found))
    return climb.decided("unowned", _Found())


def walked_exceptions(
    exceptions: Sequence[ExceptionValue], order: ExceptionOrder = "root_cause_first"
) -> list[int]:
    """The indices of a chain in the order it is walked.

    The chain is cut behind each exception that was only being handled when the next was thrown;
    the piece with the thrown one comes first, and within a piece the root cause.
    """
    if order == "thrown_first":
        return list(reversed(range(len(exceptions))))
    pieces: list[list[int]] = [[]]
    for index, error in enumerate(exceptions):
        pieces[-1].append(index)
        if error.source == "__context__":
            pieces.append([])
    return [index for piece in reversed(pieces) for index in piece]


class _Found(msgspec.Struct, frozen=True):
    owners: tuple[str, ...] = ()
    rule: Rule | None = None
    frame: FrameRef | None = None


class _Seen(msgspec.Struct, frozen=True):
    """A frame of the event, placed."""

    ref: FrameRef
    sight: Sight
    in_app: bool


class _Climb:
    """What one walk up the ladder has seen so far."""

    def __init__(self, event: Event, ruleset: Ruleset) -> None:
        self.event = event
        self.ruleset = ruleset
        self.steps: list[Passed] = []
        self.warnings: dict[str, Warned] = {}
        self.trail: dict[tuple[int, int], Walked] = {}
        self.remembered: _Found | None = None  # the first transparent owner
        self.unowned: Rule | None = None  # the rule that ended the walk on purpose
        self.candidates = [rule for rule in ruleset.rules if rule.holds_for_event(event)]
        self.seen = list(self._frames())

    def _frames(self) -> Iterator[_Seen]:
        """Frames from the raise outwards, exception by exception."""
        event, roots = self.event, self.ruleset.roots_of(self.event.project)
        believe = flags_are_believed(event)
        for index in walked_exceptions(event.exceptions, self.ruleset.exceptions):
            error = event.exceptions[index]
            for place in reversed(range(len(error.frames))):
                frame = error.frames[place]
                found = repository_path(frame, event.platform, roots)
                if found.warning:
                    self.warn(found.warning, "a frame's path is too long to be matched")
                ref = FrameRef(found.path, frame.function, frame.lineno, error.type, (index, place))
                yield _Seen(ref, Sight(frame, found.path), is_in_app(frame, believe=believe))

    def warn(self, code: str, message: str) -> None:
        self.warnings.setdefault(code, Warned(code, message))

    def matching(self, seen: _Seen) -> list[Rule]:
        """Every rule that matches the frame, the winner first."""
        return [rule for rule in reversed(self.candidates) if rule.holds_for_frame(seen.sight)]

    def walked(self, seen: _Seen, verdict: Verdict, rules: Sequence[Rule] = ()) -> None:
        winner = rules[0] if rules else None
        self.trail.pop(seen.ref.at, None)  # a third-party frame walked again stands where it is now
        self.trail[seen.ref.at] = Walked(seen.ref, verdict, winner, tuple(rules[1:]))

    def decided(self, step: Step, found: _Found) -> Ownership:
        return Ownership(
            owners=found.owners,
            step=step,
            rule=found.rule,
            frame=found.frame,
            trail=tuple(self.trail.values()),
            steps=tuple(self.steps),
            warnings=tuple(self.warnings.values()),
            revision=self.ruleset.revision,
        )


def _explicit(climb: _Climb) -> _Found | str:
    named = [tag for tag in climb.ruleset.explicit_owner_tags if tag in climb.event.tags]
    for tag in named:
        value = climb.event.tags[tag]
        if slug := climb.ruleset.names.get(value):
            return _Found((slug,))
        climb.warn("unknown_explicit_owner", f'tag {tag} names "{value[:80]}", which is no team')
    if named:
        return "the event's owner tag names no known team"
    return f"the event has no tag {' or '.join(climb.ruleset.explicit_owner_tags)}"


def _override(climb: _Climb) -> _Found | str:
    return _last(climb.ruleset.overrides, climb.event, "override")


def _frame(climb: _Climb) -> _Found | str:
    if climb.ruleset.strategy == "sentry":
        return _any_frame(climb)
    return _walk(climb, [seen for seen in climb.seen if seen.in_app], remember=True)


def _walk(climb: _Climb, frames: Sequence[_Seen], *, remember: bool) -> _Found | str:
    """From the raise outwards: the first frame whose winning rule is neither shared nor unowned."""
    wanted = {seen.ref.at for seen in frames}
    for seen in climb.seen:
        if seen.ref.at not in wanted:
            if remember:
                climb.walked(seen, "not_in_app")
            continue
        rules = climb.matching(seen)
        if not rules:
            climb.walked(seen, "no_rule")
        elif rules[0].unowned:
            climb.walked(seen, "unowned", rules)
            climb.unowned, climb.remembered = rules[0], None
            return f"{seen.ref.path} is unowned on purpose ({rules[0].origin})"
        elif rules[0].transparent:
            climb.walked(seen, "transparent", rules)
            climb.remembered = climb.remembered or _Found(rules[0].owners, rules[0], seen.ref)
        else:
            climb.walked(seen, "owned", rules)
            return _Found(rules[0].owners, rules[0], seen.ref)
    if not frames:
        return "the event has no such frame"
    return "shared code only" if climb.remembered else "no rule matches any of these frames"


def _any_frame(climb: _Climb) -> _Found | str:
    """Sentry's precedence: the last rule that matches any in-app frame; its nearest such frame."""
    best: tuple[int, _Seen, Rule] | None = None
    place = {id(rule): index for index, rule in enumerate(climb.candidates)}
    for seen in climb.seen:
        if not seen.in_app:
            climb.walked(seen, "not_in_app")
            continue
        rules = climb.matching(seen)
        climb.walked(seen, "owned" if rules else "no_rule", rules)
        if rules and (best is None or place[id(rules[0])] > best[0]):
            best = place[id(rules[0])], seen, rules[0]
    if best is None:
        return "no rule matches any in-app frame"
    _, seen, rule = best
    if rule.unowned:
        climb.unowned = rule
        return f"{seen.ref.path} is unowned on purpose ({rule.origin})"
    return _Found(rule.owners, rule, seen.ref)


def _transparent(climb: _Climb) -> _Found | str:
    return climb.remembered or "no shared code was passed"


def _third_party(climb: _Climb) -> _Found | str:
    if climb.unowned:
        return f"the walk ended at {climb.unowned.origin}"
    found = _walk(climb, [seen for seen in climb.seen if not seen.in_app], remember=False)
    return found if isinstance(found, _Found) else climb.remembered or found


def _fallback(climb: _Climb) -> _Found | str:
    return _last(climb.ruleset.fallbacks, climb.event, "fallback")


def _default(climb: _Climb) -> _Found | str:
    default = climb.ruleset.default
    return _Found(default.owners, default) if default else "the rules file names no default"


def _last(rules: Iterable[Rule], event: Event, noun: str) -> _Found | str:
    found = [rule for rule in rules if rule.holds_for_event(event)]
    return _Found(found[-1].owners, found[-1]) if found else f"no {noun} matches the event"


_LADDER: tuple[tuple[Step, Callable[[_Climb], _Found | str]], ...] = (
    ("explicit", _explicit),
    ("override", _override),
    ("frame", _frame),
    ("transparent", _transparent),
    ("third_party", _third_party),
    ("fallback", _fallback),
    ("default", _default),
)
