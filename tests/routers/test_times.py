"""Time intervals as Alertmanager has them, on the clocks of their places."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from routers.times import NamedIntervals, TimeInterval, Weekly

NIGHT = {
    "times": [
        {"start_time": "22:00", "end_time": "24:00"},
        {"start_time": "00:00", "end_time": "06:00"},
    ]
}
BERLIN = {"location": "Europe/Berlin"}

CASES: list[tuple[dict[str, Any], str, bool]] = [
    ({}, "2026-11-23T12:00", True),
    (NIGHT, "2026-11-23T21:59", False),
    (NIGHT, "2026-11-23T22:00", True),
    (NIGHT, "2026-11-23T05:59", True),
    (NIGHT, "2026-11-23T06:00", False),
    ({"weekdays": ["monday:friday"]}, "2026-11-23T12:00", True),  # a Monday
    ({"weekdays": ["monday:friday"]}, "2026-11-22T12:00", False),
    ({"weekdays": ["saturday", "Sunday"]}, "2026-11-22T12:00", True),
    ({"days_of_month": ["1:5"]}, "2026-11-05T12:00", True),
    ({"days_of_month": ["1:5"]}, "2026-11-06T12:00", False),
    ({"days_of_month": ["-3:-1"]}, "2026-11-28T12:00", True),
    ({"days_of_month": ["-3:-1"]}, "2026-11-27T12:00", False),
    ({"days_of_month": ["-1"]}, "2028-02-29T12:00", True),
    ({"days_of_month": ["15:-1"]}, "2026-11-30T12:00", True),
    ({"months": ["january:march", 12]}, "2026-12-01T12:00", True),
    ({"months": ["1:3"]}, "2026-04-01T00:00", False),
    ({"years": [2026]}, "2026-01-01T00:00", True),
    ({"years": ["2020:2025"]}, "2026-01-01T00:00", False),
    ({"weekdays": ["monday"], "months": ["november"]}, "2026-11-23T12:00", True),
    ({"weekdays": ["monday"], "months": ["december"]}, "2026-11-23T12:00", False),
    # 22:00 in Berlin is 21:00 UTC in winter and 20:00 in summer
    (NIGHT | BERLIN, "2026-11-23T20:59", False),
    (NIGHT | BERLIN, "2026-11-23T21:00", True),
    (NIGHT | BERLIN, "2026-07-23T20:00", True),
    ({"weekdays": ["monday"]} | BERLIN, "2026-11-22T23:30", True),  # Sunday in UTC
]


@pytest.mark.parametrize(("interval", "at", "expected"), CASES)
def test_an_interval_holds(interval: dict[str, Any], at: str, expected: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert TimeInterval.model_validate(interval).holds(moment) == expected


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-10-24", 9), ("2026-10-23", 8), ("2026-03-28", 7)]
)
def test_a_night_is_as_long_as_the_clocks_make_it(day: str, hours: int) -> None:
    night = TimeInterval.model_validate(NIGHT | BERLIN)
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    quarters = [noon + timedelta(minutes=15 * number) for number in range(96)]
    assert sum(night.holds(at) for at in quarters) == 4 * hours


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weekdays": ["mnday"]}, "mnday"),
        ({"weekdays": ["friday:monday"]}, "ends before it begins"),
        ({"weekdays": ["9"]}, "not between 0 and 6"),
        ({"weekdays": "monday"}, "list"),
        ({"months": ["0:3"]}, "not between 1 and 12"),
        ({"days_of_month": ["32"]}, "not between 1 and 31"),
        ({"days_of_month": [True]}, "a range"),
        ({"times": [{"start_time": "9:00", "end_time": "10:00"}]}, "quote it"),
        ({"times": [{"start_time": 540, "end_time": "10:00"}]}, "quote it"),
        ({"times": [{"start_time": "09:00", "end_time": "24:30"}]}, "24:00"),
        ({"location": "Berlin/Europe"}, "no time zone"),
        ({"location": "../../etc/passwd"}, "no time zone"),
        ({"wekdays": []}, "Extra inputs"),
    ],
)
def test_a_mistake_is_said(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TimeInterval.model_validate(wrong)


def test_any_of_a_names_intervals_may_hold() -> None:
    weekend = [{"weekdays": ["saturday"]}, {"weekdays": ["sunday"]}]
    named = NamedIntervals.model_validate({"name": "weekend", "time_intervals": weekend})
    assert named.hold(datetime(2026, 11, 22, tzinfo=UTC))
    assert not named.hold(datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("weekly", "first_days", "moments"),
    [
        # Berlin's clocks change on 2026-03-29 and 2026-10-25, both Sundays, at 01:00 UTC
        ("monday 09:00", "2026-03-22", ["03-23T08:00", "03-30T07:00", "04-06T07:00"]),
        ("monday 09:00", "2026-10-18", ["10-19T07:00", "10-26T08:00", "11-02T08:00"]),
        ("sunday 02:30", "2026-03-21", ["03-22T01:30", "03-29T01:30", "04-05T00:30"]),
        ("sunday 02:30", "2026-10-17", ["10-18T00:30", "10-25T00:30", "11-01T01:30"]),
        ("Sunday 00:00", "2026-12-26", ["12-26T23:00", "01-02T23:00", "01-09T23:00"]),
    ],
)
def test_a_moment_of_the_week_comes_once_a_week(
    weekly: str, first_days: str, moments: list[str]
) -> None:
    """Asked every ten minutes for three weeks."""
    weekday, _, clock = weekly.partition(" ")
    schedule = Weekly.model_validate({"weekday": weekday, "time": clock, **BERLIN})
    start = datetime.fromisoformat(f"{first_days}T12:00").replace(tzinfo=UTC)
    asked = [start + timedelta(minutes=10 * number) for number in range(21 * 144)]
    found = dict.fromkeys(schedule.last(now) for now in asked)
    assert [f"{at:%m-%dT%H:%M}" for at in found if at > start] == moments
    assert [schedule.before(at) for at in list(found)[1:]] == list(found)[:-1]
    assert len({schedule.week(at) for at in found}) == len(found)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weekday": "mnday", "time": "09:00"}, "the names are sunday, monday"),
        ({"weekday": "monday", "time": "24:00"}, "the next day's 00:00"),
        ({"weekday": "monday", "time": "9"}, "quote it"),
        ({"weekday": "monday"}, "time"),
        ({"weekday": ["monday"], "time": "09:00"}, "no weekday"),
    ],
)
def test_a_mistake_in_a_moment_is_said(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Weekly.model_validate(wrong)
