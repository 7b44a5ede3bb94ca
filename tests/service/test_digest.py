"""A team's week: what is in it, when it is told, and that it is told once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.service.days import DAY, HOUR, MINUTE, TEAMS, Days, the_days

pytestmark = pytest.mark.usefixtures("either")

BERLIN = "policy: {digest: {weekday: monday, time: '09:00', location: Europe/Berlin}}"
MONDAY = "2026-11-30T08:00"  # nine in Berlin
SHOP = (
    TEAMS
    + """
  - {path: /shop/checkout/, owner: payments}
  - {path: /shop/generated/, unowned: true}
"""
)


@contextmanager
def a_week(folder: Path, policy: str = BERLIN, teams: str = TEAMS) -> Iterator[Days]:
    """It begins on Monday the 23rd, at four in Berlin."""
    with the_days(folder, policy, teams) as days:
        days.until("2026-11-23T08:00")
        yield days


def look(days: Days) -> list[str]:
    days.inside.digest_watch.look()
    return [said for said in days.heard() if "digest" in said]


def test_a_week_is_told_with_what_was_in_it(tmp_path: Path) -> None:
    with a_week(tmp_path) as days:
        fixed = days.fail("billing/fixed.py", times=3)
        days.fail("billing/new.py")
        days.fail("search/slow.py", times=2)
        days.pass_by(DAY)
        days.post(f"/api/v1/groups/{fixed}/resolve")
        days.until(MONDAY)
        assert look(days) == [
            "payments: digest of 2 new, 1 resolved, 2 not told",
            "search: digest of 1 new, 1 not told",
        ]
        days.fail("billing/new.py", times=4)  # told: it repeats
        days.pass_by(7 * DAY)
        assert look(days) == ["payments: digest of 1 burning, 3 not told"]
        days.pass_by(7 * DAY)
        assert look(days) == []  # nothing happened, nothing is said
        assert days.client.get("/api/v1/accounting").json()["unaccounted"] == 0


def test_it_names_the_groups_that_were_seen_most(tmp_path: Path) -> None:
    with a_week(tmp_path) as days:
        for times, name in enumerate("abcdefg", 1):
            days.fail(f"billing/{name}.py", times=times)
        days.until(MONDAY)
        look(days)
        newest = days.client.get("/api/v1/deliveries?limit=1").json()["deliveries"][0]
        new = newest["notification"]["digest"]["new"]
        assert new["count"] == 7
        assert [one["times_seen"] for one in new["entries"]] == [7, 6, 5, 4, 3]
        assert newest["notification"]["digest"]["saved"] == {"grouped": 21}


def test_what_a_silence_hid_was_spared(tmp_path: Path) -> None:
    with a_week(tmp_path) as days:
        silence = {
            "matchers": [{"name": "team", "value": "payments", "isRegex": False}],
            "endsAt": "2026-11-24T08:00:00Z",
            "createdBy": "ada",
            "comment": "known",
        }
        days.post("/api/v1/silences", silence)
        days.fail(times=3)
        days.until(MONDAY)
        assert look(days) == ["payments: digest of 1 new, 3 not told"]


@pytest.mark.parametrize(
    ("path", "is_near"),
    [
        ("shop/checkout_v2/cart.py", True),  # a folder beside theirs
        ("shop/cart.py", True),  # a file beside it
        ("shop/a/b/cart.py", False),
        ("basement/cart.py", False),  # next to it is only the whole repository
        ("shop/generated/stubs.py", False),  # nobody's on purpose
    ],
)
def test_what_nobody_owns_is_told_to_who_works_next_to_it(
    tmp_path: Path, path: str, is_near: bool
) -> None:
    with a_week(tmp_path, teams=SHOP) as days:
        days.fail(path)
        days.until(MONDAY)
        assert look(days) == (["payments: digest of 1 unowned near"] if is_near else [])


def test_a_week_is_told_once_whoever_restarts(tmp_path: Path) -> None:
    with a_week(tmp_path) as days:
        days.fail()
        days.until(MONDAY)
        assert len(look(days)) == 1
        days.pass_by(MINUTE)
        assert look(days) == []
    with the_days(tmp_path, BERLIN) as days:
        days.until("2026-11-30T09:00")
        assert look(days) == []
        days.rule("policy: {digest: {weekday: friday, time: '09:00', location: Europe/Berlin}}")
        days.until("2026-12-04T08:00")
        assert look(days) == []  # another moment of the same week
        days.fail()
        days.until("2026-12-11T08:00")
        assert len(look(days)) == 1


@pytest.mark.parametrize(("late", "told"), [(HOUR, 1), (23 * HOUR, 1), (25 * HOUR, 0)])
def test_a_service_that_was_down_tells_a_day_later_at_most(
    tmp_path: Path, late: timedelta, told: int
) -> None:
    with a_week(tmp_path) as days:
        days.fail()
        days.until(MONDAY)
        days.pass_by(late)
        assert len(look(days)) == told


def test_it_comes_at_nine_on_both_sides_of_a_change_of_the_clocks(tmp_path: Path) -> None:
    """Berlin's clocks go back on 2026-10-25, and forward on 2027-03-28."""
    with the_days(tmp_path, BERLIN) as days:
        for start in ("2026-10-19T00:00", "2027-03-22T00:00"):
            days.until(start)
            told = []
            for _ in range(21):
                days.fail()
                days.pass_by(6 * HOUR)
                for _ in range(4):  # six to nine; the other hours are asked in test_times.py
                    told += [f"{days.clock.now:%m-%dT%H}" for _ in look(days)]
                    days.pass_by(HOUR)
                days.pass_by(14 * HOUR)
            assert (
                told
                == {
                    "2026-10-19T00:00": ["10-19T07", "10-26T08", "11-02T08"],
                    "2027-03-22T00:00": ["03-22T08", "03-29T07", "04-05T07"],
                }[start]
            )


def test_incidents_are_not_opened_by_a_digest(tmp_path: Path) -> None:
    pager = "{pagerduty: {routing_key: R0PQ4XA2KDDW7H3M5TZC8VBN6YJE1FGS}}"
    teams = TEAMS.replace("{channel: payments-hook}", "{channel: pager}, {channel: payments-hook}")
    with a_week(tmp_path, "", teams.replace("rules:", f"  pager: {pager}\nrules:")) as days:
        told = days.post("/api/v1/digest?team=payments")
        assert [one["notification"]["receiver"] for one in told["deliveries"]] == ["payments-hook"]


def test_who_cannot_be_told_now_is_named(tmp_path: Path) -> None:
    teams = TEAMS.replace(
        "search: {receivers: [{channel: search-hook}]}", "search: {mode: observe}"
    )
    teams = teams.replace("teams:", "teams:\n  lonely: {receivers: []}")
    with a_week(tmp_path, "", teams) as days:
        told = days.post("/api/v1/digest")
        assert told["untold"] == {"lonely": "no_receiver", "search": "observed"}
        assert days.heard() == ["payments: digest of a quiet week"]


def test_a_team_that_sleeps_is_told_when_it_wakes(tmp_path: Path) -> None:
    times = "[{start_time: '00:00', end_time: '10:00'}]"
    early = f"mute_time_intervals: [{{name: early, time_intervals: [{{times: {times}}}]}}]"
    teams = TEAMS.replace(
        "{channel: payments-hook}",
        "{channel: payments-hook, when: {mute_time_intervals: early}}",
    )
    with a_week(tmp_path, BERLIN.replace("{digest", f"{{{early}, digest"), teams) as days:
        days.until("2026-11-24T12:00")
        days.fail()
        days.until(MONDAY)
        assert look(days) == []
        days.pass_by(2 * HOUR)
        assert look(days) == ["payments: digest of 1 new"]


def test_a_digest_that_died_opens_no_incident_at_a_fallback(tmp_path: Path) -> None:
    pager = "pager: {pagerduty: {routing_key: $UNSET_TOO}}"
    unset = "unset: {webhook: {url: $UNSET}}"
    teams = TEAMS.replace("rules:", f"  {pager}\n  {unset}\nrules:")
    teams = teams.replace("{channel: payments-hook}", "{channel: unset}")
    with a_week(tmp_path, "policy: {fallback_receivers: [pager, search-hook]}", teams) as days:
        days.post("/api/v1/digest?team=payments")
        assert days.heard() == ["payments: digest of a quiet week"]
        told = days.client.get("/api/v1/deliveries").json()["deliveries"]
        assert {one["notification"]["receiver"] for one in told} == {"unset", "search-hook"}
