"""Days of policy in milliseconds: what a team hears, in order, and nothing that it should not.

Each story runs on a clock that is moved by hand, through the doors, the outbox and the channels.
Cases one by one: tests/routers/test_policy.py, test_route.py; tests/service/test_silences.py.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.service.days import DAY, HOUR, MINUTE, TEAMS, Days, the_days

NIGHT = """
policy:
  notify: {repeat_interval: 0s}
  mute_time_intervals:
    - name: night
      time_intervals:
        - {times: [{start_time: "22:00", end_time: "24:00"}], location: Europe/Berlin}
        - {times: [{start_time: "00:00", end_time: "06:00"}], location: Europe/Berlin}
"""
AT_DAY = TEAMS.replace(
    "{channel: payments-hook}", "{channel: payments-hook, when: {mute_time_intervals: night}}"
)


def outcomes(days: Days) -> dict[str, int]:
    found: dict[str, int] = days.client.get("/api/v1/accounting").json()["outcomes"]
    return found


def silence(days: Days, how_long: timedelta, team: str = "payments") -> str:
    ends_at = days.clock.now + how_long
    made = {
        "matchers": [{"name": "team", "value": team, "isRegex": False}],
        "endsAt": ends_at.isoformat(),
        "createdBy": "ada",
        "comment": "the bank is down",
    }
    return str(days.post("/api/v1/silences", made)["silenceID"])


def spelled(number: int) -> str:
    """Names that differ in more than their digits, which are no part of a fingerprint."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def test_first_in_staging_then_in_production(tmp_path: Path) -> None:
    with the_days(tmp_path) as days:
        days.fail(environment="staging")
        assert days.heard() == ["payments: first_seen billing/tax.py staging"]
        days.pass_by(HOUR)
        days.fail(environment="staging")
        assert days.heard() == []
        days.fail(environment="production")
        assert days.heard() == ["payments: first_seen billing/tax.py production"]
        days.pass_by(HOUR)
        days.fail(environment="staging")
        days.fail(environment="production")
        assert days.heard() == []
        assert outcomes(days) == {"grouped": 3, "notified": 2}


def test_the_same_again_is_quiet_and_another_teams_is_not(tmp_path: Path) -> None:
    with the_days(tmp_path) as days:
        days.fail(times=50)
        assert days.heard() == ["payments: first_seen billing/tax.py production"]
        days.pass_by(HOUR)
        days.fail(times=50)
        days.fail("search/index.py")
        assert days.heard() == ["search: first_seen search/index.py production"]
        assert outcomes(days) == {"grouped": 99, "notified": 2}


def test_what_grows_is_told_at_each_threshold(tmp_path: Path) -> None:
    with the_days(tmp_path, "policy: {notify: {escalation: [10, 100]}}") as days:
        days.fail()
        assert days.heard() == ["payments: first_seen billing/tax.py production"]
        days.fail(times=8)
        assert days.heard() == []
        days.fail()
        assert days.heard() == ["payments: escalation billing/tax.py production"]
        days.fail(times=89)
        assert days.heard() == []
        days.fail(times=400)
        assert days.heard() == ["payments: escalation billing/tax.py production"]


def test_what_jumps_over_two_thresholds_is_told_once(tmp_path: Path) -> None:
    with the_days(tmp_path, "policy: {notify: {escalation: [10, 100]}}") as days:
        days.fail()
        silence(days, HOUR)
        days.fail(times=300)
        days.pass_by(HOUR)
        assert days.heard() == ["payments: first_seen billing/tax.py production"]
        days.fail(times=5)
        assert days.heard() == ["payments: escalation billing/tax.py production"]


def test_a_night_under_a_silence(tmp_path: Path) -> None:
    with the_days(tmp_path) as days:
        silence(days, 8 * HOUR)
        days.fail("billing/bank.py", times=3)
        days.fail("search/index.py")
        assert days.heard() == ["search: first_seen search/index.py production"]
        days.pass_by(7 * HOUR + 30 * MINUTE)
        days.fail("billing/bank.py")
        days.inside.silence_watch.look()
        assert days.heard() == []  # half an hour is left
        days.pass_by(20 * MINUTE)
        days.inside.silence_watch.look()
        assert days.heard() == ["payments: digest billing/bank.py production"]
        days.pass_by(5 * MINUTE)
        days.inside.silence_watch.look()
        days.fail("billing/bank.py")
        assert days.heard() == []  # it was warned of once, and still hides
        days.pass_by(5 * MINUTE)
        days.inside.silence_watch.look()
        days.fail("billing/bank.py")
        assert days.heard() == ["payments: first_seen billing/bank.py production"]
        assert outcomes(days) == {"notified": 2, "silenced": 5}


def test_what_comes_back_after_it_was_resolved(tmp_path: Path) -> None:
    with the_days(tmp_path) as days:
        group = days.fail()
        days.fail(environment="staging")
        assert len(days.heard()) == 2
        days.pass_by(HOUR)
        days.post(f"/api/v1/groups/{group}/resolve")
        days.pass_by(DAY)
        assert days.heard() == []  # a resolved error that stays away is no news
        days.fail()
        assert days.heard() == ["payments: regression billing/tax.py production"]
        days.fail()
        assert days.heard() == []
        days.fail(environment="staging")
        assert days.heard() == ["payments: regression billing/tax.py staging"]


def test_what_still_happens_is_repeated_daily_and_what_stopped_is_not(tmp_path: Path) -> None:
    with the_days(tmp_path) as days:
        days.fail("billing/stops.py")
        days.fail("billing/goes_on.py")
        assert len(days.heard()) == 2
        heard = []
        for hour in range(1, 73):
            days.pass_by(HOUR)
            days.fail("billing/goes_on.py")
            heard += [(hour, said) for said in days.heard()]
        repeated = "payments: repeat billing/goes_on.py production"
        assert heard == [(24, repeated), (48, repeated), (72, repeated)]


@pytest.mark.parametrize(
    ("eve", "hours"),
    [
        ("2026-10-24T12:00", 9),  # the clocks go back in this night, it has an hour more
        ("2026-03-28T12:00", 7),  # and forward in this one
        ("2026-06-06T12:00", 8),
    ],
)
def test_a_night_is_quiet_for_as_long_as_the_clocks_make_it(
    tmp_path: Path, eve: str, hours: int
) -> None:
    """A new error every half hour for a day; those of the night are told when they come by day."""
    with the_days(tmp_path, NIGHT, AT_DAY) as days:
        days.until(eve)
        heard = []
        for half_hour in range(48):
            days.fail(f"billing/{spelled(half_hour)}.py")
            heard += days.heard()
            days.pass_by(HOUR / 2)
        assert outcomes(days) == {"muted_time": 2 * hours, "notified": 48 - 2 * hours}
        assert len(set(heard)) == len(heard) == 48 - 2 * hours
        for half_hour in range(48):
            days.fail(f"billing/{spelled(half_hour)}.py")
        assert len(days.heard()) == 2 * hours  # what the night hid is news in the morning


def test_a_policy_that_only_observes_tells_nobody(tmp_path: Path) -> None:
    with the_days(tmp_path, "policy: {mode: observe}") as days:
        group = days.fail(times=3)
        days.fail("search/index.py")
        days.pass_by(2 * DAY)
        days.fail()
        days.post(f"/api/v1/groups/{group}/resolve")
        days.pass_by(MINUTE)
        days.fail()
        assert (days.heard(), outcomes(days)) == ([], {"observed": 6})
        assert len(days.client.get("/api/v1/groups").json()["groups"]) == 2
        days.post("/api/v1/teams/payments/send")
        assert days.heard() == ["payments: test"]  # asked for by name
        days.rule("policy: {mode: notify}")
        days.fail("search/index.py")
        assert days.heard() == ["search: first_seen search/index.py production"]


def test_one_team_observes_while_the_others_are_told(tmp_path: Path) -> None:
    beginner = TEAMS.replace("search: {", "search: {mode: observe, ")
    with the_days(tmp_path, teams=beginner) as days:
        days.fail()
        days.fail("search/index.py")
        assert days.heard() == ["payments: first_seen billing/tax.py production"]
        days.rule("policy: {mode: observe}", TEAMS.replace("search: {", "search: {mode: notify, "))
        days.pass_by(2 * DAY)
        days.fail()
        days.fail("search/index.py")
        assert days.heard() == ["search: first_seen search/index.py production"]
        assert outcomes(days) == {"notified": 2, "observed": 2}
