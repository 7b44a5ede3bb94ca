"""`pointsman baseline`: an old monolith's first day pages nobody, and what is new is told."""

from pathlib import Path

import pytest

from service.store.transaction import Transaction
from tests.service.days import DAY, HOUR, Days, the_days

pytestmark = pytest.mark.usefixtures("either")

OBSERVE = "policy: {mode: observe}"
NOTIFY = "policy: {mode: notify, notify: {escalation: [3, 10]}}"


def baseline(days: Days, query: str = "") -> tuple[int, int]:
    counted = days.post(f"/api/v1/baseline{query}")
    return counted["groups"], counted["audiences"]


def test_an_old_monoliths_first_days(tmp_path: Path) -> None:
    with the_days(tmp_path, OBSERVE) as days:
        old = days.fail("billing/old.py", times=5)
        days.fail("billing/old.py", environment="staging")
        days.fail("search/old.py")
        days.fail("nobodys.py")
        days.pass_by(3 * DAY)
        assert (days.heard(), baseline(days)) == ([], (3, 4))
        days.rule(NOTIFY)
        days.fail("billing/old.py")
        days.fail("search/old.py")
        assert days.heard() == []
        days.fail("billing/new.py")
        assert days.heard() == ["payments: first_seen billing/new.py production"]
        days.pass_by(3 * DAY)
        days.fail("billing/old.py")
        assert days.heard() == []  # nobody was told, so nothing is repeated
        days.post(f"/api/v1/groups/{old}/resolve")
        days.pass_by(HOUR)
        days.fail("billing/old.py")
        assert days.heard() == ["payments: regression billing/old.py production"]
        days.pass_by(DAY)
        days.fail("billing/old.py")
        assert days.heard() == ["payments: repeat billing/old.py production"]


def test_what_grows_after_a_baseline_is_told(tmp_path: Path) -> None:
    with the_days(tmp_path, OBSERVE) as days:
        days.fail(times=5)
        baseline(days)
        days.rule(NOTIFY)
        days.fail(times=4)
        assert days.heard() == []  # past 3 it was before
        days.fail()
        assert days.heard() == ["payments: escalation billing/tax.py production"]


def test_what_was_resolved_before_a_baseline_may_come_back(tmp_path: Path) -> None:
    with the_days(tmp_path, OBSERVE) as days:
        fixed = days.fail("billing/fixed.py")
        days.pass_by(HOUR)
        days.post(f"/api/v1/groups/{fixed}/resolve")
        days.pass_by(HOUR)
        baseline(days)
        days.rule(NOTIFY)
        days.fail("billing/fixed.py")
        assert days.heard() == ["payments: regression billing/fixed.py production"]


def test_one_team_may_begin_before_the_others(tmp_path: Path) -> None:
    with the_days(tmp_path, OBSERVE) as days:
        days.fail("billing/old.py")
        days.fail("search/old.py")
        assert baseline(days, "?team=payments") == (1, 1)
        days.rule(NOTIFY)
        days.fail("billing/old.py")
        days.fail("search/old.py")
        assert days.heard() == ["search: first_seen search/old.py production"]
        assert days.client.post("/api/v1/baseline?team=paymnets").status_code == 404


def test_a_new_environment_is_news_after_a_baseline_too(tmp_path: Path) -> None:
    with the_days(tmp_path, OBSERVE) as days:
        days.fail(environment="staging")
        baseline(days)
        days.rule(NOTIFY)
        days.fail(environment="production")
        assert days.heard() == ["payments: first_seen billing/tax.py production"]


def test_a_baseline_knows_what_the_same_commit_brings(tmp_path: Path) -> None:
    """The group is only in memory when the baseline is drawn, and comes again behind it."""
    with the_days(tmp_path, OBSERVE) as days:
        group = days.fail()

        def work(tx: Transaction) -> dict[str, int]:
            tx.groups.change(group, lambda known: known)
            counted = tx.groups.baseline(None, days.clock.now)
            tx.groups.change(group, lambda known: known)
            return counted

        assert days.inside.writer.run(work) == {"groups": 1, "audiences": 1}
        (audience,) = days.client.get(f"/api/v1/groups/{group}").json()["audiences"]
        assert audience["last_notified_at"] is not None
        assert audience["last_reason"] is None
