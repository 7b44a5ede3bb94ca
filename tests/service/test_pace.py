"""No flood: what would be too fast becomes one message, which names or counts everything."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from routers.pace import Bucket, Pace, filled, spent, wait
from tests.builders import NOW
from tests.service.house import Clock, running
from tests.service.test_worker import until

pytestmark = pytest.mark.usefixtures("either")

RULES = """version: 1
teams:
  payments: {receivers: [{channel: slack}]}
channels:
  slack: {slack: {webhook_url: https://hooks.slack.com/services/T0/B0/x}}
  second: {slack: {webhook_url: https://hooks.slack.com/services/T1/B1/y}}
policy: {fallback_receivers: [second]}
rules: [{path: /billing/, owner: payments}]
"""
PACE = Pace(per_second=2.0, burst=4)
LOST = 0  # it took the message, and its answer does not arrive


class Slack:
    """Remembers each message that it took, as text."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []  # path, body
        self.answer: Callable[[str], int] = lambda _path: 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        status = self.answer(request.url.path)
        if status in (200, LOST):
            self.told.append((request.url.path, request.content.decode()))
        if status == LOST:
            raise httpx.ReadError("no answer", request=request)
        return httpx.Response(status, text="ok" if status == 200 else "no")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def client(tmp_path: Path, clock: Clock, slack: Slack) -> Iterator[TestClient]:
    (tmp_path / "rules.yaml").write_text(RULES)
    with running(tmp_path, clock, transport=httpx.MockTransport(slack)) as client:
        yield client


def flood(client: TestClient, count: int, name: str = "Flood") -> None:
    """So many errors that are new, at once."""
    events = [
        {"exceptions": [{"type": f"{name}{number:04}Error", "frames": [f"billing/n{number}.py"]}]}
        for number in range(count)
    ]
    client.post("/api/v1/events", json=events).raise_for_status()


def states(client: TestClient) -> dict[str, int]:
    """Of what is told but for notices that a destination cannot be."""
    noticed = Counter(one["state"] for one in notices(client))
    books: dict[str, Any] = client.get("/api/v1/accounting").json()
    assert books["unaccounted"] == 0
    return {name: n - noticed[name] for name, n in books["deliveries"].items() if n > noticed[name]}


def notices(client: TestClient) -> list[dict[str, Any]]:
    listed = client.get("/api/v1/deliveries?limit=200").json()["deliveries"]
    return [one for one in listed if "cannot be told" in one["notification"]["title"]]


def named(told: list[tuple[str, str]]) -> list[str]:
    """The delivery that each message ends with."""
    return re.findall("Delivery ([0-9a-f-]{36})", "".join(body for _, body in told))


@pytest.mark.parametrize(
    ("before", "seconds", "tokens"),
    [(None, 0, 4), (0, 0, 0), (0, 1, 2), (3, 60, 4), (1.5, 0.5, 2.5), (2, -60, 2)],
)
def test_a_bucket_fills_up_to_a_burst(before: float | None, seconds: float, tokens: float) -> None:
    bucket = None if before is None else Bucket(before, NOW)
    assert filled(bucket, PACE, NOW + timedelta(seconds=seconds)).tokens == tokens


@pytest.mark.parametrize(("tokens", "seconds"), [(0, 0.5), (0.5, 0.25), (1, 0), (3, 0)])
def test_a_token_is_waited_for(tokens: float, seconds: float) -> None:
    assert wait(Bucket(tokens, NOW), PACE).total_seconds() == seconds


def test_a_message_costs_a_token() -> None:
    assert spent(Bucket(3, NOW)).tokens == 2


def test_a_few_are_told_one_by_one(client: TestClient) -> None:
    flood(client, 2)
    until(lambda: states(client) == {"delivered": 2})


def test_a_flood_is_told_in_few_messages_and_nothing_is_missing(
    client: TestClient, clock: Clock, slack: Slack
) -> None:
    flood(client, 60)
    until(lambda: states(client) == {"delivered": 3, "merged": 57})
    text = "".join(body for _, body in slack.told)
    named = {number for number in range(60) if f"Flood{number:04}Error" in text}
    assert len(slack.told) == 3
    assert "58 alerts, the worst" in text
    assert f"and {60 - len(named)} more" in text


def test_what_comes_while_it_is_quiet_is_told_together_when_it_may(
    client: TestClient, clock: Clock, slack: Slack
) -> None:
    flood(client, 3)
    until(lambda: states(client).get("delivered") == 3)
    for number in range(5):
        frames = [{"type": f"Late{number}Error", "frames": ["billing/late.py"]}]
        client.post("/api/v1/events", json={"exceptions": frames})
    assert states(client) == {"delivered": 3, "pending": 5}
    clock.move(timedelta(seconds=1))
    until(lambda: states(client) == {"delivered": 4, "merged": 4})
    assert "5 alerts, the worst" in slack.told[-1][1]


def test_a_merged_message_that_fails_comes_again_whole(
    client: TestClient, clock: Clock, slack: Slack
) -> None:
    flood(client, 2)
    until(lambda: states(client) == {"delivered": 2})
    slack.answer = lambda _path: 500
    flood(client, 30)
    until(lambda: "server_error" in client.get("/api/v1/deliveries?limit=200").text)
    slack.answer = lambda _path: 200
    clock.move(timedelta(minutes=6))
    until(lambda: states(client).get("pending", 0) == 0)
    text = "".join(body for _, body in slack.told)
    assert "28 alerts" in text
    assert states(client) == {"delivered": 3, "merged": 27}


def test_a_dead_destination_hands_everything_to_the_fallback(
    client: TestClient, clock: Clock, slack: Slack
) -> None:
    slack.answer = lambda path: 404 if "T0" in path else 200
    flood(client, 12)
    # of the burst of three, one is the notice that it is dead
    until(lambda: states(client) == {"dead": 12, "delivered": 2, "merged": 10})
    assert {path for path, _ in slack.told} == {"/services/T1/B1/y"}


def test_what_a_lost_message_told_goes_by_its_own_id_at_the_fallback(
    client: TestClient, clock: Clock, slack: Slack
) -> None:
    flood(client, 2)
    until(lambda: states(client) == {"delivered": 2})
    slack.answer = lambda _path: LOST
    flood(client, 2, "Both")
    (lost,) = until(lambda: named(slack.told[2:]))
    slack.answer = lambda path: 404 if "T0" in path else 200
    clock.move(timedelta(minutes=6))
    until(lambda: states(client) == {"dead": 2, "delivered": 4})
    dead = client.get("/api/v1/deliveries?state=dead").json()["deliveries"]
    told = [one for one in slack.told[3:] if "cannot be told" not in one[1]]
    assert sorted(named(told)) == sorted(one["id"] for one in dead)
    assert lost in named(told)


def test_what_died_in_anothers_message_can_be_retried(client: TestClient, slack: Slack) -> None:
    slack.answer = lambda _path: 404
    flood(client, 12)
    until(lambda: states(client) == {"dead": 24})
    slack.answer = lambda _path: 200
    dead = client.get("/api/v1/deliveries?state=dead&limit=200").json()["deliveries"]
    answer = client.post(f"/api/v1/deliveries/{dead[0]['id']}/retry").raise_for_status()
    retried = answer.json()  # not asked for again: its worker does not wait for us
    assert (retried["id"], retried["state"]) == (dead[0]["id"], "pending")


def test_each_delivery_names_the_one_that_told_it(client: TestClient) -> None:
    flood(client, 10)
    until(lambda: states(client) == {"delivered": 3, "merged": 7})
    listed = client.get("/api/v1/deliveries?limit=200").json()["deliveries"]
    carriers = {one["carrier"] for one in listed if one["state"] == "merged"}
    (carrier,) = carriers
    assert carrier in {one["id"] for one in listed if one["state"] == "delivered"}


def test_a_digest_is_never_lost_in_a_flood(client: TestClient, clock: Clock, slack: Slack) -> None:
    flood(client, 60)
    until(lambda: states(client) == {"delivered": 3, "merged": 57})
    flood(client, 5, "Later")
    client.post("/api/v1/digest").raise_for_status()
    clock.move(timedelta(seconds=1))
    until(lambda: states(client).get("merged") == 61)
    clock.move(timedelta(seconds=1))
    until(lambda: states(client).get("pending", 0) == 0)
    (digest,) = [body for _, body in slack.told if "Digest" in body]
    assert "Digest: a quiet week" in digest
    assert "5 alerts, the worst" in slack.told[-2][1]


def test_what_another_carries_waits_for_its_destination_where_it_has_no_other(
    tmp_path: Path, clock: Clock, slack: Slack
) -> None:
    both = RULES.replace("[{channel: slack}]}", "[{channel: slack}, {channel: second}]}").replace(
        "channels:", "  search: {receivers: [{channel: slack}]}\nchannels:"
    )
    both = both.replace("policy: {fallback_receivers: [second]}\n", "").replace(
        "owner: payments}]", "owner: payments}, {path: /search/, owner: search}]"
    )
    (tmp_path / "rules.yaml").write_text(both)
    with running(tmp_path, clock, transport=httpx.MockTransport(slack)) as client:
        flood(client, 2)
        until(lambda: states(client) == {"delivered": 2})
        slack.answer = lambda path: 500 if "T0" in path else 200
        events = [
            {"exceptions": [{"type": "BillError", "frames": ["billing/b.py"]}]},
            {"exceptions": [{"type": "SearchError", "frames": ["search/a.py"]}]},
        ]
        client.post("/api/v1/events", json=events).raise_for_status()
        while states(client).get("dead", 0) == 0:
            time.sleep(0.1)
            clock.move(timedelta(seconds=20))
        until(lambda: states(client) == {"delivered": 3, "dead": 1, "pending": 1})
        slack.answer = lambda _path: 200
        clock.move(timedelta(minutes=6))
        until(lambda: states(client) == {"delivered": 4, "dead": 1})
        assert any("T0" in path and "SearchError" in body for path, body in slack.told)


def test_what_was_tried_comes_again_as_it_was(
    client: TestClient, clock: Clock, slack: Slack
) -> None:
    flood(client, 2)
    until(lambda: states(client) == {"delivered": 2})
    slack.answer = lambda _path: 500
    flood(client, 1, "Lost")  # the burst's last
    until(lambda: client.get("/api/v1/deliveries").json()["deliveries"][0]["last_code"])
    slack.answer = lambda _path: 200
    clock.move(timedelta(milliseconds=999))
    flood(client, 5, "Later")
    clock.move(timedelta(milliseconds=500))
    until(lambda: len(slack.told) == 3)
    clock.move(timedelta(seconds=1))
    until(lambda: states(client) == {"delivered": 4, "merged": 4})
    (lost,) = [body for _, body in slack.told if "Lost" in body]
    assert "Later" not in lost
