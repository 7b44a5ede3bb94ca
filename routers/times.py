"""When it is night, a weekend, a holiday: time intervals in Alertmanager's form.

Spec: https://prometheus.io/docs/alerting/latest/configuration/#time_interval-0
Everything named of an interval must fit, each by any of its ranges, on the clocks of its location
(UTC where none is named), so that an hour is the same hour on both sides of a change of the clocks.
Cases: tests/routers/test_times.py.
"""

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
_MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
Bounds = tuple[int, int]  # both are inside

_RANGES = {"type": "array", "items": {"type": ["string", "integer"]}}


def _bounds(text: object, names: list[str], first: int) -> Bounds:
    """`monday:friday`, `1:5`, `january`; `first` is the number of the first name."""
    if not isinstance(text, str | int) or isinstance(text, bool):
        raise ValueError("expected a range like `1:5`")
    begins, colon, ends = str(text).lower().partition(":")
    bounds = _number(begins, names, first), _number(ends if colon else begins, names, first)
    if bounds[0] > bounds[1] and (bounds[0] > 0) == (bounds[1] > 0):
        raise ValueError(f'"{text}" ends before it begins')
    return bounds


def _number(text: str, names: list[str], first: int) -> int:
    text = text.strip()
    if text in names:
        return names.index(text) + first
    if re.fullmatch("-?[0-9]{1,4}", text):
        return int(text)
    known = f"; the names are {', '.join(names)}" if names else ""
    raise ValueError(f'"{text[:40]}" is no bound of a range{known}')


def _within(low: int, high: int, *, also_negative: bool = False) -> AfterValidator:
    def check(ranges: list[Bounds]) -> list[Bounds]:
        for bound in (bound for bounds in ranges for bound in bounds):
            known = abs(bound) if also_negative else bound
            if not low <= known <= high:
                raise ValueError(f"{bound} is not between {low} and {high}")
        return ranges

    return AfterValidator(check)


def _ranges(names: list[str], first: int = 0) -> BeforeValidator:
    def read(value: object) -> object:
        return [_bounds(one, names, first) for one in value] if isinstance(value, list) else value

    return BeforeValidator(read)


def _minutes(text: object) -> int:
    found = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else 24 * 60 + 1
    if minutes > 24 * 60:
        raise ValueError("a time is 00:00 to 24:00; quote it")
    return minutes


def _day(name: object) -> str:
    if str(name).lower() not in _DAYS:
        raise ValueError(f'"{name}" is no weekday; the names are {", ".join(_DAYS)}')
    return str(name).lower()


def _of_a_day(minutes: int) -> int:
    if minutes == 24 * 60:
        raise ValueError("24:00 is the next day's 00:00")
    return minutes


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(name if isinstance(name, str) else "")
    except (OSError, ValueError, LookupError):
        raise ValueError(f'"{name}" is no time zone like `Europe/Berlin`') from None


_TIME = {"type": "string", "pattern": _CLOCK.pattern}
Time = Annotated[int, BeforeValidator(_minutes), WithJsonSchema(_TIME)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone), WithJsonSchema({"type": "string"})] | None
Listed = Annotated[list[Bounds], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True
    )


class TimeRange(_Strict):
    """From `start_time` on, up to `end_time` and without it."""

    start_time: Time
    end_time: Time


class TimeInterval(_Strict):
    times: Annotated[list[TimeRange], Field(min_length=1)] | None = None
    weekdays: Annotated[Listed, _within(0, 6), _ranges(_DAYS), WithJsonSchema(_RANGES)] | None = (
        None
    )
    # negative ones count from the month's end: -1 is its last day
    days_of_month: (
        Annotated[Listed, _within(1, 31, also_negative=True), _ranges([]), WithJsonSchema(_RANGES)]
        | None
    ) = None
    months: (
        Annotated[Listed, _within(1, 12), _ranges(_MONTHS, 1), WithJsonSchema(_RANGES)] | None
    ) = None
    years: Annotated[Listed, _within(1970, 9999), _ranges([]), WithJsonSchema(_RANGES)] | None = (
        None
    )
    location: Zone = None

    def holds(self, at: datetime) -> bool:
        """at: aware."""
        here = at.astimezone(self.location or ZoneInfo("UTC"))
        clock = here.hour * 60 + here.minute
        last = calendar.monthrange(here.year, here.month)[1]
        days = [tuple(_of_month(day, last) for day in days) for days in self.days_of_month or ()]
        return (
            (not self.times or any(t.start_time <= clock < t.end_time for t in self.times))
            and _fits(self.weekdays, here.isoweekday() % 7)
            and (not days or any(begins <= here.day <= ends for begins, ends in days))
            and _fits(self.months, here.month)
            and _fits(self.years, here.year)
        )


class Weekly(_Strict):
    """A moment of every week, once: also in the weeks in which the clocks change."""

    weekday: Annotated[str, BeforeValidator(_day), WithJsonSchema({"enum": _DAYS})]
    time: Annotated[Time, AfterValidator(_of_a_day)]
    location: Zone = None

    def last(self, now: datetime) -> datetime:
        """The newest such moment that is not after now, in UTC."""
        here = now.astimezone(self.location or ZoneInfo("UTC"))
        back = (here.isoweekday() - _DAYS.index(self.weekday)) % 7
        at = self._on(here.date() - timedelta(days=back))
        return at if at <= now else self.before(at)

    def before(self, at: datetime) -> datetime:
        """A week earlier."""
        return self._on(self._date(at) - timedelta(days=7))

    def week(self, at: datetime) -> str:
        """Its name, `2026-W48`: no two moments of a week have two, wherever in it they are."""
        year, week, _ = self._date(at).isocalendar()
        return f"{year}-W{week:02}"

    def _date(self, at: datetime) -> date:
        return at.astimezone(self.location or ZoneInfo("UTC")).date()

    def _on(self, day: date) -> datetime:
        """A time that the clocks skip is as much later; of one that comes twice it is the first."""
        clock = time(self.time // 60, self.time % 60)
        return datetime.combine(day, clock, self.location or ZoneInfo("UTC")).astimezone(UTC)


class NamedIntervals(_Strict):
    """One name for intervals of which any may hold."""

    name: Annotated[str, Field(min_length=1)]
    time_intervals: Annotated[list[TimeInterval], Field(min_length=1)]

    def hold(self, at: datetime) -> bool:
        return any(interval.holds(at) for interval in self.time_intervals)


def _of_month(day: int, last: int) -> int:
    return day if day > 0 else last + 1 + day


def _fits(ranges: list[Bounds] | None, value: int) -> bool:
    return not ranges or any(begins <= value <= ends for begins, ends in ranges)
