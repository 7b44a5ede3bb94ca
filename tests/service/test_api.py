"""What people and tools ask over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.service.house import RULES, running

TRACEBACK = """Traceback (most recent call last):
  File "/app/search/index.py", line 3, in find
    raise KeyError("x")
KeyError: 'x'
"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    (tmp_path / "rules.yaml").write_text(RULES + "source_roots: [/app/]\n")
    with running(tmp_path) as client:
        yield client


def fail(client: TestClient, *paths: str, **more: object) -> dict[str, Any]:
    answer = client.post("/api/v1/events", json={"frames": list(paths), **more})
    found: dict[str, Any] = answer.json()["events"][0]
    return found


def test_a_path_has_its_owner_with_rule_and_receivers(client: TestClient) -> None:
    found = client.get("/api/v1/ownership", params={"path": "billing/tax.py"}).json()
    assert found | {"rule": None, "revision": ""} == {
        "path": "billing/tax.py",
        "repository_path": "billing/tax.py",
        "owners": ["payments"],
        "rule": None,
        "unowned": False,
        "transparent": False,
        "feature": None,
        "criticality": None,
        "receivers": ["log"],
        "revision": "",
    }
    assert (found["rule"]["line"], found["rule"]["text"]) == (6, "path: /billing/")


def test_many_paths_are_answered_in_the_order_asked(client: TestClient) -> None:
    paths = ["search/a.py", "x", "/app/billing/b.py"] * 3333
    found = client.post("/api/v1/ownership", json={"paths": paths}).json()
    assert [one["owners"] for one in found] == [["search"], [], ["payments"]] * 3333
    assert client.post("/api/v1/ownership", json={"paths": ["a"] * 10_001}).status_code == 422


def test_a_traceback_is_explained_and_nothing_is_kept(client: TestClient) -> None:
    headers = {"Content-Type": "text/plain"}
    found = client.post("/api/v1/explain", content=TRACEBACK, headers=headers).json()
    assert (found["owners"], found["step"]) == (["search"], "frame")
    assert found["trail"][0]["verdict"] == "owned"
    assert client.get("/api/v1/accounting").json()["accepted"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "E: x\n\tat search.Index.find(Index.java:3)",
        "E: x\n    at find (/search/index.js:3:4)",
        "panic: x\n\ngoroutine 1 [running]:\nsearch.Find(...)\n\t/search/index.go:3",
        "/search/index.rb:3:in `find': x (E)",
        "Uncaught E: x in /search/index.php:3\nStack trace:\n#0 {main}",
        "thread 'main' panicked at search/index.rs:3:4:\nx",
        "E: x\n   at Search.Index.Find() in /search/Index.cs:line 3",
    ],
    ids=["java", "node", "go", "ruby", "php", "rust", "dotnet"],
)
def test_a_stack_trace_of_any_runtime_is_explained(client: TestClient, text: str) -> None:
    headers = {"Content-Type": "text/plain"}
    found = client.post("/api/v1/explain", content=text, headers=headers).json()
    assert (found["owners"], found["step"]) == (["search"], "frame")


def test_a_team_shows_where_it_is_told_and_what_it_owns(client: TestClient) -> None:
    teams = client.get("/api/v1/teams").json()["teams"]
    assert [team["slug"] for team in teams] == ["payments", "search"]
    team = client.get("/api/v1/teams/search").json()
    assert team["receivers"] == [{"channel": "log", "problem": None, "breaker": None}]
    assert [rule["text"] for rule in team["owns"]] == ["path: /search/"]


def test_a_team_shows_what_it_owns_by_other_files(tmp_path: Path) -> None:
    entries = "rules:\n  - {codeowners: CODEOWNERS, dialect: gitlab}\n  - {owners_yaml: .}\n"
    aliases = RULES.replace("search: {", 'search: {aliases: ["@s"], ').replace("rules:\n", entries)
    (tmp_path / "rules.yaml").write_text(aliases + "default: search\n")
    (tmp_path / "CODEOWNERS").write_text("[Docs] @s\n/docs/\n/lib/ @s\n")
    owners = "version: 1\nowners: payments\nrules: [{match: /x, owners: search}]\n"
    (tmp_path / "owners.yaml").write_text(owners)
    with running(tmp_path) as client:
        owns = client.get("/api/v1/teams/search").json()["owns"]
    assert [(Path(rule["file"]).name, rule["line"], rule["text"]) for rule in owns] == [
        ("CODEOWNERS", 2, "/docs/"),
        ("CODEOWNERS", 3, "/lib/ @s"),
        ("owners.yaml", 3, "match: /x"),
        ("rules.yaml", 9, "path: /search/"),
        ("rules.yaml", 10, "default: search"),
    ]


def test_groups_are_listed_by_page_and_filter(client: TestClient) -> None:
    for number in range(5):
        fail(client, "search/index.py", f"search/{chr(97 + number)}.py")
    fail(client, "billing/tax.py", environment="staging", message="card declined")
    first = client.get("/api/v1/groups", params={"limit": 4}).json()
    rest = client.get("/api/v1/groups", params={"limit": 4, "cursor": first["next"]}).json()
    ids = {group["id"] for group in first["groups"] + rest["groups"]}
    assert (len(first["groups"]), len(ids), rest["next"]) == (4, 6, None)
    for asked in ({"team": "payments"}, {"environment": "staging"}, {"q": "Tax"}):
        assert len(client.get("/api/v1/groups", params=asked).json()["groups"]) == 1


def test_a_group_that_was_resolved_and_comes_again_is_a_regression(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        clock = client.app.state.runtime.clock  # type: ignore[attr-defined]
        group = fail(client, "search/a.py")["group"]
        clock.now = clock.now.replace(minute=1)
        resolved = client.post(f"/api/v1/groups/{group}/resolve").json()
        clock.now = clock.now.replace(minute=2)
        fail(client, "search/a.py")
        found = client.get(f"/api/v1/groups/{group}").json()
    reasons = [one["notification"]["reason"] for one in found["deliveries"]]
    assert (resolved["status"], found["status"]) == ("resolved", "unresolved")
    assert reasons == ["regression", "first_seen"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/groups/none", 404),
        ("POST", "/api/v1/groups/none/resolve", 404),
        ("POST", "/api/v1/deliveries/none/retry", 404),
        ("GET", "/api/v1/teams/none", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/ownership", 422),
        ("GET", "/api/v1/groups?limit=201", 422),
        ("GET", "/api/v1/groups?cursor=x", 400),
        ("GET", "/api/v1/groups?cursor=WzEsMl0", 400),
        ("GET", "/api/v1/groups?cursor=WzkyMjMzNzIwMzY4NTQ3NzU4MDgsIngiXQ", 400),  # [2**63, "x"]
        ("PUT", "/api/v1/groups", 405),
    ],
)
def test_what_cannot_be_answered_is_problem_json(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer right"}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/groups", "/metrics", "/api/v1/rules"])
def test_the_admin_token_opens_the_api(
    tmp_path: Path, headers: dict[str, str], status: int, path: str
) -> None:
    with running(tmp_path, admin_token="right") as client:
        assert client.get(path, headers=headers).status_code == status


def test_an_open_service_answers_loopback_names_only(client: TestClient) -> None:
    """Else a page elsewhere, whose name was rebound to 127.0.0.1, could read everything."""
    assert client.get("/api/v1/groups", headers={"Host": "evil.example"}).status_code == 403
    assert client.get("/api/v1/groups", headers={"Host": "localhost:8000"}).status_code == 200


def test_an_open_service_takes_no_orders_from_another_site(client: TestClient) -> None:
    path = "/api/v1/rules/reload"
    assert client.post(path, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(path, headers={"Origin": "http://127.0.0.1:8000"}).status_code == 200


def test_health_tells_live_ready_and_draining(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "live"}
    assert client.get("/readyz").json() == {"status": "ready", "warnings": []}
    client.app.state.runtime.drain()  # type: ignore[attr-defined]
    assert client.get("/readyz").status_code == 503
    assert client.post("/api/v1/events", json={"message": "still accepted"}).status_code == 202


def test_a_database_that_cannot_be_read_is_said(client: TestClient) -> None:
    with client.app.state.runtime.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("alter table deliveries rename to away")
        connection.exec_driver_sql("alter table ledger rename to away_too")
    for path in ("/api/v1/deliveries", "/api/v1/accounting"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert "pointsman_store_available 0.0" in client.get("/metrics").text
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["warnings"] == ["store_unavailable: no such table: deliveries"]
    assert "pointsman_store_available 0.0" in client.get("/metrics").text


def test_the_documentation_needs_no_internet(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "//cdn" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/static/{asset}" in page
        assert len(client.get(f"/static/{asset}").content) > 100_000


def test_series_start_at_zero(client: TestClient) -> None:
    text = client.get("/metrics").text
    for series in (
        'pointsman_events_received_total{adapter="sentry_envelope",outcome="notified"} 0.0',
        'pointsman_ownership_decisions_total{step="frame"} 0.0',
        'pointsman_deliveries_total{channel="log",outcome="dead"} 0.0',
        "pointsman_accounting_unaccounted 0.0",
        "pointsman_rules_last_reload_successful 1.0",
    ):
        assert series in text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"paths": ["\\ud800"]}', 422),
        (b'{"paths": ["\xff"]}', 422),
        (b'{"paths": [1]}', 422),
        (b"[" * 100_000, 422),
        (b" " * (20 * 2**20 + 1), 413),
    ],
)
def test_a_list_of_paths_that_is_none_is_refused(
    client: TestClient, body: bytes, status: int
) -> None:
    answer = client.post("/api/v1/ownership", content=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1/ownership", "/api/v1/explain"])
def test_who_may_not_ask_is_not_listened_to(tmp_path: Path, path: str) -> None:
    heard: list[bytes] = []

    def body() -> Iterator[bytes]:
        heard.append(b" ")
        yield b" "

    with running(tmp_path, admin_token="right") as client:
        assert client.post(path, content=body()).status_code == 401
    assert heard == []


def test_a_form_is_small(client: TestClient) -> None:
    assert client.post("/login", content=b"token=" + b"x" * 2**16).status_code == 413
