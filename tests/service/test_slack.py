"""Slack's messages and what is pressed in them, against a workspace that keeps Slack's limits."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service import acts
from service.simulators.slack import (
    CHANNEL,
    TOKEN,
    Slack,
    are_options,
    no,
    pinged,
    pressable,
    signed,
)
from service.store.threads import ThreadStore
from tests.alerts import NOTIFICATION
from tests.routers.test_slack import ATTACK
from tests.service.house import Clock, running
from tests.service.test_worker import delivery, inside, until

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
RULES = f"""version: 1
teams:
  payments: {{receivers: [{{channel: bot}}]}}
  search: {{name: "Search & <!channel> *boom*", receivers: [{{channel: log}}]}}
channels:
  bot: {{slack: {{token: {TOKEN}, channel: {CHANNEL}}}}}
rules: [{{path: /billing/, owner: payments}}]
"""
MINUTE = timedelta(minutes=1)


class Workspace:
    """A service, and the Slack that it tells."""

    def __init__(self, client: TestClient, slack: Slack, clock: Clock) -> None:
        self.client, self.slack, self.clock = client, slack, clock

    def fail(self, file: str = "billing/tax.py", **more: Any) -> str:
        """The group. It fails later than what was done before."""
        self.clock.move(timedelta(seconds=1))
        event = {"message": "no rate", "frames": [file], **more}
        answer = self.client.post("/api/v1/events", json=event).raise_for_status()
        return str(answer.json()["events"][0]["group"])

    def told(self, file: str = "billing/tax.py", **more: Any) -> tuple[str, str]:
        """The group, and the ts of its message, once that is delivered."""
        before = len(self.slack.firsts)
        group = self.fail(file, **more)
        until(lambda: len(self.slack.firsts) > before)
        until(lambda: not self.deliveries("pending"))
        self.clock.move(timedelta(seconds=1))  # what is done next is done later
        return group, str(self.slack.firsts[-1]["ts"])

    def post(self, body: bytes, secret: str = SECRET, late: timedelta = timedelta()) -> Any:
        headers = signed(body, secret, self.clock.now - late)
        return self.client.post("/hooks/slack", content=body, headers=headers)

    def press(self, ts: str, action: str, value: str = "", **by: str) -> httpx.Response:
        self.clock.move(timedelta(seconds=1))  # no two are the same request
        answer: httpx.Response = self.post(self.slack.pressed(ts, action, value, **by))
        return answer

    def group(self, id: str) -> dict[str, Any]:  # noqa: A002
        shown: dict[str, Any] = self.client.get(f"/api/v1/groups/{id}").json()
        return shown

    def deliveries(self, state: str) -> list[dict[str, Any]]:
        listed = self.client.get("/api/v1/deliveries", params={"state": state}).json()
        return list(listed["deliveries"])

    def last_line(self, ts: str) -> str:
        """What the message ends with: what a person did, or its buttons."""
        block = self.slack.shown[ts]["blocks"][-1]
        return str(block.get("text", {}).get("text", block["type"]))

    def ends_with(self, ts: str, line: str) -> bool:
        until(lambda: self.last_line(ts) == line)
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Slack:
    return Slack(clock)


@pytest.fixture
def started(tmp_path: Path, clock: Clock, slack: Slack) -> Callable[..., Any]:
    (tmp_path / "rules.yaml").write_text(RULES)

    def start(transport: Callable[..., httpx.Response] = slack, secret: str = SECRET) -> Any:
        more = {"slack_signing_secret": SecretStr(secret)}
        return running(tmp_path, clock, transport=httpx.MockTransport(transport), **more)

    return start


@pytest.fixture
def work(started: Callable[..., Any], slack: Slack, clock: Clock) -> Iterator[Workspace]:
    with started() as client:
        yield Workspace(client, slack, clock)


def form(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


@pytest.mark.parametrize(
    ("action", "value", "shown"),
    [
        ("resolve", "", "✓ resolved by ada"),
        ("ignore", "", "✓ ignored by ada"),
        ("assign", "search", "✓ given to search by ada"),
        ("silence", "8 h", "✓ silenced for 8 h by ada"),
    ],
)
def test_the_message_says_who_did_what_and_the_buttons_go(
    work: Workspace, action: str, value: str, shown: str
) -> None:
    _, ts = work.told()
    assert list(pressable(work.slack.shown[ts])) == ["resolve", "ignore", "assign", "silence"]
    answer = work.press(ts, action, value)
    assert (answer.status_code, answer.content) == (200, b"")
    assert work.ends_with(ts, shown)
    assert pressable(work.slack.shown[ts]) == {}


def test_a_message_that_changes_keeps_its_links_and_its_words(
    started: Callable[..., Any], slack: Slack, clock: Clock, tmp_path: Path
) -> None:
    worded = RULES.replace("}}\nrules:", '}, body: "{{ title }} is yours"}\nrules:')
    policy = "policy: {source_url: 'https://git.test/blob/main/{path}'}\n"
    (tmp_path / "rules.yaml").write_text(worded + policy)
    with started() as client:
        work = Workspace(client, slack, clock)
        _, ts = work.told()
        (*before, _) = slack.shown[ts]["blocks"]
        work.press(ts, "resolve")
        assert work.ends_with(ts, "✓ resolved by ada")
    (*after, _) = slack.shown[ts]["blocks"]
    assert after == before
    assert "no rate is yours" in str(after)
    assert "https://git.test/blob/main/billing/tax.py" in str(after)


def test_what_is_pressed_is_done(work: Workspace) -> None:
    group, ts = work.told()
    work.press(ts, "resolve")
    assert work.group(group)["status"] == "resolved"
    until(lambda: work.last_line(ts) != "actions")


def test_ignored_is_for_a_day(work: Workspace) -> None:
    group, ts = work.told()
    work.press(ts, "ignore")
    ignored = work.group(group)["ignored"]
    until_then = (work.clock.now + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert ignored["until"]["moment"] == until_then


def test_silenced_is_that_group_for_so_long(work: Workspace) -> None:
    group, ts = work.told()
    work.press(ts, "silence", "1 h")
    (silence,) = work.client.get("/api/v1/silences").json()["silences"]
    (matcher,) = silence["matchers"]
    ends_at = (work.clock.now + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert (matcher["name"], matcher["value"], silence["endsAt"]) == ("group", group, ends_at)
    assert silence["createdBy"] == "slack:U0 ada"


def test_not_ours_gives_it_to_the_team(work: Workspace) -> None:
    group, ts = work.told()
    work.press(ts, "assign", "search")
    assert work.group(group)["assigned"] == "search"


def test_the_menu_of_teams_has_those_that_fit(work: Workspace) -> None:
    _, ts = work.told()
    found = work.post(work.slack.typed(ts, "assign", "SEAR")).json()["options"]
    everyone = work.post(work.slack.typed(ts, "assign", "")).json()["options"]
    nobody = work.post(work.slack.typed(ts, "assign", "zzz")).json()["options"]
    assert are_options(found)
    assert are_options(everyone)
    (text,) = (one["text"]["text"] for one in found)
    assert text == "Search &amp; &lt;!channel&gt; *boom*"
    assert [[one["value"] for one in some] for some in (found, everyone, nobody)] == [
        ["search"],
        ["payments", "search"],
        [],
    ]


def test_hostile_text_pings_nobody_wherever_it_comes_from(work: Workspace) -> None:
    _, ts = work.told(message=ATTACK)
    work.press(ts, "resolve", user=ATTACK)
    until(lambda: work.last_line(ts).startswith("✓ resolved by &lt;!channel&gt;"))
    work.fail(message=ATTACK)
    until(lambda: work.slack.thread(ts))
    assert [pinged(message) for message in work.slack.shown.values()] == [[], []]


def test_what_is_done_elsewhere_is_shown_too_and_taken_back(work: Workspace) -> None:
    group, ts = work.told()
    work.client.post(f"/api/v1/groups/{group}/resolve").raise_for_status()
    assert work.ends_with(ts, "✓ resolved by api")
    acts.unresolve(inside(work.client), group, by="api")
    assert work.ends_with(ts, "actions")


def test_a_regression_is_told_in_the_thread_and_the_buttons_come_back(work: Workspace) -> None:
    _, ts = work.told()
    work.press(ts, "resolve")
    assert work.ends_with(ts, "✓ resolved by ada")
    work.fail()
    (reply,) = until(lambda: work.slack.thread(ts))
    assert (reply["reply_broadcast"], work.last_line(ts)) == (True, "✓ resolved by ada")
    work.clock.move(MINUTE)  # since the message was last changed
    assert work.ends_with(ts, "actions")


def test_a_merged_group_begins_its_thread_at_its_next_alert(work: Workspace) -> None:
    crowd = [{"message": name, "frames": [f"billing/{name}.py"]} for name in "abcdef"]
    work.client.post("/api/v1/events", json=crowd).raise_for_status()
    (merged, *_) = until(lambda: work.deliveries("merged"))
    many = next(one for one in work.slack.firsts if " alerts, the worst" in one["text"])
    group, name = merged["notification"]["group"], merged["notification"]["title"]
    work.clock.move(MINUTE)
    until(lambda: not work.deliveries("pending"))
    work.client.post(f"/api/v1/groups/{group}/resolve").raise_for_status()
    work.clock.move(MINUTE)
    _, ts = work.told(f"billing/{name}.py", message=name)
    assert work.slack.shown[ts]["text"].startswith(f"Back again: {name}")
    assert (pressable(many), work.slack.thread(many["ts"])) == ({}, [])


def test_a_restart_keeps_the_thread_and_what_is_due(
    started: Callable[..., Any], slack: Slack, clock: Clock
) -> None:
    with started() as client:
        first = Workspace(client, slack, clock)
        group, ts = first.told()
        inside(client).thread_watch.stop()
        first.press(ts, "resolve")
    assert first.last_line(ts) == "actions"
    with started() as client:
        again = Workspace(client, slack, clock)
        assert again.ends_with(ts, "✓ resolved by ada")
        assert again.fail() == group
        until(lambda: slack.thread(ts))


def test_a_digest_beside_it_leaves_the_message_alone(work: Workspace) -> None:
    group, ts = work.told()
    told = msgspec.structs.replace(NOTIFICATION, group=group, receiver="bot", reason="digest")
    inside(work.client).writer.run(lambda tx: tx.queue(told, work.clock.now))
    until(lambda: len(work.slack.firsts) == 2)
    until(lambda: not work.deliveries("pending"))
    work.press(ts, "resolve")
    assert work.ends_with(ts, "✓ resolved by ada")
    assert [one for one in work.slack.firsts[1]["blocks"] if one["type"] == "actions"] == []


def test_a_channel_that_is_unconfigured_for_a_while_keeps_its_thread(
    work: Workspace, tmp_path: Path
) -> None:
    group, ts = work.told()
    (tmp_path / "rules.yaml").write_text(RULES.replace(TOKEN, "$NOT_SET"))
    work.client.post("/api/v1/rules/reload").raise_for_status()
    work.press(ts, "resolve")
    store = ThreadStore(inside(work.client).engine)
    until(lambda: store.due(work.clock.now, 1) == [])
    kept = store.of("bot", group)
    assert kept
    assert (kept.ts, work.last_line(ts)) == (ts, "actions")


def test_an_update_that_is_too_fast_comes_later(
    started: Callable[..., Any], slack: Slack, clock: Clock
) -> None:
    asked: list[str] = []

    def busy(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/chat.update":
            asked.append(request.url.path)
            if len(asked) == 1:
                return httpx.Response(429, headers={"Retry-After": "90"})
        return slack(request)

    with started(busy) as client:
        work = Workspace(client, slack, clock)
        _, ts = work.told()
        work.press(ts, "resolve")
        until(lambda: asked)
        clock.move(timedelta(seconds=89))
        time.sleep(1.5)  # longer than the watch's pause
        assert len(asked) == 1
        clock.move(timedelta(seconds=1))
        assert work.ends_with(ts, "✓ resolved by ada")


@pytest.mark.parametrize("error", ["message_not_found", "invalid_auth"])
def test_a_message_that_cannot_be_changed_is_left(
    started: Callable[..., Any], slack: Slack, clock: Clock, error: str
) -> None:
    asked: list[str] = []

    def refusing(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/chat.update":
            asked.append(error)
            return no(error)
        return slack(request)

    with started(refusing) as client:
        work = Workspace(client, slack, clock)
        _, ts = work.told()
        work.press(ts, "resolve")
        until(lambda: asked)
        clock.move(2 * MINUTE)
        time.sleep(1.5)
    assert len(asked) == 1


def test_a_message_that_was_deleted_is_followed_by_a_new_one(work: Workspace) -> None:
    group, ts = work.told()
    work.client.post(f"/api/v1/groups/{group}/resolve").raise_for_status()
    until(lambda: work.last_line(ts) != "actions")
    del work.slack.shown[ts]
    work.clock.move(MINUTE)
    _, again = work.told()
    assert (again != ts, work.last_line(again)) == (True, "actions")


def test_without_the_secret_there_are_no_buttons_and_no_door(
    started: Callable[..., Any], slack: Slack, clock: Clock
) -> None:
    with started(secret="") as client:
        work = Workspace(client, slack, clock)
        _, ts = work.told()
        answer = work.post(form({"type": "block_actions"}))
    assert pressable(slack.shown[ts]) == {}
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "POINTSMAN_SLACK_SIGNING_SECRET is not set",
    )


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "another"},
        {"secret": ""},
        {"late": timedelta(seconds=301)},
        {"late": timedelta(seconds=-302)},
    ],
)
def test_what_is_not_slacks_or_of_another_time_does_nothing(
    work: Workspace, how: dict[str, Any]
) -> None:
    group, ts = work.told()
    answer = work.post(work.slack.pressed(ts, "resolve"), **how)
    assert (answer.status_code, work.group(group)["status"]) == (403, "unresolved")
    assert SECRET not in answer.text


@pytest.mark.parametrize("late", [timedelta(seconds=300), timedelta(seconds=-300)])
def test_five_minutes_either_way_are_in_time(work: Workspace, late: timedelta) -> None:
    _, ts = work.told()
    assert work.post(work.slack.pressed(ts, "resolve"), late=late).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Signature": "v0="},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": ""},
    ],
)
def test_odd_headers_are_refused(work: Workspace, headers: dict[str, str]) -> None:
    body = form({"type": "block_actions"})
    sent = signed(body, SECRET, work.clock.now) | headers
    raw = [(name, value.encode("utf-8")) for name, value in sent.items()]
    assert work.client.post("/hooks/slack", content=body, headers=raw).status_code == 403


def test_the_same_request_twice_acts_once(work: Workspace) -> None:
    group, ts = work.told()
    body = work.slack.pressed(ts, "resolve")
    first = work.post(body)
    work.fail()
    until(lambda: work.group(group)["status"] == "unresolved")
    second = work.post(body, late=timedelta(seconds=1))  # as it was signed then
    assert (first.content, second.json()) == (b"", {"ignored": "it was said before"})
    assert work.group(group)["status"] == "unresolved"


def test_two_who_press_at_once_are_told_that_it_is_done(work: Workspace) -> None:
    _, ts = work.told()
    body = work.slack.pressed(ts, "resolve", user="bob")
    work.press(ts, "resolve")
    assert work.post(body).json() == {"ignored": "it is resolved already"}
    assert work.ends_with(ts, "✓ resolved by ada")


def pressed(**over: Any) -> dict[str, Any]:
    """Of a button in a group that nobody knows."""
    acted = {"type": "button", "block_id": f"group:{'0' * 16}", "action_id": "resolve"}
    return {"type": "block_actions", "user": {"id": "U0"}, "actions": [acted | over]}


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({}, 200),
        ({"type": "view_submission"}, 200),
        ({"type": "block_actions"}, 200),
        ({"type": "block_actions", "actions": "resolve"}, 200),
        ({"type": "block_actions", "actions": [7]}, 200),
        (pressed(block_id="another app's"), 200),
        (pressed(block_id=None), 200),
        (pressed(action_id="delete"), 200),
        (pressed(action_id=["resolve"]), 200),
        (pressed(), 404),
        ([], 400),
        ("{}", 400),
    ],
)
def test_what_is_not_ours_changes_nothing(work: Workspace, payload: Any, status: int) -> None:
    answer = work.post(form(payload))
    assert answer.status_code == status
    assert "ignored" in answer.json() or answer.headers["content-type"].startswith(
        "application/problem+json"
    )


@pytest.mark.parametrize(
    "body", [b"", b"payload", b"payload={", b"p=1", b"\xff", b"&" * 999, b"payload=" + b"[" * 9_999]
)
def test_what_cannot_be_read_is_refused(work: Workspace, body: bytes) -> None:
    assert work.post(body).status_code == 400


def test_a_body_is_bounded(work: Workspace) -> None:
    assert work.post(b"payload=" + b"x" * 2**20).status_code == 413


@pytest.mark.parametrize(
    ("action", "value", "status"),
    [("assign", "nobody", 422), ("assign", "", 200), ("silence", "9 y", 200)],
)
def test_a_choice_that_is_none_changes_nothing(
    work: Workspace, action: str, value: str, status: int
) -> None:
    group, ts = work.told()
    answer = work.press(ts, action, value)
    assert (answer.status_code, work.group(group)["assigned"]) == (status, None)
    assert work.client.get("/api/v1/silences").json()["silences"] == []


def test_a_delivery_names_its_message(work: Workspace) -> None:
    _, ts = work.told()
    assert delivery(work.client, "delivered")["external_id"] == ts
