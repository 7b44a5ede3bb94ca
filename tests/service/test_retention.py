"""What is past its time goes, nothing else does, and the books balance at every look."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from matchers.ownership import Ownership
from service.retention import LONG, ROWS, Periods, RetentionWatch, next_limit
from service.store.database import writing
from service.store.retention import KINDS, Kind
from service.store.transaction import Transaction
from service.telemetry import Telemetry
from tests.builders import raised_in
from tests.service.days import DAY, HOUR, MINUTE, Days, the_days

STORM = "policy: {storm: {groups: 5, within: 60s}}"
ALL = 10_000


@pytest.fixture
def days(tmp_path: Path, either: str) -> Iterator[Days]:
    with the_days(tmp_path, STORM) as days:
        yield days


def retain(days: Days) -> None:
    days.inside.search_watch.look()
    days.inside.search_watch.look()
    days.inside.retention_watch.look()
    assert unaccounted(days) == 0


def unaccounted(days: Days) -> int:
    return int(days.client.get("/api/v1/accounting").json()["unaccounted"])


def count(days: Days, table: str) -> int:
    return int(ask(days, f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 a table's name


def ask(days: Days, sql: str) -> list[Any]:
    with writing(days.inside.engine).begin() as connection:
        answer = connection.exec_driver_sql(sql)
        return [tuple(row) for row in answer] if answer.returns_rows else []


def take(days: Days, kind: Kind, before: datetime, limit: int = ALL) -> int:
    return days.inside.writer.run(lambda tx: tx.retention.take(kind, before, limit))


def a_storm(days: Days) -> None:
    """Nine new errors of one release, which one message told."""
    thrown = [{"type": f"N{number}Error", "frames": ["billing/tax.py"]} for number in range(9)]
    days.post("/api/v1/events", [{"exceptions": [one], "release": "shop@7"} for one in thrown])
    days.pass_by(HOUR)
    days.heard()


def test_events_go_first_then_their_group_then_what_was_told_of_it(days: Days) -> None:
    group = days.fail(times=3)
    days.heard()
    left = []
    for months in (DAY, 30 * DAY, 60 * DAY, 310 * DAY):
        days.pass_by(months)
        retain(days)
        left.append([count(days, one) for one in ("events", "groups", "deliveries")])
    assert left == [[3, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert days.client.get(f"/groups/{group}").status_code == 404


def test_a_group_whose_events_are_gone_can_be_looked_at(days: Days) -> None:
    group = days.fail()
    days.pass_by(31 * DAY)
    retain(days)
    shown = days.client.get(f"/api/v1/groups/{group}").json()
    assert (shown["times_seen"], shown["event"]) == (1, None)
    assert "no longer kept" in days.client.get(f"/groups/{group}").text


def test_what_comes_again_after_its_group_went_is_news(days: Days) -> None:
    days.fail()
    days.heard()
    days.pass_by(91 * DAY)
    retain(days)
    days.fail()
    assert days.heard() == ["payments: first_seen billing/tax.py production"]


@pytest.mark.parametrize("verdict", ["resolve", "ignore"])
def test_whatever_a_person_said_of_it_a_group_goes(days: Days, verdict: str) -> None:
    group = days.fail()
    days.post(f"/api/v1/groups/{group}/{verdict}")
    days.pass_by(91 * DAY)
    retain(days)
    parts = ("groups", "audiences", "group_fingerprints", "threads", "group_words")
    assert [count(days, part) for part in parts] == [0] * len(parts)


def test_a_group_of_which_something_is_still_to_be_told_stays(days: Days) -> None:
    days.fail()
    days.heard()
    ask(
        days,
        "UPDATE deliveries SET state = 'pending', settled_at = NULL, due_at = 9000000000000000",
    )
    days.pass_by(100 * DAY)
    retain(days)
    assert (count(days, "groups"), count(days, "deliveries")) == (1, 1)


def test_a_group_that_is_seen_as_it_would_go_stays(days: Days) -> None:
    days.fail()
    days.pass_by(91 * DAY)
    retained = days.clock.now - 90 * DAY
    take(days, "events", retained)
    event = raised_in("billing/tax.py", event_id="a" * 32, at=days.clock.now)
    fingerprint = ask(days, "SELECT fingerprint FROM groups")[0][0]

    def seen_then_taken(tx: Transaction) -> int:
        tx.groups.record(event, Ownership(step="default", owners=("payments",)), (fingerprint,))
        return tx.retention.take("groups", retained, ALL)

    assert days.inside.writer.run(seen_then_taken) == 0
    assert ask(days, "SELECT times_seen FROM groups") == [(2,)]


def test_what_one_message_told_goes_before_that_message(days: Days) -> None:
    a_storm(days)
    carried = ask(days, "SELECT count(*) FROM deliveries WHERE carrier IS NOT NULL")[0][0]
    days.pass_by(401 * DAY)
    before, orphans = days.clock.now - 400 * DAY, 0
    while take(days, "deliveries", before, limit=1):
        assert unaccounted(days) == 0
        orphans += ask(
            days,
            "SELECT count(*) FROM deliveries WHERE carrier IS NOT NULL"
            " AND carrier NOT IN (SELECT id FROM deliveries)",
        )[0][0]
    take(days, "storms", before)
    assert carried > 1
    assert (orphans, count(days, "deliveries"), count(days, "storms")) == (0, 0, 0)


def test_a_storm_stays_while_what_it_told_does(days: Days) -> None:
    a_storm(days)
    days.pass_by(401 * DAY)
    assert count(days, "storms") == 1
    take(days, "storms", days.clock.now - 400 * DAY)
    assert count(days, "storms") == 1


def test_what_was_kept_undecided_stays_until_it_is_decided(tmp_path: Path, either: str) -> None:
    with the_days(tmp_path, teams="version: 1\nteams: 7") as days:
        days.post("/api/v1/events", [{"frames": ["billing/tax.py"]}])
        days.pass_by(100 * DAY)
        retain(days)
        days.rule()
        assert days.heard() == ["payments: first_seen billing/tax.py production"]


def test_the_rules_that_were_in_force_since_stay_with_all_that_follow(days: Days) -> None:
    for moved in range(4):  # with the first, five revisions; the third was followed just in time
        days.pass_by(100 * DAY)
        days.rule(f"default: {'search' if moved % 2 else 'payments'}")
    days.pass_by(250 * DAY)
    assert count(days, "rules_revisions") == 5
    retain(days)
    assert ask(days, "SELECT min(sequence), max(sequence) FROM rules_revisions") == [(3, 5)]


def test_acts_and_silences_that_ended_go_in_time(days: Days) -> None:
    group = days.fail()
    days.post(f"/api/v1/groups/{group}/resolve")
    matchers = [{"name": "team", "value": "search", "isRegex": False}]
    at = days.clock.now
    silence = {"matchers": matchers, "startsAt": at.isoformat(), "createdBy": "jane"}
    days.post("/api/v1/silences", silence | {"endsAt": (at + DAY).isoformat(), "comment": "x"})
    left = []
    for passed in (399 * DAY, 3 * DAY):
        days.pass_by(passed)
        retain(days)
        left.append((count(days, "audit"), count(days, "silences")))
    assert left == [(2, 1), (0, 0)]


def test_an_id_is_known_for_a_day_and_until_the_next_walk(days: Days) -> None:
    outcomes = []
    for passed in (DAY - HOUR, 2 * HOUR):
        days.post("/api/v1/events", [{"frames": ["billing/tax.py"], "event_id": "a" * 32}])
        days.pass_by(passed)
        retain(days)
        outcomes.append(count(days, "event_ids"))
    days.post("/api/v1/events", [{"frames": ["billing/tax.py"], "event_id": "a" * 32}])
    books = days.client.get("/api/v1/accounting").json()["outcomes"]
    assert (outcomes, books) == ([1, 0], {"duplicate": 1, "notified": 2})


def a_watch(days: Days, **more: Any) -> RetentionWatch:
    month = {"events": 30 * DAY, "groups": 90 * DAY, "deliveries": 400 * DAY, "audit": 400 * DAY}
    about: dict[str, Any] = {"clock": days.clock} | more
    periods = Periods(**month | about.pop("periods", {}))
    return RetentionWatch(days.inside.writer, Telemetry(), periods, **about)


def test_an_id_stays_while_older_events_wait_beside_the_database(days: Days) -> None:
    days.fail()
    spooled = days.clock.now - MINUTE
    days.pass_by(2 * DAY)
    a_watch(days, oldest_spooled=lambda: spooled).look()
    assert count(days, "event_ids") == 1


@pytest.mark.parametrize(
    ("periods", "left"),
    [
        ({}, [0, 0]),
        ({"events": None}, [1, 1]),  # a group's page shows its events
        ({"groups": None}, [0, 1]),
        ({"events": 90 * DAY, "groups": DAY}, [0, 0]),
        ({"events": 200 * DAY, "groups": DAY}, [1, 1]),
    ],
)
def test_a_group_stays_as_long_as_its_events(
    days: Days, periods: dict[str, timedelta | None], left: list[int]
) -> None:
    days.fail()
    days.heard()
    days.pass_by(100 * DAY)
    a_watch(days, periods=periods).look()
    assert [count(days, "events"), count(days, "groups")] == left


def test_many_go_batch_by_batch(days: Days) -> None:
    for number in range(5):
        days.fail(f"billing/n{number}.py", times=ROWS["events"] // 2)
    days.pass_by(31 * DAY)
    a_watch(days, share=1.0).look()
    assert (count(days, "events"), unaccounted(days)) == (0, 0)


@pytest.mark.parametrize(
    ("rows", "took", "then"),
    [
        (100, LONG * 2, 50),
        (1, LONG * 2, 1),
        (50, LONG * 0.7, 50),
        (50, LONG * 0.1, 100),
        (100, LONG * 0.1, 100),
    ],
)
def test_after_a_long_batch_the_next_is_half_as_large(rows: int, took: float, then: int) -> None:
    assert next_limit(rows, 100, took) == then


def test_what_was_deleted_is_counted_and_logged(
    days: Days, caplog: pytest.LogCaptureFixture
) -> None:
    days.fail(times=2)
    days.pass_by(31 * DAY)
    with caplog.at_level(logging.INFO, "service.retention"):
        retain(days)
    metric = days.inside.telemetry.registry.get_sample_value
    (said,) = [one for one in caplog.records if one.message == "retention"]
    ended = metric("pointsman_retention_last_run_timestamp_seconds")
    assert metric("pointsman_retention_deleted_total", {"kind": "events"}) == 2
    assert (ended, said.__dict__["events"]) == (days.clock.now.timestamp(), 2)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_taken_that_is_not_past_its_time(days: Days, kind: Kind) -> None:
    group = days.fail(times=2)
    days.heard()
    days.post(f"/api/v1/groups/{group}/resolve")
    assert take(days, kind, days.clock.now - MINUTE) == 0


@pytest.mark.parametrize("taken", ["events", "groups", "delivered"])
def test_the_books_see_what_was_deleted_and_not_entered(days: Days, taken: str) -> None:
    days.fail(times=2)
    days.heard()
    days.pass_by(401 * DAY)
    retain(days)
    ask(days, f"DELETE FROM ledger WHERE book = 'taken' AND name = '{taken}'")  # noqa: S608
    assert unaccounted(days) > 0
