"""A dead destination: its alerts go elsewhere, it is asked now and then, and everybody is told."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.service.house import Clock, running
from tests.service.test_pace import notices, states
from tests.service.test_worker import delivery, until

pytestmark = pytest.mark.usefixtures("either")

RULES = """version: 1
teams:
  payments:
    receivers: [{channel: hook}, {channel: spare}]
channels:
  hook: {webhook: {url: https://hooks.example/hook}}
  spare: {webhook: {url: https://hooks.example/spare}}
  last: {webhook: {url: https://hooks.example/last}}
policy: {fallback_receivers: [last, log]}
rules: [{path: /billing/, owner: payments}]
"""
ALONE = RULES.replace(", {channel: spare}", "").replace("[last, log]", "[log]")
LONG = timedelta(minutes=6)  # longer than any backoff, and than any probe waits


class Peers:
    """Destinations by name: what each answers, and what each was asked and told."""

    def __init__(self) -> None:
        self.status: dict[str, int] = {}
        self.asked: list[str] = []
        self.told: list[str] = []
        self.noticed: list[str] = []  # who heard that another cannot be told

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/")
        self.asked.append(name)
        status = self.status.get(name, 200)
        if b"cannot be told" in request.content:
            self.noticed += [name] if status == 200 else []
            return httpx.Response(status)
        if status == 200:
            self.told.append(name)
        return httpx.Response(status)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def peers() -> Peers:
    return Peers()


@contextmanager
def served(folder: Path, clock: Clock, peers: Peers, rules: str = RULES) -> Iterator[TestClient]:
    (folder / "rules.yaml").write_text(rules)
    with running(folder, clock, transport=httpx.MockTransport(peers)) as client:
        yield client


@pytest.fixture
def client(tmp_path: Path, clock: Clock, peers: Peers) -> Iterator[TestClient]:
    with served(tmp_path, clock, peers) as client:
        yield client


def fails(client: TestClient, *numbers: int) -> None:
    """So many new errors."""
    events = [
        {"exceptions": [{"type": f"Broken{number}Error", "frames": [f"billing/n{number}.py"]}]}
        for number in numbers
    ]
    client.post("/api/v1/events", json=events).raise_for_status()


def dies(client: TestClient, clock: Clock, peers: Peers, status: int = 500) -> None:
    """Fails until its breaker is open."""
    peers.status["hook"] = status
    fails(client, 0)
    for number in range(5):
        until(lambda number=number: breaker(client).get("failures") == number + 1)
        clock.move(timedelta(seconds=20))
    assert breaker(client)["state"] == "open"


def breaker(client: TestClient) -> dict[str, Any]:
    (team,) = client.get("/api/v1/teams").json()["teams"]
    return team["receivers"][0]["breaker"] or {"state": None}


def test_who_hears_instead_is_told_once_that_another_cannot_be(
    client: TestClient, clock: Clock, peers: Peers
) -> None:
    peers.status["hook"] = 410
    fails(client, *range(3))
    until(lambda: peers.told == ["spare"] * 3)
    clock.move(LONG)  # a probe fails too
    fails(client, 3)
    until(lambda: peers.told == ["spare"] * 4)
    until(lambda: peers.noticed == ["spare"])
    (notice,) = [one["notification"] for one in notices(client)]
    said = {name: notice[name] for name in ("team", "reason", "severity", "title")}
    assert said == {
        "team": "payments",
        "reason": "digest",
        "severity": "warning",
        "title": "hook cannot be told: gone",
    }


def test_no_incident_is_opened_for_it(tmp_path: Path, clock: Clock, peers: Peers) -> None:
    pager = f"  spare: {{pagerduty: {{routing_key: {'k' * 32}}}}}"
    lines = [pager if "  spare:" in line else line for line in RULES.splitlines()]
    peers.status["hook"] = 410
    with served(tmp_path, clock, peers, "\n".join(lines)) as client:
        fails(client, 0)
        until(lambda: peers.noticed == ["last"])


def test_what_is_gone_is_asked_once_and_the_teams_next_receiver_told(
    client: TestClient, peers: Peers
) -> None:
    peers.status["hook"] = 410
    fails(client, *range(20))
    until(lambda: states(client) == {"dead": 20, "delivered": 20})
    assert (peers.asked.count("hook"), peers.told.count("spare")) == (1, 20)
    dead = client.get("/api/v1/deliveries?state=dead").json()["deliveries"]
    codes = Counter((one["last_code"], one["fallback"]) for one in dead)
    assert codes == {("gone", "spare"): 1, ("breaker_open", "spare"): 19}


def test_behind_the_teams_receivers_the_policys_are_told(client: TestClient, peers: Peers) -> None:
    peers.status |= {"hook": 410, "spare": 401}
    fails(client, *range(20))
    until(lambda: peers.told.count("last") == 20)
    assert (peers.asked.count("hook"), peers.asked.count("spare")) == (1, 1)


def test_one_that_does_not_answer_is_given_up_and_found_well_again(
    client: TestClient, clock: Clock, peers: Peers
) -> None:
    dies(client, clock, peers)
    asked = peers.asked.count("hook")
    fails(client, *range(1, 10))
    until(lambda: states(client).get("pending", 0) == 0)
    assert (peers.told, peers.asked.count("hook")) == (["spare"] * 10, asked)
    del peers.status["hook"]
    clock.move(LONG)
    fails(client, 10)
    until(lambda: "hook" in peers.told)
    until(lambda: breaker(client) == {"state": None})


def test_a_probe_that_fails_leaves_it_open(client: TestClient, clock: Clock, peers: Peers) -> None:
    peers.status["hook"] = 410
    fails(client, 0)
    until(lambda: peers.told == ["spare"])
    clock.move(timedelta(seconds=31))
    fails(client, *range(1, 6))
    until(lambda: peers.told == ["spare"] * 6)
    assert peers.asked.count("hook") == 2
    assert breaker(client)["failures"] == 2


def test_where_only_the_console_is_left_what_may_come_back_is_waited_for(
    tmp_path: Path, clock: Clock, peers: Peers
) -> None:
    with served(tmp_path, clock, peers, ALONE) as client:
        dies(client, clock, peers)
        fails(client, *range(1, 10))
        until(lambda: breaker(client)["state"] == "open")
        assert states(client) == {"pending": 10}
        del peers.status["hook"]
        clock.move(LONG)
        until(lambda: states(client) == {"delivered": 10})
    assert peers.told == ["hook"] * 10


def test_it_is_still_open_after_a_restart(tmp_path: Path, clock: Clock, peers: Peers) -> None:
    peers.status["hook"] = 410
    with served(tmp_path, clock, peers) as client:
        fails(client, 0)
        until(lambda: peers.told == ["spare"])
    with served(tmp_path, clock, peers) as client:
        assert breaker(client)["state"] == "open"
        fails(client, 1)
        until(lambda: peers.told == ["spare"] * 2)
    assert peers.asked.count("hook") == 1


def test_another_address_is_another_destination(
    tmp_path: Path, client: TestClient, peers: Peers
) -> None:
    peers.status["hook"] = 410
    fails(client, 0)
    until(lambda: peers.told == ["spare"])
    (tmp_path / "rules.yaml").write_text(RULES.replace("example/hook", "example/new"))
    client.post("/api/v1/rules/reload")
    assert breaker(client) == {"state": None}
    fails(client, 1)
    until(lambda: peers.told == ["spare", "new"])


def test_who_tries_a_delivery_again_asks_the_destination_at_once(
    client: TestClient, peers: Peers
) -> None:
    peers.status["hook"] = 410
    fails(client, 0)
    dead = delivery(client, "dead")
    until(lambda: peers.told == ["spare"])
    del peers.status["hook"]
    client.post(f"/api/v1/deliveries/{dead['id']}/retry").raise_for_status()
    until(lambda: peers.told == ["spare", "hook"])
    until(lambda: breaker(client) == {"state": None})


def test_readiness_metrics_and_page_say_so(client: TestClient, peers: Peers) -> None:
    peers.status |= {"hook": 410}
    fails(client, 0)
    until(lambda: peers.told == ["spare"])
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["warnings"]) == (200, ["breaker_open: hook (gone)"])
    metrics = client.get("/metrics").text
    assert 'pointsman_breaker_open{channel="hook"} 1.0' in metrics
    assert 'pointsman_breaker_open{channel="spare"} 0.0' in metrics
    assert "<code>hook</code> gone since" in client.get("/").text


def test_when_the_last_fallback_fails_too_everybody_can_see_it(
    tmp_path: Path, clock: Clock, peers: Peers
) -> None:
    peers.status |= {"hook": 410, "spare": 410, "last": 410}
    rules = RULES.replace("[last, log]", "[last]")
    with served(tmp_path, clock, peers, rules) as client:
        fails(client, *range(3))
        until(lambda: states(client) == {"dead": 9})
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert "dead_deliveries: 5 were told nowhere" in ready.json()["warnings"]
        assert "pointsman_dead_deliveries 5.0" in client.get("/metrics").text
        assert "5 alerts were told nowhere" in client.get("/").text


def test_what_waits_for_a_destination_does_not_wait_for_ever(
    tmp_path: Path, clock: Clock, peers: Peers
) -> None:
    with served(tmp_path, clock, peers, ALONE) as client:
        dies(client, clock, peers)
        fails(client, *range(1, 10))
        clock.move(timedelta(hours=25))
        until(lambda: states(client) == {"dead": 10, "delivered": 10})


def test_a_channel_that_the_rules_drop_is_waited_for_by_nobody(
    tmp_path: Path, clock: Clock, peers: Peers
) -> None:
    with served(tmp_path, clock, peers, ALONE) as client:
        dies(client, clock, peers)
        (tmp_path / "rules.yaml").write_text(ALONE.replace(" hook", " other"))
        client.post("/api/v1/rules/reload")
        clock.move(timedelta(seconds=90))
        until(lambda: states(client) == {"dead": 1, "delivered": 1})
