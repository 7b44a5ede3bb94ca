"""Teams and their receivers: which channels are told, given how bad, where, why and when."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from matchers.errors import Origin
from matchers.event import Level
from matchers.kinds.base import LISTED, Text, Texts
from routers.notification import Reason, Severity
from routers.policy import any_of
from routers.times import NamedIntervals

Intervals = Mapping[str, NamedIntervals]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class When(_Strict):
    """Everything named must fit; lists mean any of them."""

    severity: Annotated[list[Severity], Field(min_length=1), LISTED] | None = None
    environment: Texts | None = None
    reason: Annotated[list[Reason], Field(min_length=1), LISTED] | None = None
    level: Annotated[list[Level], Field(min_length=1), LISTED] | None = None
    project: Texts | None = None  # its slug, or its number
    feature: Texts | None = None
    active_time_intervals: Texts | None = None  # names of the policy's: only while one holds
    mute_time_intervals: Texts | None = None  # not while one holds


class ReceiverEntry(_Strict):
    channel: Text
    when: When | None = None
    continue_: Annotated[bool, Field(alias="continue")] = False


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to tell, as far as a receiver may ask."""

    severity: Severity
    environment: str
    reason: Reason
    level: Level
    project: str
    project_slug: str | None
    feature: str | None
    now: datetime


class Receiver(msgspec.Struct, frozen=True):
    """Where a team is told, and when this one is asked."""

    channel: str
    fits: Callable[[Situation], bool]  # but for the time
    goes_on: bool = False  # `continue: true`: the next one that fits is told too
    is_awake: Callable[[datetime], bool] = lambda _now: True


class Team(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    name: str
    aliases: tuple[str, ...] = ()
    receivers: tuple[Receiver, ...] | None = None  # None: it names none, the fallback is told
    mode: Literal["notify", "observe"] | None = None  # None: the policy's
    runbook: str = ""  # a URL, for what no feature's says better
    origin: Origin


class Choice(msgspec.Struct, frozen=True):
    channels: tuple[str, ...]
    muted: bool = False  # nobody is told, but only because of the time
    spare: tuple[str, ...] = ()  # fit and are awake too, behind the one at which the asking ended


def receiver(entry: ReceiverEntry, intervals: Intervals) -> Receiver:
    """intervals: by name; those that `when` names are among them."""
    when = entry.when or When()
    return Receiver(entry.channel, _fits(when), entry.continue_, _awake(when, intervals))


def choose(receivers: Iterable[Receiver], situation: Situation) -> Choice:
    """The first that fits and is awake, and on from it while `continue` says so."""
    chosen: dict[str, None] = {}
    spare: dict[str, None] = {}
    asleep = ended = False
    for candidate in receivers:
        if not candidate.fits(situation):
            continue
        if not candidate.is_awake(situation.now):
            asleep = True
            continue
        (spare if ended else chosen)[candidate.channel] = None
        ended = ended or not candidate.goes_on
    left = tuple(name for name in spare if name not in chosen)
    return Choice(tuple(chosen), muted=asleep and not chosen, spare=left)


def _fits(when: When) -> Callable[[Situation], bool]:
    environments, features = any_of(when.environment), any_of(when.feature)
    projects = any_of(when.project)

    def fits(one: Situation) -> bool:
        return (
            (when.severity is None or one.severity in when.severity)
            and (when.reason is None or one.reason in when.reason)
            and (when.level is None or one.level in when.level)
            and environments(one.environment)
            and features(one.feature)
            and (projects(one.project_slug) or projects(one.project))
        )

    return fits


def _awake(when: When, intervals: Intervals) -> Callable[[datetime], bool]:
    active = [intervals[name] for name in when.active_time_intervals or ()]
    mute = [intervals[name] for name in when.mute_time_intervals or ()]

    def awake(now: datetime) -> bool:
        is_active = not active or any(one.hold(now) for one in active)
        return is_active and not any(one.hold(now) for one in mute)

    return awake
