"""`policy:` of the rules file: when a team is told, and how badly."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from matchers.event import Event, Level
from matchers.globs import compile_glob
from matchers.kinds.base import LISTED, Text, Texts
from matchers.ownership import Ownership
from routers.durations import Duration
from routers.notification import Severity
from routers.times import NamedIntervals, Weekly
from routers.urls import SentryUrl, SourceUrl

LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error", "fatal")  # the mildest first
STORM_MAX = timedelta(hours=1)
QUIET_MIN, QUIET_MAX = timedelta(minutes=1), timedelta(days=30)
_LEVELS: dict[str, Severity] = {
    "fatal": "critical",
    "error": "error",
    "warning": "warning",
    "info": "info",
    "debug": "info",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SeverityWhen(_Strict):
    """Everything named must fit; lists mean any of them."""

    level: Annotated[list[Level], Field(min_length=1), LISTED] | None = None
    criticality: Texts | None = None
    environment: Texts | None = None
    handled: bool | None = None  # whether the application caught it; not said: fits neither


def _alone(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Whens = Annotated[list[SeverityWhen], Field(min_length=1), BeforeValidator(_alone)]


class SeverityTable(_Strict):
    """From the worst on, the first that fits. What fits none is as it is without a table."""

    critical: Whens | None = None
    error: Whens | None = None
    warning: Whens | None = None
    info: Whens | None = None


def _rising(thresholds: list[int]) -> list[int]:
    if any(threshold < 2 for threshold in thresholds):
        raise ValueError("a threshold is 2 at the least: the first time is first_seen")
    return sorted(set(thresholds))


class Notify(_Strict):
    """Which reasons are told."""

    first_seen: bool = True
    regression: bool = True
    owner_changed: bool = True
    # times seen, by one audience; each is told once
    escalation: Annotated[list[int], AfterValidator(_rising)] = []
    repeat_interval: Duration = timedelta(hours=24)  # zero: never again
    level: Level = "debug"  # the mildest that is told


class StormPolicy(_Strict):
    """When many new groups with one thing in common are told as one: routers/storm.py."""

    groups: Annotated[int, Field(ge=2, le=1000)] = 20  # so many
    within: Annotated[Duration, Field(le=STORM_MAX)] = timedelta(minutes=1)  # zero: never


def _number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _bearable(after: timedelta) -> timedelta:
    if not QUIET_MIN <= after <= QUIET_MAX:
        raise ValueError("expected a duration from 1m to 30d")
    return after


class QuietSource(_Strict):
    """Who is told when a project that used to send sends nothing: routers/quiet.py."""

    project: Annotated[
        Text, BeforeValidator(_number), WithJsonSchema({"type": ["string", "integer"]})
    ]  # its number or slug
    environment: Text | None = None  # None: any
    after: Annotated[Duration, AfterValidator(_bearable)]
    team: Text  # slug or alias
    severity: Severity = "warning"


class Policy(_Strict):
    mode: Literal["notify", "observe"] = "notify"  # observe: decide, store, show, send nothing
    notify: Notify = Notify()
    severity: SeverityTable = SeverityTable()
    mute_time_intervals: list[NamedIntervals] = []
    source_url: SourceUrl | None = None  # where a line of the source is shown, at its release
    sentry_url: SentryUrl | None = None  # where Sentry shows an event
    digest: Weekly | None = None  # when each team is told of its week; None: never
    storm: StormPolicy = StormPolicy()
    source_went_quiet: list[QuietSource] = []
    # told of what its own receiver cannot be told: the channel is gone, refused, unconfigured,
    # or the team names no receivers at all
    fallback_receivers: Annotated[list[str], Field()] = ["log"]


class Grading(msgspec.Struct, frozen=True):
    """How bad an event is: the policy's table, compiled."""

    table: tuple[tuple[Severity, Callable[[Event, str | None], bool]], ...] = ()

    def __call__(self, event: Event, ownership: Ownership) -> Severity:
        criticality = ownership.rule.criticality if ownership.rule else None
        for severity, fits in self.table:
            if fits(event, criticality):
                return severity
        return _by_level(event, criticality)


def grading(table: SeverityTable) -> Grading:
    def entries() -> Iterator[tuple[Severity, Callable[[Event, str | None], bool]]]:
        for severity in get_args(Severity):
            for when in getattr(table, severity) or ():
                yield severity, _fits(when)

    return Grading(tuple(entries()))


def is_below(level: Level, least: Level) -> bool:
    return LEVELS.index(level) < LEVELS.index(least)


def _by_level(event: Event, criticality: str | None) -> Severity:
    """An error in production code of high criticality is critical."""
    by_level = _LEVELS[event.level]
    if by_level == "error" and criticality in ("high", "critical"):
        return "critical" if event.environment == "production" else "error"
    return by_level


def _fits(when: SeverityWhen) -> Callable[[Event, str | None], bool]:
    environments = any_of(when.environment)
    criticalities = any_of(when.criticality)

    def fits(event: Event, criticality: str | None) -> bool:
        return (
            (when.level is None or event.level in when.level)
            and environments(event.environment)
            and criticalities(criticality)
            and (when.handled is None or _handled(event) is when.handled)
        )

    return fits


def any_of(globs: list[str] | None) -> Callable[[Any], bool]:
    """Whether a text fits any of the globs; without globs everything does, even None."""
    if globs is None:
        return lambda _text: True
    compiled = [compile_glob(glob) for glob in globs]
    return lambda text: text is not None and any(glob(text) for glob in compiled)


def _handled(event: Event) -> bool | None:
    return event.exceptions[-1].handled if event.exceptions else None
