"""What people do to a group, and what ends it: stories on a clock that is moved by hand."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from matchers.engine import match
from routers.group import Until
from service import acts
from service.simulators import PagerDuty
from tests.builders import NOW, raised_in, the_rules
from tests.service.house import Clock, running
from tests.service.test_worker import inside, until

pytestmark = pytest.mark.usefixtures("either")

DAY = timedelta(days=1)
RULES = """version: 1
teams:
  payments: {aliases: ["@acme/payments"], receivers: [{channel: payments-pager}]}
  search: {receivers: [{channel: search-pager}]}
channels:
  payments-pager: {pagerduty: {routing_key: PPPPPPPPPPPPPPPPPPPPPPPPPPPPPPPP}}
  search-pager: {pagerduty: {routing_key: SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS}}
policy: {fallback_receivers: [], notify: {escalation: [5, 50], repeat_interval: 30d}}
rules:
  - {path: /billing/, owner: payments}
"""


class Vendor:
    """PagerDuty, which can be down."""

    def __init__(self, clock: Clock) -> None:
        self.pagerduty = PagerDuty(clock)
        self.is_down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if self.is_down else self.pagerduty(request)

    def open_at(self) -> list[str]:
        """Which integration keys have an incident open, by their first letter."""
        return sorted(key[0] for key, _name in self.pagerduty.open)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vendor(clock: Clock) -> Vendor:
    return Vendor(clock)


@pytest.fixture
def client(tmp_path: Path, clock: Clock, vendor: Vendor) -> Iterator[TestClient]:
    (tmp_path / "rules.yaml").write_text(RULES)
    with running(tmp_path, clock, transport=httpx.MockTransport(vendor)) as client:
        yield client


def fail(client: TestClient, times: int = 1, **more: Any) -> str:
    """The group that so many events, each with this of its own, came to."""
    event = {"frames": ["billing/tax.py"], "exceptions": [], **more}
    for _ in range(times):
        answer = client.post("/api/v1/events", json=event)
    group: str = answer.json()["events"][0]["group"]
    return group


def act(client: TestClient, group: str, what: str, **asked: Any) -> dict[str, Any]:
    answer = client.post(f"/api/v1/groups/{group}/{what}", json=asked)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def shown(client: TestClient, group: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/groups/{group}").json()
    return found


def told(client: TestClient) -> list[str]:
    """`team reason`, the oldest first, then by name; `team -reason` of what closes."""
    rows = client.get("/api/v1/deliveries").json()["deliveries"]
    named = [(row["created_at"], row["notification"]) for row in rows]
    return [
        said
        for _at, said in sorted(
            (at, f"{one['team']} {'-' if one['closes'] else ''}{one['reason']}")
            for at, one in named
        )
    ]


def settled(client: TestClient) -> dict[str, int]:
    """How many deliveries are in each state once none is pending; and the books balance."""

    def states() -> dict[str, Any] | None:
        books: dict[str, Any] = client.get("/api/v1/accounting").json()
        assert books["unaccounted"] == 0
        return books if not books["deliveries"]["pending"] else None

    found: dict[str, int] = until(states)["deliveries"]
    return {state: count for state, count in found.items() if count}


def outcomes(client: TestClient) -> dict[str, int]:
    found: dict[str, int] = client.get("/api/v1/accounting").json()["outcomes"]
    return found


def test_what_is_resolved_in_a_release_comes_back_with_a_newer_one_only(
    client: TestClient, clock: Clock
) -> None:
    group = fail(client, release="shop@1.4.1")
    clock.move(DAY)
    resolved = act(client, group, "resolve", release="shop@1.4.2", by="jane")
    assert (resolved["status"], resolved["resolved_in"]) == ("resolved", "shop@1.4.2")
    clock.move(DAY)
    for release in ("shop@1.4.2", "shop@1.4.1", "shop@1.3.9"):
        fail(client, release=release)
    assert shown(client, group)["status"] == "resolved"
    fail(client, release="shop@1.4.10")
    found = shown(client, group)
    assert (found["status"], found["times_seen"]) == ("unresolved", 5)
    assert told(client) == ["payments first_seen", "payments -first_seen", "payments regression"]
    assert outcomes(client) == {"notified": 2, "grouped": 3}


def test_releases_whose_names_do_not_say_are_ordered_by_when_they_came(
    client: TestClient, clock: Clock
) -> None:
    for release in ("9d1f0aa", "1b22c07"):
        group = fail(client, release=release)
        clock.move(DAY)
    act(client, group, "resolve", newest_release=True)
    assert shown(client, group)["resolved_in"] == "1b22c07"
    clock.move(DAY)
    fail(client, release="9d1f0aa")
    assert shown(client, group)["status"] == "resolved"
    fail(client, release="0000fff")
    assert shown(client, group)["status"] == "unresolved"


def test_resolved_in_a_release_that_never_came_a_release_that_is_new_reopens_it(
    client: TestClient, clock: Clock
) -> None:
    group = fail(client, release="9d1f0aa")
    clock.move(DAY)
    act(client, group, "resolve", release="the next one")
    clock.move(DAY)
    fail(client, release="9d1f0aa")
    assert shown(client, group)["status"] == "resolved"
    fail(client, release="5e5e5e5")
    assert shown(client, group)["status"] == "unresolved"


@pytest.mark.parametrize("more", [{}, {"release": "1.0"}], ids=["none", "older"])
def test_resolved_in_no_release_any_event_reopens_it(
    client: TestClient, clock: Clock, more: dict[str, str]
) -> None:
    group = fail(client, release="1.1")
    act(client, group, "resolve")
    clock.move(DAY)
    fail(client, **more)
    assert shown(client, group)["status"] == "unresolved"


def test_ignored_until_a_moment_its_first_event_from_then_on_is_told(
    client: TestClient, clock: Clock
) -> None:
    group = fail(client)
    ends_at = NOW + timedelta(hours=24)
    act(client, group, "ignore", until=ends_at.isoformat(), by="slack:U123 Jane")
    clock.move(timedelta(hours=23))
    fail(client)
    assert shown(client, group)["status"] == "ignored"
    clock.move(timedelta(hours=1))
    fail(client, times=2)
    found = shown(client, group)
    assert (found["status"], found["ignored"]) == ("unresolved", None)
    assert told(client) == ["payments first_seen", "payments repeat"]
    assert outcomes(client) == {"notified": 2, "ignored": 1, "grouped": 1}


def test_ignored_for_so_many_more_times_the_last_of_them_is_told(
    client: TestClient, clock: Clock
) -> None:
    group = fail(client, times=3)
    act(client, group, "ignore", times=4)
    clock.move(DAY)
    fail(client, times=3)
    assert told(client) == ["payments first_seen"]
    fail(client, times=2)
    assert told(client) == ["payments first_seen", "payments escalation"]
    newest = shown(client, group)["deliveries"][0]["notification"]
    assert (newest["times_seen"], newest["threshold"]) == (7, 5)


def test_ignored_until_the_next_escalation_it_is_told_of_that(
    client: TestClient, clock: Clock
) -> None:
    group = fail(client, times=6)
    act(client, group, "ignore", escalation=True)
    clock.move(40 * DAY)
    fail(client, times=43)
    assert "ignored" in outcomes(client)
    assert shown(client, group)["status"] == "ignored"
    fail(client)
    newest = shown(client, group)["deliveries"][0]["notification"]
    assert (newest["reason"], newest["threshold"]) == ("escalation", 50)
    assert shown(client, group)["status"] == "unresolved"


def test_ignored_for_ever_nothing_is_told(client: TestClient, clock: Clock) -> None:
    group = fail(client)
    act(client, group, "ignore")
    clock.move(300 * DAY)
    fail(client, times=60)
    assert (told(client), shown(client, group)["status"]) == (["payments first_seen"], "ignored")


def test_unresolved_it_is_as_if_nobody_had_said_anything(client: TestClient, clock: Clock) -> None:
    group = fail(client)
    for what in ("ignore", "resolve"):
        act(client, group, what)
        act(client, group, "unresolve")
        clock.move(DAY)
        fail(client)
    assert told(client) == ["payments first_seen", "payments -first_seen"]


def test_what_is_not_ours_is_told_to_whose_it_is_and_closed_with_us(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    group = fail(client)
    settled(client)
    assert vendor.open_at() == ["P"]
    clock.move(DAY)
    given = act(client, group, "assign", team="search", by="jane")
    settled(client)
    assert vendor.open_at() == ["S"]
    assert (given["team"], given["assigned"]) == ("search", "search")
    fail(client)
    assert told(client) == [
        "payments first_seen",
        "payments -owner_changed",
        "search owner_changed",
    ]
    found = shown(client, group)["ownership"]
    assert (found["owners"], found["step"], found["assigned"]) == (["payments"], "frame", "search")
    assert outcomes(client) == {"notified": 1, "grouped": 1}


def test_taken_back_it_is_whose_the_rules_say(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    group = fail(client)
    for team in ("search", None):
        clock.move(DAY)
        act(client, group, "assign", team=team)
    settled(client)
    clock.move(DAY)
    fail(client)
    assert (vendor.open_at(), shown(client, group)["team"]) == (["P"], "payments")
    assert told(client)[-2:] == ["payments owner_changed", "search -owner_changed"]


def test_assigned_where_it_is_already_tells_and_closes_nothing(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    group = fail(client)
    for team in ("payments", "@acme/payments", ""):
        clock.move(DAY)
        act(client, group, "assign", team=team)
    fail(client)
    settled(client)
    assert (told(client), vendor.open_at()) == (["payments first_seen"], ["P"])


def test_in_another_environment_its_new_team_is_told_with_the_next_event(
    client: TestClient, clock: Clock
) -> None:
    fail(client, environment="staging")
    group = fail(client, environment="production")
    clock.move(DAY)
    act(client, group, "assign", team="search")
    assert [one for one in told(client) if "search" in one] == ["search owner_changed"]
    fail(client, environment="staging")
    assert [one for one in told(client) if "search" in one] == ["search owner_changed"] * 2


def test_what_was_never_told_to_anybody_is_first_seen_by_whom_it_is_assigned(
    client: TestClient, clock: Clock
) -> None:
    group = fail(client, frames=["nowhere.py"])
    act(client, group, "assign", team="search")
    assert told(client) == ["search first_seen"]


def test_an_ignored_group_is_assigned_in_silence(client: TestClient, clock: Clock) -> None:
    group = fail(client)
    clock.move(DAY)
    act(client, group, "ignore")
    act(client, group, "assign", team="search")
    clock.move(DAY)
    fail(client)
    assert told(client) == ["payments first_seen", "payments -owner_changed"]
    act(client, group, "unresolve")
    fail(client)
    assert told(client)[-1] == "search owner_changed"


def test_the_entry_that_is_proposed_does_what_the_assignment_did(client: TestClient) -> None:
    entry = act(client, fail(client), "assign", team="search")["permanent"]
    assert entry == {
        "section": "rules",
        "entry": "- {path: /billing/tax.py, owner: search}",
        "after": entry["after"],
    }
    text = RULES.removeprefix("version: 1\n") + f"  {entry['entry']}\n"
    assert match(raised_in("billing/tax.py"), the_rules(text).ruleset).owner == "search"


def test_a_team_that_the_rules_lose_gives_the_group_back(
    client: TestClient, clock: Clock, tmp_path: Path
) -> None:
    group = fail(client)
    act(client, group, "assign", team="search")
    kept = "".join(line for line in RULES.splitlines(True) if " search" not in line)
    (tmp_path / "rules.yaml").write_text(kept)
    assert client.post("/api/v1/rules/reload?by=ada").json()["problems"] == []
    clock.move(DAY)
    fail(client)
    found = shown(client, group)
    assert found["permanent"] is None
    assert (found["team"], [one["code"] for one in found["ownership"]["warnings"]]) == (
        "payments",
        ["assigned_team_gone"],
    )


def test_rules_that_move_a_group_close_the_incident_of_its_old_team(
    client: TestClient, clock: Clock, vendor: Vendor, tmp_path: Path
) -> None:
    fail(client)
    (tmp_path / "rules.yaml").write_text(RULES + "  - {path: /billing/tax.py, owner: search}\n")
    client.post("/api/v1/rules/reload")
    clock.move(DAY)
    fail(client, times=3)
    assert settled(client) == {"delivered": 3}
    assert told(client)[1:] == ["payments -owner_changed", "search owner_changed"]
    assert vendor.open_at() == ["S"]


def test_a_resolved_group_has_no_incident_open_until_it_comes_back(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    group = fail(client, environment="staging")
    fail(client, environment="production")
    clock.move(DAY)
    act(client, group, "resolve")
    act(client, group, "resolve")
    assert settled(client) == {"delivered": 4}
    assert vendor.open_at() == []
    clock.move(DAY)
    fail(client, environment="production")
    settled(client)
    assert vendor.open_at() == ["P"]


def test_an_alert_that_never_arrived_does_not_open_what_was_closed(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    vendor.is_down = True
    group = fail(client)
    until(lambda: shown(client, group)["deliveries"][0]["attempts"])
    act(client, group, "assign", team="search")
    vendor.is_down = False
    clock.move(timedelta(hours=1))
    assert settled(client) == {"delivered": 2, "merged": 1}
    assert vendor.open_at() == ["S"]


def test_a_closing_that_comes_late_does_not_close_what_came_back(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    group = fail(client)
    settled(client)
    vendor.is_down = True
    clock.move(DAY)
    act(client, group, "resolve")
    until(lambda: shown(client, group)["deliveries"][0]["attempts"])
    vendor.is_down = False
    clock.move(timedelta(milliseconds=1))
    fail(client)
    until(lambda: shown(client, group)["deliveries"][0]["state"] == "delivered")
    clock.move(timedelta(hours=1))
    assert settled(client) == {"delivered": 2, "merged": 1}
    assert vendor.open_at() == ["P"]


def test_what_was_closed_before_it_was_told_is_not_said_to_be_told(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    vendor.is_down = True
    group = fail(client)
    until(lambda: shown(client, group)["deliveries"][0]["attempts"])
    act(client, group, "resolve")
    vendor.is_down = False
    clock.move(timedelta(hours=1))
    assert settled(client) == {"delivered": 1, "merged": 1}
    assert said_of_carriers(client, group) == ["Closed by"]


def test_a_closing_that_came_too_late_is_not_said_to_be_told(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    group = fail(client)
    settled(client)
    vendor.is_down = True
    clock.move(DAY)
    act(client, group, "resolve")
    until(lambda: shown(client, group)["deliveries"][0]["attempts"])
    vendor.is_down = False
    clock.move(timedelta(milliseconds=1))
    fail(client)
    clock.move(timedelta(hours=1))
    assert settled(client) == {"delivered": 2, "merged": 1}
    assert said_of_carriers(client, group) == ["Opened again by"]


def said_of_carriers(client: TestClient, group: str) -> list[str]:
    """What a group's page calls the deliveries that others of it name."""
    return re.findall(r"<dt>([\w ]+ by)</dt>", client.get(f"/groups/{group}").text)


def test_who_did_what_is_kept_with_when_and_how(client: TestClient, clock: Clock) -> None:
    group = fail(client)
    act(client, group, "resolve", release="1.4.2", by="jane")
    clock.move(DAY)
    act(client, group, "unresolve")
    act(client, group, "ignore", times=10, by="slack:U123 Jane")
    act(client, group, "assign", team="@acme/payments")
    trail = client.get(f"/api/v1/audit?subject={group}").json()
    assert [(one["act"], one["by"], one["at"][:10]) for one in trail["audit"]] == [
        ("assign", "api", "2026-11-24"),
        ("ignore", "slack:U123 Jane", "2026-11-24"),
        ("unresolve", "api", "2026-11-24"),
        ("resolve", "jane", "2026-11-23"),
    ]
    assert [one["detail"] for one in trail["audit"]] == [
        {"team": "payments"},
        {"moment": None, "times": 10, "escalation": False},
        {},
        {"release": "1.4.2"},
    ]


def test_the_trail_has_silences_retries_and_reloads_too_page_by_page(
    client: TestClient, clock: Clock, vendor: Vendor
) -> None:
    body = {
        "matchers": [{"name": "team", "value": "search"}],
        "endsAt": (NOW + DAY).isoformat(),
        "createdBy": "ada",
        "comment": "moving",
    }
    silence = client.post("/api/v1/silences", json=body).json()["silenceID"]
    for _ in range(2):  # the second ends nothing
        clock.move(timedelta(minutes=1))
        client.delete(f"/api/v1/silences/{silence}?by=bob")
    client.post("/api/v1/rules/reload?by=eve")
    first = client.get("/api/v1/audit?limit=2").json()
    rest = client.get(f"/api/v1/audit?limit=2&cursor={first['next']}").json()
    found = [(one["act"], one["by"], one["subject"]) for one in first["audit"] + rest["audit"]]
    assert found == [
        ("reload", "eve", "rules"),
        ("expire", "bob", silence),
        ("silence", "ada", silence),
    ]


@pytest.mark.parametrize(
    ("what", "asked", "place", "said"),
    [
        ("resolve", {"relase": "1"}, "relase", "there is no such field"),
        ("resolve", {"newest_release": True}, "newest_release", "named a release"),
        ("resolve", {"by": "x" * 201}, "by", "<= 200"),
        ("ignore", {"until": "2026-11-22T00:00:00Z"}, "until", "it is past"),
        ("ignore", {"until": "9999-12-31T23:59:59-14:00"}, "until", "more than a year"),
        ("ignore", {"until": "2026-11-29T00:00:00"}, "until", "timezone"),
        ("ignore", {"times": 0}, "times", ">= 1"),
        ("assign", {"team": "serch"}, "team", 'did you mean "search"?'),
        ("assign", {}, "", "missing required field `team`"),
        ("assign", [], "", "Expected `object`"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_place(
    client: TestClient, what: str, asked: Any, place: str, said: str
) -> None:
    answer = client.post(f"/api/v1/groups/{fail(client)}/{what}", json=asked)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["place"]) == (422, place)
    assert said in error["detail"]


@pytest.mark.parametrize("body", [b"{", b'{"by": "\xff"}', b'{"by": "\\ud800"}', b"[" * 60_000])
def test_a_body_that_is_no_object_is_told_so(client: TestClient, body: bytes) -> None:
    group = fail(client)
    answer = client.post(f"/api/v1/groups/{group}/ignore", content=body)
    assert (answer.status_code, answer.json()["errors"][0]["place"]) == (422, "")
    assert client.post(f"/api/v1/groups/{group}/ignore", content=b" " * 70_000).status_code == 413


def test_an_escalation_that_no_policy_has_would_never_end(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        answer = client.post(f"/api/v1/groups/{fail(client)}/ignore", json={"escalation": True})
    assert (answer.status_code, answer.json()["errors"][0]["place"]) == (422, "escalation")


def test_what_is_done_to_no_group_is_nothing(client: TestClient) -> None:
    house = inside(client)
    assert acts.resolve(house, "none", by="page") is None
    assert acts.unresolve(house, "none", by="page") is None
    assert acts.ignore(house, "none", by="page", until=Until()) is None
    assert acts.assign(house, "none", "search", by="page") is None
    assert client.get("/api/v1/audit").json()["audit"] == []


def test_whoever_did_it_is_cut_and_cleaned(client: TestClient) -> None:
    acts.resolve(inside(client), fail(client), by="\0\ud800" + "x" * 500)
    (entry,) = client.get("/api/v1/audit").json()["audit"]
    assert (len(entry["by"]), entry["by"][:3]) == (200, "\N{REPLACEMENT CHARACTER}" * 2 + "x")


def test_only_so_many_releases_are_remembered(client: TestClient, clock: Clock) -> None:
    def seen(release: str) -> datetime | None:
        return inside(client).writer.run(lambda tx: tx.releases.first_seen("1", release))

    for day in range(3):
        names = [f"{day}-{number}" for number in range(600)]
        events = [{"frames": ["billing/tax.py"], "release": name} for name in names]
        client.post("/api/v1/events", json=events)
        clock.move(DAY)
    assert [seen("0-0"), seen("1-0"), seen("2-0")] == [None, NOW + DAY, NOW + 2 * DAY]


def test_a_closing_that_cannot_be_sent_is_told_to_nobody_else(
    client: TestClient, clock: Clock, vendor: Vendor, tmp_path: Path
) -> None:
    group = fail(client)
    settled(client)
    vendor.is_down = True
    clock.move(DAY)
    act(client, group, "resolve")
    until(lambda: shown(client, group)["deliveries"][0]["attempts"])
    pager = RULES.splitlines()[5]
    changed = RULES.replace(pager, "  payments-pager: {log: {}}").replace(": []", ": [log]")
    (tmp_path / "rules.yaml").write_text(changed)
    assert client.post("/api/v1/rules/reload").json()["problems"] == []
    clock.move(timedelta(hours=1))
    assert settled(client) == {"delivered": 1, "dead": 1}
    dead = shown(client, group)["deliveries"][0]
    assert (dead["last_code"], dead["fallback"]) == ("receiver_gone", None)


def test_while_a_silence_hides_a_move_its_incident_stays(
    client: TestClient, clock: Clock, vendor: Vendor, tmp_path: Path
) -> None:
    fail(client)
    settled(client)
    body = {
        "matchers": [{"name": "team", "value": "search"}],
        "endsAt": (NOW + 2 * DAY).isoformat(),
        "createdBy": "ada",
        "comment": "moving",
    }
    client.post("/api/v1/silences", json=body)
    (tmp_path / "rules.yaml").write_text(RULES + "  - {path: /billing/tax.py, owner: search}\n")
    client.post("/api/v1/rules/reload")
    clock.move(DAY)
    fail(client)
    assert (told(client), vendor.open_at()) == (["payments first_seen"], ["P"])
    clock.move(2 * DAY)
    fail(client)
    settled(client)
    assert vendor.open_at() == ["S"]


def test_while_a_move_can_be_told_to_nobody_its_incident_stays(
    client: TestClient, clock: Clock, vendor: Vendor, tmp_path: Path
) -> None:
    fail(client, environment="staging")
    settled(client)
    moved = RULES + "  - {path: /billing/tax.py, owner: search}\n"
    for at, rules in enumerate(
        (moved.replace("search-pager}", "search-pager, when: {environment: production}}", 1), moved)
    ):
        (tmp_path / "rules.yaml").write_text(rules)
        client.post("/api/v1/rules/reload")
        clock.move(DAY)
        fail(client, environment="staging")
        settled(client)
        assert vendor.open_at() == ["PS"[at]]
    assert told(client)[-1] == "search owner_changed"


def test_a_team_that_only_observes_has_nothing_closed(
    client: TestClient, clock: Clock, vendor: Vendor, tmp_path: Path
) -> None:
    group = fail(client)
    settled(client)
    observing = RULES.replace("payments: {", "payments: {mode: observe, ")
    (tmp_path / "rules.yaml").write_text(observing)
    client.post("/api/v1/rules/reload")
    clock.move(DAY)
    act(client, group, "resolve")
    settled(client)
    assert vendor.open_at() == ["P"]
