"""match(event, ruleset): the ladder. Total: it always answers, and always with its trail.

The frame nearest the raise decides; for one frame the last rule that matches wins, as in
CODEOWNERS. Cases: conformance/events.yaml.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from matchers.event import Event, ExceptionValue, Frame
from matchers.ownership import FrameRef, Ownership, Passed, Step, Verdict, Walked, Warned
from matchers.paths import AMBIGUOUS_PATH, PATH_TOO_LONG, flags_are_believed
from matchers.ruleset import ExceptionOrder, Rule, Ruleset, always

_WARNED = {
    PATH_TOO_LONG: "a frame's path is too long to be matched",
    AMBIGUOUS_PATH: "several files of the repository fit a frame's path; it stands as it was sent",
}


def match(event: Event, ruleset: Ruleset) -> Ownership:
    """Who owns the event. Asks the steps of the ladder in order; the first answer is the answer."""
    climb = _Climb(complete(event, ruleset), ruleset)
    for step, ask in _LADDER:
        found = ask(climb)
        if isinstance(found, _Found):
            return climb.decided(step, found)
        climb.steps.append(Passed(step, found))
    return climb.decided("unowned", _Found())


def complete(event: Event, ruleset: Ruleset) -> Event:
    """With what the rules file knows of its project: its slug, and the environment if none came."""
    project = ruleset.projects.get(event.project)
    slug = project.slug if project else None
    if event.environment is not None and event.project_slug == slug:
        return event
    environment = event.environment or (project.default_environment if project else "production")
    return msgspec.structs.replace(event, environment=environment, project_slug=slug)


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
    frame: Frame
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
        self._holds: dict[int, bool] = {}  # of a rule's event conditions, by its identity
        self._seen: list[_Seen] = []
        self._unseen = self._frames()

    def frames(self) -> Iterator[_Seen]:
        """Frames from the raise outwards, exception by exception; each is placed once."""
        yield from self._seen
        for seen in self._unseen:
            self._seen.append(seen)
            yield seen

    def _frames(self) -> Iterator[_Seen]:
        event, ruleset = self.event, self.ruleset
        believe = flags_are_believed(event)
        for index in walked_exceptions(event.exceptions, ruleset.exceptions):
            error = event.exceptions[index]
            for place in range(len(error.frames) - 1, -1, -1):
                frame = error.frames[place]
                placed = ruleset.place(frame, event.platform, event.project, believe=believe)
                if placed.warning:
                    self.warn(placed.warning, _WARNED[placed.warning])
                at = (index, place)
                ref = FrameRef(placed.path, frame.function, frame.lineno, error.type, at, placed.by)
                yield _Seen(ref, frame, placed.in_app)

    def warn(self, code: str, message: str) -> None:
        self.warnings.setdefault(code, Warned(code, message))

    def matching(self, seen: _Seen) -> list[Rule]:
        """Every rule that matches the frame, the winner first."""
        candidates = self.ruleset.candidates(seen.frame, seen.ref.path)
        return [rule for rule in candidates if rule.holds_for_event is always or self.holds(rule)]

    def holds(self, rule: Rule) -> bool:
        known = self._holds.get(id(rule))
        if known is None:
            known = self._holds[id(rule)] = rule.holds_for_event(self.event)
        return known

    def walked(self, seen: _Seen, verdict: Verdict, rules: Sequence[Rule] = ()) -> None:
        winner = rules[0] if rules else None
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
    return _walk(climb, in_app=True)


def _walk(climb: _Climb, *, in_app: bool) -> _Found | str:
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
            climb.remembered = climb.remembered or _Found(rules[0].owners, rules[0], seen.ref)
        else:
            climb.walked(seen, "owned", rules)
            return _Found(rules[0].owners, rules[0], seen.ref)
    if not any_frame:
        return "the event has no such frame"
    return "shared code only" if climb.remembered else "no rule matches any of these frames"


def _any_frame(climb: _Climb) -> _Found | str:
    """Sentry's precedence: the last rule that matches any in-app frame; its nearest such frame."""
    best: tuple[int, _Seen, Rule] | None = None
    order = {id(rule): number for number, rule in enumerate(climb.ruleset.rules)}
    for seen in climb.frames():
        if not seen.in_app:
            climb.walked(seen, "not_in_app")
            continue
        rules = climb.matching(seen)
        climb.walked(seen, "owned" if rules else "no_rule", rules)
        if rules and (best is None or order[id(rules[0])] > best[0]):
            best = order[id(rules[0])], seen, rules[0]
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
    found = _walk(climb, in_app=False)
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
