"""The doors of Rollbar's, Bugsnag's, Honeybadger's and Airbrake's clients, over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.ingest.limits import BODY
from tests.service.house import running

ITEM, NOTIFY = "/api/1/item/", "/notify"
NOTICES, NOTICES_JS, PROJECT_42 = "/v1/notices/", "/v1/notices/js", "/api/v3/projects/42/notices"
SENT: dict[str, Any] = {
    ITEM: {"data": {"body": {"message": {"body": "disk almost full"}}}},
    NOTIFY: {"events": [{"exceptions": [{"errorClass": "E", "message": "m"}]}]},
    NOTICES: {"error": {"class": "E", "message": "m"}},
    NOTICES_JS: {"error": {"class": "E", "message": "m"}},
    PROJECT_42: {"errors": [{"type": "E", "message": "m"}]},
}
# What pyrollbar sends when it is told 413.
FAILSAFE = {
    "access_token": "abc",
    "data": {
        "level": "error",
        "environment": "production",
        "body": {"message": {"body": "Failsafe from pyrollbar: payload too large."}},
        "notifier": {"name": "pyrollbar", "version": "1.5.0"},
        "custom": {"orig_uuid": "3" * 32, "orig_host": "monolith-1"},
        "internal": True,
        "failsafe": True,
    },
}

each_path = pytest.mark.parametrize("path", SENT)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with running(tmp_path) as client:
        yield client


def groups(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/groups").json()["groups"]
    return found


@each_path
def test_with_and_without_the_last_slash(client: TestClient, path: str) -> None:
    for spelled in (path, path.rstrip("/"), f"{path.rstrip('/')}/"):
        assert client.post(spelled, json=SENT[path]).is_success
    assert groups(client)[0]["times_seen"] == 3


@pytest.mark.parametrize(("path", "project"), [(ITEM, "1"), (PROJECT_42, "42")])
def test_only_airbrakes_path_names_the_project(client: TestClient, path: str, project: str) -> None:
    assert client.post(path, json=SENT[path]).is_success
    assert groups(client)[0]["project"] == project


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        (ITEM, 400, {"err": 1, "message": "1:1: Expecting value"}),
        (NOTIFY, 400, {"errors": ["1:1: Expecting value"]}),
        (NOTICES, 400, {"error": "1:1: Expecting value"}),
        (PROJECT_42, 400, {"message": "1:1: Expecting value"}),
    ],
)
def test_what_is_no_json_is_refused_in_its_vendors_shape(
    client: TestClient, path: str, status: int, body: Any
) -> None:
    answer = client.post(path, content=b"")
    assert (answer.status_code, answer.json()) == (status, body)
    assert 'reason="malformed_json"} 1.0' in client.get("/metrics").text


KEYS: list[tuple[str, dict[str, str], dict[str, str], int]] = [
    (ITEM, {"X-Rollbar-Access-Token": "abc"}, {}, 200),
    (ITEM, {}, {"access_token": "abc"}, 200),
    (ITEM, {}, {"access_token": "other"}, 403),
    (ITEM, {"X-Rollbar-Access-Token": "other"}, {"access_token": "abc"}, 403),
    (ITEM, {}, {}, 403),
    (NOTIFY, {"Bugsnag-Api-Key": "abc"}, {}, 200),
    (NOTIFY, {}, {"apiKey": "abc"}, 200),
    (NOTIFY, {}, {"apiKey": "other"}, 403),
    (NOTIFY, {}, {}, 403),
    (NOTICES, {"X-API-Key": "abc"}, {}, 201),
    (NOTICES, {"X-API-Key": "other"}, {}, 403),
    (NOTICES, {}, {}, 403),
    (PROJECT_42, {"Authorization": "Bearer abc"}, {}, 201),
    (f"{PROJECT_42}?key=abc", {}, {}, 201),
    (f"{PROJECT_42}?key=other", {}, {}, 403),
    ("/api/v3/projects/7/notices?key=abc", {}, {}, 403),
    (PROJECT_42, {}, {}, 403),
]


@pytest.mark.parametrize(("path", "headers", "more", "status"), KEYS)
def test_a_key_is_asked_wherever_its_client_puts_it(
    tmp_path: Path, path: str, headers: dict[str, str], more: dict[str, str], status: int
) -> None:
    sent = SENT.get(path.partition("?")[0], SENT[PROJECT_42]) | more
    with running(tmp_path, ingest_keys="abc:42") as client:
        answer = client.post(path, json=sent, headers=headers)
        assert answer.status_code == status
        assert [group["project"] for group in groups(client)] == ["42"] * (status < 300)


def test_a_rollbar_item_that_is_too_large_ends_with_the_small_one_that_says_so(
    client: TestClient,
) -> None:
    answer = client.post(ITEM, content=b" " * (BODY + 1))
    assert (answer.status_code, answer.json()["err"]) == (413, 1)
    assert client.post(ITEM, json=FAILSAFE).json()["err"] == 0
    assert groups(client)[0]["title"] == FAILSAFE["data"]["body"]["message"]["body"]  # type: ignore[index]


def test_a_report_of_several_events_is_taken_but_for_the_bad_ones(client: TestClient) -> None:
    events = [{"exceptions": [{"errorClass": name}]} for name in ("A", "B")]
    answer = client.post(NOTIFY, json={"events": [*events, {}]})
    assert (answer.status_code, answer.text) == (200, "OK")
    assert sorted(group["title"] for group in groups(client)) == ["A", "B"]
    assert 'reason="empty_event"} 1.0' in client.get("/metrics").text


def test_a_honeybadger_tag_may_name_the_owner(client: TestClient) -> None:
    assert client.post(NOTICES, json={"error": {"class": "E", "tags": ["team:search"]}}).is_success
    assert groups(client)[0]["team"] == "search"


def personal(secret: str) -> dict[str, Any]:
    """Everything that is personal where a client would put it."""
    held = {"x": secret}
    frame = {"filename": "a.py", "file": "a.py", "locals": held, "argspec": [secret]}
    frame |= {"code": {"1": secret}, "source": {"1": secret}}  # not the frame's own line
    about: dict[str, Any] = {"url": f"http://h/p?{secret}", "params": held, "context": held}
    item = {"body": {"trace": {"frames": [frame], "exception": {"class": "E"}}}, "request": about}
    item |= {"custom": held, "person": held, "client": held}
    item["body"]["telemetry"] = [held]
    error = {"errorClass": "E", "stacktrace": [frame]}
    event = {"exceptions": [error], "user": held, "metaData": held, "breadcrumbs": [held]}
    thrown = {"class": "E", "type": "E", "backtrace": [frame]}
    return {
        ITEM: {"data": item | {"notifier": held}},
        NOTIFY: {"events": [event | {"request": about, "session": held}]},
        NOTICES: {"error": thrown, "request": about | {"local_variables": held}},
        NOTICES_JS: {"error": thrown, "request": about, "breadcrumbs": {"trail": [held]}},
        PROJECT_42: {
            "errors": [thrown],
            "context": {"user": held, "url": about["url"]},
            **dict.fromkeys(("params", "session", "environment"), held),
        },
    }


@each_path
def test_a_large_report_is_read_but_for_what_is_not_wanted(client: TestClient, path: str) -> None:
    large = b'{"custom": [%s], %s' % (
        b'{"k": [NaN]},' * 100_000 + b"0",
        json.dumps(SENT[path])[1:].encode(),
    )
    assert client.post(path, content=large).is_success
    assert client.post(path, json=SENT[path]).is_success
    assert [group["times_seen"] for group in groups(client)] == [2]


@each_path
def test_what_is_personal_stays_at_the_door(client: TestClient, path: str, tmp_path: Path) -> None:
    canary = "canary-5f3a"
    sent = personal(canary)[path]
    assert json.dumps(sent).count(canary) > 4
    assert client.post(path, json=sent).is_success
    (group,) = groups(client)
    assert canary not in client.get(f"/api/v1/groups/{group['id']}").text
    for file in tmp_path.glob("pointsman.db*"):
        assert canary.encode() not in file.read_bytes()
