"""What one walk up the ladder has seen so far: the frames in the order walked, and the trail."""

from collections.abc import Iterator, Sequence

import msgspec

from matchers.chain import walked_exceptions
from matchers.event import SOURCE_MAP_BROKEN, Event, Frame
from matchers.ownership import FrameRef, Ownership, Passed, Step, Verdict, Walked, Warned
from matchers.paths import AMBIGUOUS_PATH, PATH_TOO_LONG, flags_are_believed
from matchers.ruleset import Rule, Ruleset, always

_WARNED = {
    PATH_TOO_LONG: "a frame's path is too long to be matched",
    AMBIGUOUS_PATH: "several files of the repository fit a frame's path; it stands as it was sent",
    SOURCE_MAP_BROKEN: "a source map of this release cannot be read; its frames stand as sent",
}


class Found(msgspec.Struct, frozen=True):
    owners: tuple[str, ...] = ()
    rule: Rule | None = None
    frame: FrameRef | None = None


class Seen(msgspec.Struct, frozen=True):
    """A frame of the event, placed."""

    ref: FrameRef
    frame: Frame
    in_app: bool


class Climb:
    """Of one event, under one ruleset. Frames are placed as the walk comes to them."""

    def __init__(self, event: Event, ruleset: Ruleset) -> None:
        self.event = event
        self.ruleset = ruleset
        self.steps: list[Passed] = []
        self.warnings: dict[str, Warned] = {}
        self.trail: dict[tuple[int, int], Walked] = {}
        self.remembered: Found | None = None  # the first transparent owner
        self.unowned: Rule | None = None  # the rule that ended the walk on purpose
        self._holds: dict[int, bool] = {}  # of a rule's event conditions, by its identity
        self._seen: list[Seen] = []
        self._unseen = self._frames()
        for code in event.warnings:
            self.warn(code, _WARNED.get(code, code))
        if event.truncated:
            self.warn("truncated", f"too large: cut were {', '.join(event.truncated)}")

    def frames(self) -> Iterator[Seen]:
        """Frames from the raise outwards, exception by exception; each is placed once."""
        yield from self._seen
        for seen in self._unseen:
            self._seen.append(seen)
            yield seen

    def _frames(self) -> Iterator[Seen]:
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
                yield Seen(ref, frame, placed.in_app)

    def warn(self, code: str, message: str) -> None:
        self.warnings.setdefault(code, Warned(code, message))

    def matching(self, seen: Seen) -> list[Rule]:
        """Every rule that matches the frame, the winner first."""
        candidates = self.ruleset.candidates(seen.frame, seen.ref.path)
        return [
            rule
            for rule in candidates
            if (rule.holds_for_event is always or self.holds(rule))
            and (seen.in_app or rule.looks_at_frames)
        ]

    def holds(self, rule: Rule) -> bool:
        known = self._holds.get(id(rule))
        if known is None:
            known = self._holds[id(rule)] = rule.holds_for_event(self.event)
        return known

    def walked(self, seen: Seen, verdict: Verdict, rules: Sequence[Rule] = ()) -> None:
        winner = rules[0] if rules else None
        self.trail[seen.ref.at] = Walked(seen.ref, verdict, winner, tuple(rules[1:]))

    def decided(self, step: Step, found: Found) -> Ownership:
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
