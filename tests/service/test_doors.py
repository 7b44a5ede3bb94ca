"""The doors for events, over HTTP: what real SDKs sent is accepted as they sent it."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from fastapi.testclient import TestClient

from tests.ingest.captured import CAPTURES, EXPECTED
from tests.running import wait_for
from tests.service.house import running, the_database_away

EVENT = json.dumps({"message": "boom", "platform": "python"}).encode()
ENVELOPE = b'{"event_id":"%s"}\n{"type":"event"}\n%s\n' % (b"a" * 32, EVENT)
STORE, DOOR, NATIVE = "/api/42/store/", "/api/42/envelope/", "/api/v1/events"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with running(tmp_path) as client:
        yield client


def books(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/accounting").json()
    return found


def rejected(client: TestClient, reason: str) -> bool:
    counted = f'pointsman_events_rejected_total{{reason="{reason}"}} 1.0'
    return counted in client.get("/metrics").text


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["capture"])
def test_a_captured_request_is_accepted_as_it_is(client: TestClient, case: dict[str, Any]) -> None:
    told = json.loads((CAPTURES / f"{case['capture']}.request.json").read_text())
    skipped = ("host", "content-length", "transfer-encoding", "connection")
    answer = client.post(
        told["path"],
        params=dict(told["query"]),
        content=(CAPTURES / f"{case['capture']}.body").read_bytes(),
        headers=[pair for pair in told["headers"] if pair[0].lower() not in skipped],
    )
    events = case.get("events", [])
    assert answer.is_success
    known = list(filter(None, (*(event.get("id") for event in events), *_ids(case))))
    assert not known or any(id_ in answer.text for id_ in known)
    assert (books(client)["accepted"], books(client)["unaccounted"]) == (len(events), 0)


def _ids(case: dict[str, Any]) -> list[str]:
    """What an envelope without an event is answered with: the id of its header."""
    raw = (CAPTURES / f"{case['capture']}.body").read_bytes()
    text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    return [] if case.get("events") else [json.loads(text.split(b"\n")[0]).get("event_id")]


@pytest.mark.parametrize("path", [DOOR, DOOR.rstrip("/")])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("br", brotli.compress),
        ("identity", bytes),
        ("", bytes),
        (None, bytes),
    ],
    ids=["gzip", "deflate", "raw deflate", "br", "identity", "empty", "none"],
)
def test_every_encoding_is_unpacked(
    client: TestClient, path: str, encoding: str | None, pack: Any
) -> None:
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    answer = client.post(path, content=pack(ENVELOPE), headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"id": "a" * 32})


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "reason"),
    [
        (DOOR, b"not an envelope", {}, 400, "malformed_envelope"),
        (DOOR, b"\x1f\x8b", {"Content-Encoding": "gzip"}, 400, "bad_encoding"),
        (DOOR, ENVELOPE, {"Content-Encoding": "rot13"}, 400, "unsupported_encoding"),
        (STORE, b"[]", {}, 400, "not_an_object"),
        (NATIVE, b"{", {}, 400, "malformed_json"),
        (NATIVE, b"{}", {}, 400, "empty_event"),
        (NATIVE, b"hello", {"Content-Type": "text/plain"}, 400, "no_traceback"),
        (DOOR, b"\0" * (20 * 2**20 + 1), {}, 413, "too_large"),
        (DOOR, gzip.compress(b"\0" * (21 * 2**20)), {"Content-Encoding": "gzip"}, 413, "too_large"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused_counted_and_disturbs_nothing(
    client: TestClient, path: str, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    assert client.post(path, content=body, headers=headers).status_code == status
    assert rejected(client, reason)
    assert client.post(DOOR, content=ENVELOPE).status_code == 200
    assert books(client)["accepted"] == 1


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (NATIVE, "application/problem+json"),
        ("/v1/logs", "application/json"),
        (DOOR, "application/json"),
    ],
)
def test_what_is_refused_is_called_what_it_is(client: TestClient, path: str, kind: str) -> None:
    answer = client.post(path, content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, kind)


@pytest.mark.parametrize("path", [NATIVE, STORE])
def test_the_doors_stand_below_the_path_that_the_server_says_is_ours(
    client: TestClient, path: str
) -> None:
    below = TestClient(client.app, root_path="/errors")
    assert below.post(f"/errors{path}", content=EVENT).is_success
    assert books(client)["accepted"] == 1


def test_twenty_mebibytes_are_not_too_large(client: TestClient) -> None:
    filler = b'{"type":"attachment","length":%d}\n%s\n'
    room = 20 * 2**20 - len(ENVELOPE) - len(filler % (0, b"")) - 7
    body = ENVELOPE + filler % (room, b"\0" * room)
    assert 20 * 2**20 - 16 < len(body) <= 20 * 2**20
    assert client.post(DOOR, content=body).status_code == 200


def test_a_batch_is_answered_item_by_item(client: TestClient) -> None:
    answer = client.post(NATIVE, json=[{"message": "a"}, 5, {"message": "b"}])
    assert answer.status_code == 202
    assert [one["owner"] for one in answer.json()["events"]] == [None, None]
    assert answer.json()["problems"] == [
        {"index": 1, "code": "not_an_object", "detail": answer.json()["problems"][0]["detail"]}
    ]


def test_an_event_sent_twice_counts_once(client: TestClient) -> None:
    for _ in range(2):
        client.post(DOOR, content=ENVELOPE)
    assert books(client)["outcomes"] == {"duplicate": 1, "unowned": 1}
    assert client.get("/api/v1/groups").json()["groups"][0]["times_seen"] == 1


def test_the_same_id_in_another_project_is_another_event(client: TestClient) -> None:
    client.post(DOOR, content=ENVELOPE)
    client.post("/api/7/envelope/", content=ENVELOPE)
    assert books(client)["outcomes"] == {"unowned": 2}


def test_a_project_is_a_short_name(client: TestClient) -> None:
    assert client.post(f"/api/{'7' * 5000}/store/", content=EVENT).status_code == 200
    assert client.get("/api/v1/groups").json()["groups"][0]["project"] == "7" * 100


def test_what_cannot_be_committed_anywhere_is_not_called_accepted(tmp_path: Path) -> None:
    with running(tmp_path, spool_bytes=1) as client:
        house = client.app.state.runtime  # type: ignore[attr-defined]
        with the_database_away(house):
            answer = client.post(DOOR, content=ENVELOPE)
            assert client.post(NATIVE, content=EVENT).status_code == 503
        assert (answer.status_code, answer.headers["X-Sentry-Error"][:10]) == (503, "spool_full")
        wait_for(lambda: house.writer.down is None)
        assert client.post(DOOR, content=ENVELOPE).status_code == 200
    assert books(client)["unaccounted"] == 0


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (DOOR, {"X-Sentry-Auth": "Sentry sentry_version=7, sentry_key=abc"}, 200),
        (f"{DOOR}?sentry_key=abc", {}, 200),
        (NATIVE, {"Authorization": "Bearer abc"}, 202),
        (DOOR, {}, 403),
        (DOOR, {"X-Sentry-Auth": "Sentry sentry_key=other"}, 403),
        ("/api/7/envelope/?sentry_key=abc", {}, 403),
        (NATIVE, {}, 403),
    ],
)
def test_a_key_opens_the_door_of_its_own_project(
    tmp_path: Path, path: str, headers: dict[str, str], status: int
) -> None:
    with running(tmp_path, ingest_keys="abc:42") as client:
        body = ENVELOPE if "envelope" in path else EVENT
        assert client.post(path, content=body, headers=headers).status_code == status


def test_an_event_cannot_name_another_project_than_its_keys(tmp_path: Path) -> None:
    with running(tmp_path, ingest_keys="abc:42") as client:
        headers = {"Authorization": "Bearer abc"}
        client.post(NATIVE, json={"message": "m", "project": "7"}, headers=headers)
        assert client.get("/api/v1/groups").json()["groups"][0]["project"] == "42"


def test_of_an_event_only_the_record_is_kept(client: TestClient, tmp_path: Path) -> None:
    canary = "canary-5f3a"
    event = {
        "message": "boom",
        "user": {"email": canary},
        "extra": {"x": canary},
        "request": {"url": f"http://h/p?{canary}", "data": canary, "cookies": canary},
        "breadcrumbs": {"values": [{"message": canary}]},
        "contexts": {"app": {"x": canary}},
        "exception": {
            "values": [
                {
                    "type": "E",
                    "stacktrace": {
                        "frames": [
                            {"filename": "a.py", "vars": {"x": canary}, "pre_context": [canary]}
                        ]
                    },
                }
            ]
        },
    }
    client.post(STORE, json=event).raise_for_status()
    assert books(client)["accepted"] == 1
    for path in tmp_path.glob("pointsman.db*"):
        assert canary.encode() not in path.read_bytes()


def test_a_runaway_client_is_counted_and_not_stored(tmp_path: Path) -> None:
    with running(tmp_path, quota_per_minute=3, ingest_keys="a:1,b:2") as client:
        events = [{"message": f"m {number}"} for number in range(5)]
        answer = client.post(f"{NATIVE}?key=a", json=events)
        client.post(f"{NATIVE}?key=b", json=events[0])
        assert [one["group"] is None for one in answer.json()["events"]] == [False] * 3 + [True] * 2
        assert books(client)["outcomes"] == {"over_quota": 2, "unowned": 4}
        assert books(client)["unaccounted"] == 0
        assert "over_quota: 2 events" in str(client.get("/readyz").json()["warnings"])
