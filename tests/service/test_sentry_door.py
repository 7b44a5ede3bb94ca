"""What Sentry's SDKs need of the door beside being read: keys, prefixes, browsers, their losses."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.ingest import ADAPTERS
from service.ingest.base import Adapter
from tests.service.house import running

EVENT = b'{"message": "boom", "platform": "python"}'
DOOR, STORE = "/api/42/envelope/", "/api/42/store/"
PREFIXED = "/errors/in/api/42/envelope/"
AUTH = "X-Sentry-Auth"
SHOP = "https://shop.example.com"


def envelope(dsn: str | None = None, kind: str = "event", payload: bytes = EVENT) -> bytes:
    header = json.dumps({"dsn": dsn} if dsn else {}).encode()
    return b'%s\n{"type":"%s"}\n%s\n' % (header, kind.encode(), payload)


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[TestClient]:
    with running(tmp_path, ingest_keys="oldkey-1234:42,newkey-1234:42,other:7") as client:
        yield client


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with running(tmp_path) as client:
        yield client


OLD, NEW = "oldkey-1234", "newkey-1234"
IN_DSN = f"https://{OLD}@errors.example.com/in/42"
KEYS: list[tuple[str, Mapping[str, str], str | None, int]] = [
    (DOOR, {AUTH: f"Sentry sentry_key={OLD}"}, None, 200),
    (DOOR, {AUTH: f"Sentry sentry_version=7,sentry_key={NEW},sentry_client=x"}, None, 200),
    (f"{DOOR}?sentry_key={OLD}&sentry_version=7", {}, None, 200),
    (DOOR, {}, IN_DSN, 200),
    (PREFIXED, {}, IN_DSN, 200),
    (f"{PREFIXED}?sentry_key={OLD}", {AUTH: f"Sentry sentry_key={OLD}"}, IN_DSN, 200),
    (DOOR, {}, None, 403),
    (DOOR, {}, "https://wrong@h/42", 403),
    (DOOR, {}, "https://other@h/42", 403),
    (f"{DOOR}?sentry_key={NEW}", {}, IN_DSN, 403),
    (DOOR, {AUTH: f"Sentry sentry_key={NEW}"}, IN_DSN, 403),
    (f"{DOOR}?sentry_key={NEW}", {AUTH: f"Sentry sentry_key={OLD}"}, None, 403),
    ("/api/7/envelope/", {}, IN_DSN, 403),
]


@pytest.mark.parametrize(("path", "headers", "dsn", "status"), KEYS, ids=range(len(KEYS)))
def test_a_key_is_found_wherever_it_is_and_all_must_agree(
    keyed: TestClient, path: str, headers: dict[str, str], dsn: str | None, status: int
) -> None:
    answer = keyed.post(path, content=envelope(dsn), headers=headers)
    assert answer.status_code == status, answer.text
    assert keyed.get("/api/v1/accounting").json()["accepted"] == (status == 200)


@pytest.mark.parametrize(
    ("path", "dsn", "shown"),
    [
        (f"{DOOR}?sentry_key=wrong-key-12", None, "http://wron...@127.0.0.1:8000/42"),
        (f"{PREFIXED}?sentry_key=wrong-key-12", None, "http://wron...@127.0.0.1:8000/errors/in/42"),
        (DOOR, "https://wrong-key-12@h/42", "http://wron...@127.0.0.1:8000/42"),
        (DOOR, None, "http://(no key)@127.0.0.1:8000/42"),
        (f"{DOOR}?sentry_key=abc", None, "http://a...@127.0.0.1:8000/42"),
    ],
)
def test_a_refusal_shows_the_dsn_as_it_came(
    keyed: TestClient, path: str, dsn: str | None, shown: str
) -> None:
    answer = keyed.post(path, content=envelope(dsn))
    assert (answer.status_code, answer.json()["causes"]) == (403, [])
    assert answer.json()["detail"].endswith(shown)
    assert answer.headers["X-Sentry-Error"].endswith(shown)
    assert "wrong-key" not in answer.text + str(answer.headers)


def test_who_names_its_key_only_inside_sends_less(keyed: TestClient) -> None:
    large = envelope(IN_DSN, "attachment", b"x" * 1_100_000)
    assert keyed.post(DOOR, content=large).status_code == 413
    assert keyed.post(f"{DOOR}?sentry_key={OLD}", content=large).status_code == 200


@pytest.mark.parametrize("path", [PREFIXED, PREFIXED.rstrip("/"), "/a/b/c/api/42/store/"])
def test_a_path_may_stand_before_the_doors(client: TestClient, path: str) -> None:
    body = EVENT if "store" in path else envelope()
    assert client.post(path, content=body).status_code == 200
    assert client.get("/api/v1/groups").json()["groups"][0]["project"] == "42"


def test_no_other_door_has_prefixes(client: TestClient) -> None:
    assert client.post("/errors/api/v1/events", content=EVENT).status_code == 404


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
@pytest.mark.parametrize("status", ["fine", "refused"])
def test_a_browser_may_read_every_answer(client: TestClient, adapter: Adapter, status: str) -> None:
    path = adapter.paths[0].replace("{project}", "42")
    body = b"\xff" if status == "refused" else EVENT if "envelope" not in path else envelope()
    answer = client.post(path, content=body, headers={"Origin": SHOP})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == (
        "X-Sentry-Error, X-Sentry-Rate-Limits, Retry-After"
    )


@pytest.mark.parametrize("path", [DOOR, PREFIXED, STORE, "/api/v1/events"])
def test_a_browser_may_ask_first(client: TestClient, path: str) -> None:
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    answer = client.options(path, headers=asked)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert answer.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS"
    assert answer.headers["Access-Control-Max-Age"] == "3600"
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Content-Type", AUTH, "Content-Encoding", "sentry-trace", "baggage"} <= set(allowed)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (SHOP, 200),
        ("https://SHOP.example.com", 200),
        ("https://a.b.example.org", 200),
        (None, 200),
        ("https://example.org", 403),
        ("http://shop.example.com", 403),
        ("https://shop.example.com.evil.net", 403),
        ("https://evilexample.org", 403),
        ("null", 403),
    ],
)
def test_only_pages_of_allowed_origins_may_send(
    tmp_path: Path, origin: str | None, status: int
) -> None:
    headers = {"Origin": origin} if origin else {}
    with running(tmp_path, allowed_origins=f"{SHOP}, https://*.example.org") as client:
        answer = client.post(DOOR, content=envelope(), headers=headers)
        asked = client.options(DOOR, headers=headers)
        counted = client.get("/metrics").text
    told = origin if status == 200 else None
    assert answer.status_code == status
    assert answer.headers.get("Access-Control-Allow-Origin") == told
    assert asked.headers.get("Access-Control-Allow-Origin") == told
    assert answer.headers["Vary"] == "Origin"
    refused = f'events_rejected_total{{reason="refused_origin"}} {float(status == 403)}'
    assert refused in counted


@pytest.mark.parametrize("path", ["/api/v1/groups", "/api/v1/explain", "/metrics", "/"])
def test_the_rest_of_the_service_is_no_other_sites_business(client: TestClient, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = client.request(method, path, headers={"Origin": SHOP})
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_what_an_sdk_lost_is_counted_and_shown(client: TestClient) -> None:
    lost = [
        {"reason": "queue_overflow", "category": "error", "quantity": 5},
        {"reason": "before_send", "category": "error", "quantity": 7},
        {"reason": "ratelimit_backoff", "category": "span", "quantity": 900},
        {"reason": "made-up-" + "x" * 99, "category": "error", "quantity": 1},
    ]
    report = json.dumps({"discarded_events": lost}).encode()
    body = envelope(kind="client_report", payload=report)
    assert client.post(DOOR, content=body).status_code == 200
    metrics = client.get("/metrics").text
    for reason, category, n in (
        ("queue_overflow", "error", 5),
        ("ratelimit_backoff", "span", 900),
        ("other", "error", 1),
        ("network_error", "error", 0),
    ):
        name = "pointsman_client_discarded_events_total"
        assert f'{name}{{category="{category}",reason="{reason}"}} {float(n)}' in metrics
    assert client.get("/api/v1/accounting").json()["lost_by_clients"] == 6
    assert "6 errors never left" in client.get("/", headers={"Accept": "text/html"}).text


def test_a_report_of_a_browser_is_answered_and_no_event(client: TestClient) -> None:
    report = {"csp-report": {"blocked-uri": "https://evil.example", "disposition": "enforce"}}
    headers = {"Content-Type": "application/csp-report"}
    path = "/api/42/security/?sentry_key=abc"
    assert client.post(path, json=report, headers=headers).status_code == 201
    assert client.get("/api/v1/accounting").json()["accepted"] == 0
    counted = 'pointsman_items_dropped_total{adapter="sentry_security"} 1.0'
    assert counted in client.get("/metrics").text
