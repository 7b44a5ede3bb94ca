"""OTLP over HTTP: its answers, its refusals, and the same error that arrives twice."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.ingest.otlp_requests import (
    PROTOBUF,
    SPAN,
    THROWN,
    TRACE,
    a_log,
    a_span,
    as_protobuf,
    logs,
    traces,
)
from tests.running import wait_for
from tests.service.house import running, the_database_away

JSON = "application/json"
ERROR = a_log(THROWN, traceId=TRACE, spanId=SPAN)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with running(tmp_path) as client:
        yield client


def post(client: TestClient, tree: dict[str, Any], content_type: str = JSON) -> Any:
    path = "/v1/logs" if "resourceLogs" in tree else "/v1/traces"
    body = as_protobuf(tree) if content_type == PROTOBUF else json.dumps(tree).encode()
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
    return client.post(path, content=gzip.compress(body), headers=headers)


def outcomes(client: TestClient) -> Any:
    books = client.get("/api/v1/accounting").json()
    assert books["unaccounted"] == 0
    return books["outcomes"]


@pytest.mark.parametrize(("content_type", "empty"), [(JSON, b"{}"), (PROTOBUF, b"")])
def test_an_answer_is_in_the_requests_own_format(
    client: TestClient, content_type: str, empty: bytes
) -> None:
    answer = post(client, logs(ERROR), content_type)
    assert (answer.status_code, answer.content) == (200, empty)
    assert answer.headers["Content-Type"] == content_type
    assert client.get("/api/v1/groups").json()["groups"][0]["title"] == "LookupError: DE"


def test_a_span_its_log_and_both_sent_again_are_one_error(client: TestClient) -> None:
    for _ in range(2):
        for content_type in (PROTOBUF, JSON):
            post(client, traces(a_span(THROWN)), content_type).raise_for_status()
            post(client, logs(ERROR), content_type).raise_for_status()
    assert outcomes(client) == {"duplicate": 7, "unowned": 1}
    assert client.get("/api/v1/groups").json()["groups"][0]["times_seen"] == 1


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/logs/", "/v1/traces/", "/v1/metrics"])
def test_a_request_without_anything_is_fine(client: TestClient, path: str) -> None:
    for content_type in (JSON, PROTOBUF):
        body = b"{}" if content_type == JSON else b""
        answer = client.post(path, content=body, headers={"Content-Type": content_type})
        assert (answer.status_code, answer.content) == (200, body)


def test_what_is_no_error_is_counted_and_dropped(client: TestClient) -> None:
    post(client, logs(a_log(severityNumber=9), a_log(severityNumber=13)))
    post(client, traces(a_span(), ERROR | {"events": []}))
    counted = client.get("/metrics").text
    assert 'pointsman_items_dropped_total{adapter="otlp_logs"} 2.0' in counted
    assert 'pointsman_items_dropped_total{adapter="otlp_traces"} 2.0' in counted


def test_a_malformed_member_is_a_partial_success(client: TestClient) -> None:
    answer = post(client, logs(ERROR, {"severityNumber": "high", "body": 5}))
    assert answer.status_code == 200
    assert answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    assert 'events_rejected_total{reason="malformed_otlp"} 1.0' in client.get("/metrics").text
    assert outcomes(client) == {"unowned": 1}


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {"Content-Type": JSON}, 400, 3),
        (b"{}", {"Content-Type": JSON, "Content-Encoding": "rot13"}, 400, 3),
        (b"{}", {"Content-Type": "text/plain"}, 415, 3),
        (b"{}", {}, 415, 3),
        (b" " * (20 * 2**20 + 1), {"Content-Type": JSON}, 413, 3),
    ],
    ids=["malformed", "encoding", "media type", "no media type", "too large"],
)
def test_a_refusal_is_a_status_that_no_exporter_sends_again(
    client: TestClient, body: bytes, headers: dict[str, str], status: int, code: int
) -> None:
    answer = client.post("/v1/logs", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-API-Key": "abc"}, 200),
        ({"Authorization": "Bearer abc"}, 200),
        ({"X-API-Key": "other"}, 403),
        ({}, 403),
    ],
)
def test_a_key_is_for_its_project(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    with running(tmp_path, ingest_keys="abc:42") as client:
        answer = client.post("/v1/logs", json=logs(ERROR), headers=headers)
        assert answer.status_code == status
        projects = [one["project"] for one in client.get("/api/v1/groups").json()["groups"]]
        assert (projects, answer.json().get("code")) == (
            (["42"], None) if status == 200 else ([], 16)
        )


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_a_store_that_is_away_is_a_503_with_retry_after(
    client: TestClient, content_type: str
) -> None:
    house = client.app.state.runtime  # type: ignore[attr-defined]
    with the_database_away(house):
        answer = post(client, logs(ERROR), content_type)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert b"store_unavailable" in answer.content
    wait_for(lambda: house.writer.down is None)
    assert post(client, logs(ERROR), content_type).status_code == 200
    assert outcomes(client) == {"unowned": 1}
