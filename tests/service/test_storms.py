"""Many new groups with one thing in common are one message, and nothing of them is missing."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from routers.storm import GATHER
from tests.service.house import Clock, running
from tests.service.test_pace import states
from tests.service.test_worker import until

pytestmark = pytest.mark.usefixtures("either")

RULES = """version: 1
teams:
  payments: {receivers: [{channel: hook}]}
  search: {receivers: [{channel: hook}]}
channels:
  hook: {webhook: {url: https://hooks.example/a}}
  pager: {pagerduty: {routing_key: R0PQ4XA2KDDW7H3M5TZC8VBN6YJE1FGS}}
  second: {webhook: {url: https://hooks.example/b}}
policy: {fallback_receivers: [second], storm: {groups: 5, within: 60s}}
rules:
  - {path: /billing/, owner: payments}
  - {path: /search/, owner: search}
"""
PAGER = RULES.replace(
    "payments: {receivers: [{channel: hook}]}", "payments: {receivers: [{channel: pager}]}"
)


class Peer:
    """Takes what it is told, as JSON."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []  # path, body
        self.status = {"/a": 200, "/b": 200}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        status = self.status.get(request.url.path, 202)
        if status < 300:
            self.told.append((request.url.path, json.loads(request.content)))
        return httpx.Response(status, json={"status": "success"})

    def storms(self) -> list[dict[str, Any]]:
        return [body for _, body in self.told if "storm" in body]

    def titles(self) -> list[str]:
        told = [one["title"] for _, body in self.told for one in body["notifications"]]
        return [title for title in told if "cannot be told" not in title]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def peer() -> Peer:
    return Peer()


@contextmanager
def served(folder: Path, clock: Clock, peer: Peer, rules: str = RULES) -> Iterator[TestClient]:
    (folder / "rules.yaml").write_text(rules)
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        yield client


@pytest.fixture
def client(tmp_path: Path, clock: Clock, peer: Peer) -> Iterator[TestClient]:
    with served(tmp_path, clock, peer) as client:
        yield client


def breaks(client: TestClient, *numbers: int, **over: Any) -> None:
    """So many new errors of one release, at once."""
    events = [
        {
            "exceptions": [{"type": f"Storm{number:04}Error", "frames": [f"billing/n{number}.py"]}],
            "release": "shop@7",
            **over,
        }
        for number in numbers
    ]
    client.post("/api/v1/events", json=events).raise_for_status()


def test_the_first_is_told_at_once_and_the_others_as_one(
    client: TestClient, clock: Clock, peer: Peer
) -> None:
    breaks(client, *range(200))
    until(lambda: states(client) == {"delivered": 1, "pending": 199})
    assert peer.titles() == ["Storm0000Error"]
    clock.move(GATHER)
    until(lambda: states(client) == {"delivered": 2, "merged": 198})
    (storm,) = peer.storms()
    assert (storm["storm"]["cause"], storm["storm"]["groups"], storm["storm"]["events"]) == (
        {"kind": "release", "value": "shop@7"},
        200,
        200,
    )
    assert sorted(peer.titles()) == [f"Storm{number:04}Error" for number in range(200)]
    assert storm["omitted"] == 0


def test_the_page_of_what_gathers_says_when_it_is_told(
    client: TestClient, clock: Clock, peer: Peer
) -> None:
    breaks(client, *range(10))
    until(lambda: states(client) == {"delivered": 1, "pending": 9})
    told = client.get("/api/v1/deliveries?state=pending").json()["deliveries"]
    (carrier,) = {one["carrier"] for one in told} - {None}
    carried = next(one for one in told if one["carrier"])
    gathers = page_of(client, carried)
    assert "one message will tell it with others of its storm" in gathers
    assert "0 attempts, due in 5 s" in gathers
    (message,) = [one for one in told if one["id"] == carrier]
    assert "gathers what else is of its storm" in page_of(client, message)
    clock.move(GATHER)
    until(lambda: states(client) == {"delivered": 2, "merged": 8})
    settled = page_of(client, carried)
    assert f"<dt>Told by</dt><dd><code>{carrier}</code></dd>" in settled
    assert "1 attempt, settled just now" in settled
    assert "of its storm" not in settled


def test_a_storms_message_that_is_tried_again_gathers_no_more(
    client: TestClient, clock: Clock, peer: Peer
) -> None:
    breaks(client, *range(10))
    until(lambda: states(client) == {"delivered": 1, "pending": 9})
    peer.status["/a"] = 503
    clock.move(GATHER)
    (tried,) = until(
        lambda: [
            one
            for one in client.get("/api/v1/deliveries?state=pending").json()["deliveries"]
            if one["last_code"]
        ]
    )
    assert "gathers" not in page_of(client, tried)


def page_of(client: TestClient, delivery: dict[str, Any]) -> str:
    """Of its group, with each blank once."""
    found = client.get(f"/groups/{delivery['notification']['group']}").text
    return " ".join(re.sub(r"</?time[^>]*>", "", found).split())


def test_few_are_no_storm(client: TestClient, peer: Peer) -> None:
    breaks(client, *range(4))
    until(lambda: states(client) == {"delivered": 4})
    assert peer.storms() == []


def test_what_was_told_before_it_was_noticed_is_counted_too(
    client: TestClient, clock: Clock, peer: Peer
) -> None:
    for number in range(4):
        breaks(client, number)
        until(lambda number=number: states(client) == {"delivered": number + 1})
    breaks(client, *range(4, 10), 4, 5)
    clock.move(GATHER)
    until(lambda: states(client) == {"delivered": 5, "merged": 5})
    (storm,) = peer.storms()
    assert (storm["storm"]["groups"], storm["storm"]["events"]) == (10, 12)
    assert len(storm["notifications"]) == 6


def test_a_storm_that_goes_on_is_told_again_and_rarer(
    client: TestClient, clock: Clock, peer: Peer
) -> None:
    breaks(client, *range(10))
    clock.move(GATHER)
    until(lambda: len(peer.storms()) == 1)
    breaks(client, *range(10, 20))
    clock.move(timedelta(seconds=59))
    breaks(client, *range(20, 30))
    assert states(client) == {"delivered": 2, "merged": 8, "pending": 20}
    clock.move(timedelta(seconds=1))
    until(lambda: states(client) == {"delivered": 3, "merged": 27})
    first, second = peer.storms()
    assert first["storm"]["id"] == second["storm"]["id"]
    assert (second["storm"]["groups"], len(second["notifications"])) == (30, 20)


def test_after_a_storm_a_new_error_is_told_at_once(
    client: TestClient, clock: Clock, peer: Peer
) -> None:
    breaks(client, *range(10))
    clock.move(GATHER)
    until(lambda: len(peer.storms()) == 1)
    clock.move(timedelta(seconds=61))
    breaks(client, 10)
    until(lambda: peer.titles()[-1] == "Storm0010Error")


def test_another_teams_error_is_told_while_the_storm_gathers(
    client: TestClient, peer: Peer
) -> None:
    breaks(client, *range(50))
    client.post("/api/v1/events", json={"frames": ["search/a.py"], "release": "shop@7"})
    until(lambda: [body["team"] for _, body in peer.told] == ["payments", "search"])


def test_a_storm_survives_a_restart(tmp_path: Path, clock: Clock, peer: Peer) -> None:
    with served(tmp_path, clock, peer) as client:
        breaks(client, *range(10))
        until(lambda: states(client) == {"delivered": 1, "pending": 9})
    with served(tmp_path, clock, peer) as client:
        breaks(client, *range(10, 20))
        clock.move(GATHER)
        until(lambda: states(client) == {"delivered": 2, "merged": 18})
    assert len(peer.storms()) == 1


def test_where_incidents_are_opened_a_storm_is_one(
    tmp_path: Path, clock: Clock, peer: Peer
) -> None:
    with served(tmp_path, clock, peer, PAGER) as client:
        breaks(client, *range(10))
        clock.move(GATHER)
        until(lambda: states(client) == {"delivered": 2, "merged": 8})
        breaks(client, *range(10, 20))
        clock.move(timedelta(seconds=60))
        until(lambda: states(client) == {"delivered": 3, "merged": 17})
    first, *storms = [body["dedup_key"] for _, body in peer.told]
    assert len({*storms}) == 1 < len({first, *storms})
    assert storms[0].startswith("pointsman-storm-")


def test_a_dead_destination_hands_a_storm_to_the_fallback_as_one(
    client: TestClient, clock: Clock, peer: Peer
) -> None:
    peer.status["/a"] = 410
    breaks(client, *range(50))
    until(lambda: states(client) == {"dead": 1, "delivered": 1, "pending": 49})
    clock.move(GATHER)
    until(lambda: states(client)["dead"] == 50)
    clock.move(GATHER)
    until(lambda: states(client) == {"dead": 50, "delivered": 2, "merged": 48})
    assert len(peer.storms()) == 1
    assert len(peer.titles()) == 50


def test_a_storm_message_that_fails_comes_again_whole(
    client: TestClient, clock: Clock, peer: Peer
) -> None:
    peer.status["/a"] = 500
    breaks(client, *range(50))
    clock.move(GATHER)
    until(lambda: "server_error" in client.get("/api/v1/deliveries?limit=200").text)
    peer.status["/a"] = 200
    breaks(client, *range(50, 60))
    clock.move(timedelta(minutes=6))
    until(lambda: states(client).get("pending", 0) == 0)
    assert sorted(peer.titles()) == [f"Storm{number:04}Error" for number in range(60)]


@pytest.mark.parametrize("storm", ["{within: 0s}", "{groups: 1000}"])
def test_the_policy_says_what_a_storm_is(
    tmp_path: Path, clock: Clock, peer: Peer, storm: str
) -> None:
    rules = RULES.replace("storm: {groups: 5, within: 60s}", f"storm: {storm}")
    with served(tmp_path, clock, peer, rules) as client:
        breaks(client, *range(100))
        until(lambda: states(client) == {"delivered": 100})


def test_what_one_storm_tells_no_other_takes(client: TestClient, clock: Clock, peer: Peer) -> None:
    helper = [
        {"exceptions": [{"type": f"Helper{number}Error", "frames": ["billing/helper.py"]}]}
        for number in range(5)
    ]
    of_one_release = [error | {"release": "shop@7"} for error in helper]
    client.post("/api/v1/events", json=of_one_release).raise_for_status()
    breaks(client, *range(6))
    clock.move(GATHER)
    until(lambda: states(client).get("pending", 0) == 0)
    assert len(peer.titles()) == len(set(peer.titles())) == 11
    causes = [one["storm"]["cause"]["kind"] for one in peer.storms()]
    assert sorted(causes) == ["frame", "release"]


def test_what_a_storm_told_has_no_incident_of_its_own_to_close(
    tmp_path: Path, clock: Clock, peer: Peer
) -> None:
    with served(tmp_path, clock, peer, PAGER) as client:
        breaks(client, *range(10))
        clock.move(GATHER)
        until(lambda: states(client) == {"delivered": 2, "merged": 8})
        for group in client.get("/api/v1/groups").json()["groups"]:
            client.post(f"/api/v1/groups/{group['id']}/resolve").raise_for_status()
        until(lambda: states(client) == {"delivered": 3, "merged": 8})
    first, _storm, closing = [body for _, body in peer.told]
    assert (first["dedup_key"], "resolve") == (closing["dedup_key"], closing["event_action"])


def test_a_storms_message_that_died_and_is_retried_is_joined_by_nothing(
    tmp_path: Path, clock: Clock, peer: Peer
) -> None:
    rules = RULES.replace("fallback_receivers: [second]", "fallback_receivers: []")
    peer.status["/a"] = 410
    with served(tmp_path, clock, peer, rules) as client:
        breaks(client, *range(10))
        until(lambda: states(client) == {"dead": 1, "pending": 9})
        listed = client.get("/api/v1/deliveries?state=pending").json()["deliveries"]
        (gathers,) = {one["carrier"] for one in listed} - {None}
        clock.move(GATHER)
        until(lambda: states(client) == {"dead": 10})
        client.app.state.runtime.worker.stop()  # type: ignore[attr-defined]
        client.post(f"/api/v1/deliveries/{gathers}/retry").raise_for_status()
        breaks(client, 10)
        pending = client.get("/api/v1/deliveries?state=pending").json()["deliveries"]
        assert [one["carrier"] for one in pending] == [None, None]
