"""A storm: many new groups of one team within a short time that have one thing in common.

The most telling of what they may share is named: the frame that raised, the dependency that it is
part of, the release. Each of these is counted by itself, for each receiver, team and environment.
"""

import re
from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

from matchers.event import Event
from matchers.ownership import FrameRef, Ownership
from routers.notification import Cause, Notification
from routers.policy import StormPolicy

GATHER = timedelta(seconds=5)  # from a storm's detection to its first message
GATHER_MAX = timedelta(minutes=30)
COUNTED = 10_000  # causes at a time; each has `groups` entries at most
VALUE_LIMIT = 300  # characters
_JVM = ("java", "kotlin", "scala", "android")  # where a module begins with a domain turned round
_PACKAGE = re.compile(
    r"(?:site-packages|dist-packages|node_modules|gems|vendor/bundle)/(@[^/]+/[^/]+|[^/]+)"
    r"|/pkg/mod/([^@]+)@"
)

Place = tuple[str, str, str]  # receiver, team, environment; "": none


class Seen(NamedTuple):
    at: datetime
    delivery: str
    group: str
    causes: tuple[Cause, ...]  # that it is counted by


class Watch:
    """What was queued lately, by place and cause."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Place, Cause], deque[Seen]] = {}

    def see(
        self, told: Notification, delivery: str, now: datetime, policy: StormPolicy
    ) -> tuple[Cause, list[Seen]] | None:
        """The storm that breaks with it: of what, and who is in it so far, the first first."""
        seen = Seen(now, delivery, told.group, causes(told))
        return self.sight(place(told), seen, policy.groups, policy.within)

    def sight(
        self, here: Place, new: Seen, groups: int, within: timedelta
    ) -> tuple[Cause, list[Seen]] | None:
        """As of `see`, by what of the policy was in force then."""
        since = new.at - within
        self._make_room(since)
        for cause in new.causes:
            seen = self._seen.setdefault((here, cause), deque())
            while seen and seen[0].at < since:
                seen.popleft()
            seen.append(new)
        for cause in new.causes:
            if len(self._seen[here, cause]) >= groups:
                broken = list(self._seen[here, cause])
                self._forget(here, broken)
                return cause, broken
        return None

    def _forget(self, here: Place, broken: list[Seen]) -> None:
        """They are told by one storm: another that took them would lose what its message tells."""
        for one in broken:
            for cause in one.causes:
                seen = self._seen.get((here, cause))
                if seen and one in seen:
                    seen.remove(one)
                if not seen:
                    self._seen.pop((here, cause), None)

    def _make_room(self, since: datetime) -> None:
        if len(self._seen) >= COUNTED:
            late = {key: seen for key, seen in self._seen.items() if seen[-1].at >= since}
            self._seen = late if len(late) < COUNTED // 2 else {}


def place(told: Notification) -> Place:
    return told.receiver, told.team or "", told.environment or ""


def causes(told: Notification) -> tuple[Cause, ...]:
    """What it may share with others, the most telling first."""
    known = (
        Cause("frame", told.raised_in),
        Cause("dependency", told.dependency),
        Cause("release", told.release or ""),
    )
    return tuple(cause for cause in known if cause.value)


def gathering(since: datetime, now: datetime, policy: StormPolicy) -> timedelta:
    """How long a message gathers before it is sent. since: when the storm began.

    Each gathers about as long as the storm lasts already, so that a long one is told ever rarer.
    """
    return min(max(policy.within, now - since), GATHER_MAX)


def raised_in(event: Event, ownership: Ownership) -> str:
    """The frame that raised, without its line; "": not known."""
    if not ownership.trail:
        return ""
    ref = ownership.trail[0].frame
    path = ref.path or _raw(event, ref)
    return (f"{path} in {ref.function}" if path and ref.function else path)[:VALUE_LIMIT]


def dependency(event: Event, ownership: Ownership) -> str:
    """The package of third-party code that raised, or that decided; "": none."""
    ref = _third_party(ownership)
    if ref is None:
        return ""
    path = _raw(event, ref)
    if found := _PACKAGE.findall(f"/{path}"):
        package, module = found[-1]
        return (re.sub(r"-\d.*$", "", package) or module)[:VALUE_LIMIT]
    exception, index = ref.at
    named = event.exceptions[exception].frames[index].module or path
    parts = re.split(r"[./:\\]+", named.strip("/"))
    return ".".join(parts[: 2 if event.platform in _JVM else 1])[:VALUE_LIMIT]


def _raw(event: Event, ref: FrameRef) -> str:
    """The frame's path as it was sent."""
    exception, index = ref.at
    frame = event.exceptions[exception].frames[index]
    return (frame.abs_path or frame.filename or "").replace("\\", "/")


def _third_party(ownership: Ownership) -> FrameRef | None:
    if ownership.step == "third_party":
        return ownership.frame
    first = ownership.trail[0] if ownership.trail else None
    return first.frame if first and first.verdict == "not_in_app" else None
