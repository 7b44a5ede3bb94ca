"""A source that used to send and sends nothing: who hears of it, how often, and when it is back."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from routers.rules import load_rules
from service.runtime import Runtime
from tests.running import wait_for
from tests.service.days import DAY, HOUR, MINUTE, TEAMS, Days, the_days
from tests.service.house import Clock, running, the_database_away
from tests.service.test_spool import envelope
from tests.trees import FakeTree

pytestmark = pytest.mark.usefixtures("either")  # SQLite, and PostgreSQL
QUIET = "{project: 1, environment: production, after: 30m, team: search}"
POLICY = f"policy: {{source_went_quiet: [{QUIET}]}}"
TOLD = ["search: digest production"]


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Days]:
    with the_days(tmp_path, POLICY) as days:
        yield days


def look(days: Days) -> list[str]:
    days.inside.quiet_watch.look()
    return days.heard()


def busy(days: Days, times: int = 1, **more: Any) -> None:
    """It sends; whoever owns that is told of it, which is not what is asked here."""
    days.fail(times=times, **more)
    days.heard()


def title(days: Days) -> str:
    newest = days.client.get("/api/v1/deliveries?limit=1").json()["deliveries"][0]
    return str(newest["notification"]["title"])


def test_a_source_that_never_sent_is_not_quiet(days: Days) -> None:
    days.pass_by(DAY)
    assert look(days) == []


def test_one_that_used_to_send_is_told_of_once(days: Days) -> None:
    busy(days, times=3)
    assert look(days) == []
    days.pass_by(29 * MINUTE)
    assert look(days) == []
    days.pass_by(2 * MINUTE)
    assert look(days) == TOLD
    assert title(days) == "1/production went quiet: no error for 31 min"
    days.pass_by(DAY)
    assert look(days) == []


def test_each_spell_is_told(days: Days) -> None:
    for _ in range(2):
        busy(days)
        assert look(days) == []
        days.pass_by(HOUR)
        assert look(days) == TOLD


def test_a_restart_tells_of_a_spell_no_second_time(tmp_path: Path) -> None:
    with the_days(tmp_path, POLICY) as days:
        busy(days)
        days.pass_by(HOUR)
        assert look(days) == TOLD
    with the_days(tmp_path, POLICY) as days:
        days.pass_by(HOUR + MINUTE)
        assert look(days) == []
        days.pass_by(DAY)
        assert look(days) == []


def test_a_spell_that_began_while_the_service_was_down_is_told(tmp_path: Path) -> None:
    with the_days(tmp_path, POLICY) as days:
        busy(days)
    with the_days(tmp_path, POLICY) as days:
        days.pass_by(HOUR)
        assert look(days) == TOLD


def test_of_two_services_on_one_database_one_tells_and_both_show_it(tmp_path: Path) -> None:
    with the_days(tmp_path, POLICY) as one, the_days(tmp_path, POLICY) as two:
        busy(one)
        for days in (one, two):
            days.pass_by(HOUR)
            days.inside.quiet_watch.look()
        assert [*one.heard(), *two.heard()] == TOLD
        for days in (one, two):
            shown = days.client.get("/metrics").text
            assert 'pointsman_source_quiet{source="1/production"} 1.0' in shown


def test_another_environment_does_not_keep_it_awake(days: Days) -> None:
    busy(days)
    look(days)
    days.pass_by(HOUR)
    busy(days, environment="staging")
    assert look(days) == TOLD


def test_without_an_environment_any_keeps_it_awake(tmp_path: Path) -> None:
    policy = "policy: {source_went_quiet: [{project: '1', after: 30m, team: search}]}"
    with the_days(tmp_path, policy) as days:
        busy(days)
        look(days)
        days.pass_by(HOUR)
        busy(days, environment="staging")
        assert look(days) == []
        days.pass_by(HOUR)
        assert look(days) == ["search: digest"]


def test_what_it_sent_while_the_database_was_away_keeps_it_awake(days: Days) -> None:
    busy(days)
    look(days)
    days.inside.drain_watch.stop()  # from here on it drains when it is told to
    days.pass_by(HOUR)
    with the_database_away(days.inside):
        assert days.client.post("/api/1/envelope/", content=envelope(2)).status_code == 200
    wait_for(lambda: days.inside.writer.down is None)
    assert look(days) == []
    days.inside.drain_watch.look()
    assert days.heard() == ["payments: first_seen billing/n2.py in rate production"]
    assert look(days) == []
    days.pass_by(HOUR)
    assert look(days) == TOLD


def test_it_is_shown_as_a_metric(days: Days) -> None:
    for quiet, how_long in ((0.0, MINUTE), (1.0, HOUR)):
        busy(days)
        look(days)
        days.pass_by(how_long)
        look(days)
        shown = f'pointsman_source_quiet{{source="1/production"}} {quiet}'
        assert shown in days.client.get("/metrics").text


@pytest.mark.parametrize("policy", [POLICY.replace("{", "{mode: observe, ", 1)])
def test_where_all_is_observed_nobody_is_told(tmp_path: Path, policy: str) -> None:
    with the_days(tmp_path, policy) as days:
        days.fail()
        days.pass_by(HOUR)
        assert look(days) == []


PAGED = """version: 1
projects: {1: {slug: api}}
teams:
  ops: {receivers: [{channel: pager, when: {severity: critical, project: api, reason: digest}}]}
channels:
  pager: {pagerduty: {routing_key: R0PQ4XA2KDDW7H3M5TZC8VBN6YJE1FGS}}
rules: [{path: /nowhere/, owner: ops}]
policy:
  source_went_quiet: [{project: api, after: 30m, team: ops, severity: critical}]
"""


def test_an_incident_is_opened_and_closed_when_it_sends_again(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(PAGED)
    paged: list[tuple[str, str]] = []

    def page(request: httpx.Request) -> httpx.Response:
        event = json.loads(request.content)
        paged.append((event["event_action"], event["dedup_key"]))
        return httpx.Response(202, json={"status": "success", "dedup_key": event["dedup_key"]})

    clock = Clock()
    with running(tmp_path, clock, httpx.MockTransport(page)) as client:
        inside: Any = client.app
        house: Runtime = inside.state.runtime
        days = Days(client, clock, tmp_path, [])
        for _ in range(2):
            busy(days)
            house.quiet_watch.look()
            days.heard()
            clock.move(timedelta(hours=1))
            house.quiet_watch.look()
            days.heard()
    assert [action for action, _ in paged] == ["trigger", "resolve", "trigger"]
    assert len({key for _, key in paged}) == 1


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{project: 1, after: 30m, team: serch}", 'did you mean "search"'),
        ("{project: 1, after: 30s, team: search}", "from 1m to 30d"),
        ("{project: 1, team: search}", 'the key "after" is missing'),
        ("{project: true, after: 1h, team: search}", "expected text"),
        ("{project: 1, after: 1h, team: search, environs: x}", 'unknown key "environs"'),
    ],
)
def test_a_mistake_in_it_is_found(entry: str, said: str) -> None:
    text = f"{TEAMS}\npolicy:\n  source_went_quiet: [{entry}]\n"
    (problem,) = load_rules(FakeTree({"r.yaml": text}), "r.yaml", {}).problems
    assert said in str(problem)
    assert problem.origin.line == 13
