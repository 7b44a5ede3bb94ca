"""Every request has an id, in its answer and in what the log says of it; health answers HEAD."""

import asyncio
import logging
import socket
import time
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from service.endpoints.base import OURS, body_of
from service.store.database import writing
from tests.ingest.receiving import received
from tests.running import a_service, wait_for
from tests.service.house import RULES

EVENT = b'{"message": "boom", "frames": ["shop/a.py"]}'
UNENDED = (
    b"POST /api/1/store/?sentry_key=any HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{"
)


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/groups", "/nowhere"])
def test_an_answer_names_the_request_as_its_sender_did(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"X-Request-Id": "edge-7f:1.2_3"})
    assert answer.headers["x-request-id"] == "edge-7f:1.2_3"


@pytest.mark.parametrize("sent", ["", "two words", "x" * 129, "<script>"])
def test_a_name_that_no_log_should_hold_is_replaced(client: TestClient, sent: str) -> None:
    given = client.get("/healthz", headers={"X-Request-Id": sent}).headers["x-request-id"]
    assert given
    assert given != sent


def test_no_two_requests_have_the_same_id(client: TestClient) -> None:
    given = {client.get("/healthz").headers["x-request-id"] for _ in range(20)}
    assert len(given) == 20


def test_accepted_events_are_answered_with_an_id_too(client: TestClient) -> None:
    answer = client.post("/api/v1/events", json={"frames": ["shop/a.py"]})
    assert answer.status_code == 202
    assert answer.headers["x-request-id"]


def test_an_event_that_is_well_costs_no_line_of_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            client.post("/api/v1/events", json={"frames": ["shop/a.py"], "level": "error"})
    ours = [one.message for one in caplog.records if one.name.startswith(("service", "pointsman"))]
    assert ours == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_head(client: TestClient, path: str) -> None:
    assert client.head(path).status_code == 200


def test_a_stop_waits_for_no_body_longer_than_it_may_and_says_whose_it_was(tmp_path: Path) -> None:
    more = {"POINTSMAN_DRAIN_SECONDS": "1", "POINTSMAN_LOG_FORMAT": "json"}
    with a_service(tmp_path, RULES, **more) as service:
        with socket.create_connection(("127.0.0.1", service.port)) as slow:
            slow.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            head = slow.recv(4096)
            slow.sendall(UNENDED)
            time.sleep(0.2)
            begun = time.monotonic()
            assert service.stop() == 143
            took = time.monotonic() - begun
            answer = slow.recv(4096)
        log = wait_for(service.log)
    assert head.startswith(b"HTTP/1.1 200")
    assert head.endswith(b"\r\n\r\n")  # no body
    assert 1 < took < 6
    assert answer.startswith(b"HTTP/1.1 503")
    assert '"message": "request_cut"' in log
    assert '"path": "/api/1/store/"' in log
    assert "Traceback" not in log


def test_what_fails_by_our_own_mistake_is_named_in_answer_and_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.post("/api/v1/events", content=EVENT)
    group = client.get("/api/v1/groups").json()["groups"][0]["id"]
    house = client.app.state.runtime  # type: ignore[attr-defined]
    with writing(house.engine).begin() as connection:
        connection.exec_driver_sql("update events set body = x'00'")
    asked = {"X-Request-Id": "edge-7", "Accept": "application/json"}
    answer = client.get(f"/api/v1/groups/{group}", headers=asked)
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "edge-7")
    assert (answer.json()["code"], answer.json()["detail"]) == ("internal_error", OURS)
    (failed,) = [one for one in caplog.records if one.message == "request_failed"]
    assert (failed.path, failed.levelname) == (f"/api/v1/groups/{group}", "ERROR")  # type: ignore[attr-defined]
    assert failed.exc_info


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/42/store/"])
def test_an_event_that_fails_by_our_own_mistake_is_counted(
    client: TestClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    house = client.app.state.runtime  # type: ignore[attr-defined]
    with writing(house.engine).begin() as connection:
        connection.exec_driver_sql(
            "create trigger ours before insert on event_ids begin select raise(abort, 'ours'); end"
        )
    answer = client.post(path, content=EVENT)
    assert (answer.status_code, bool(answer.headers["x-request-id"])) == (500, True)
    assert OURS in answer.text
    counted = 'pointsman_events_rejected_total{reason="internal_error"} 1.0'
    assert counted in client.get("/metrics").text
    assert [one.message for one in caplog.records if one.exc_info] == ["request_failed"]
    assert client.get("/api/v1/accounting").json()["unaccounted"] == 0


def test_a_body_that_somebody_read_before_is_there_still() -> None:
    async def story() -> bytes:
        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        request = Request(scope, received(b"until=24+h"))
        await request.body()  # as what reports our own errors does
        return await body_of(request)

    assert asyncio.run(story()) == b"until=24+h"
