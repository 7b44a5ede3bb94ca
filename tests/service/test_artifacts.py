"""Source maps over HTTP: uploaded, listed, dropped, and used for the events that come."""

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.artifacts import Artifacts
from service.map_folder import EVERY
from tests.ingest.captured import DATA
from tests.service.house import Clock, running
from tests.sourcemaps.test_reader import CAPTURED, PLAIN

RULES = """version: 1
teams:
  cart: {receivers: [{channel: log}]}
  web: {receivers: [{channel: log}]}
rules:
  - {path: /src/checkout/, owner: cart}
source_roots: [../_apps/sourcemap/]
default: web
"""
URL = "http://127.0.0.1:8080/static/app.min.js"
HERE = {"release": "shop@1", "name": "~/static/app.min.js"}
ARTIFACTS = "/api/v1/artifacts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with running(folder) as client:
        yield client


def upload(client: TestClient, raw: bytes = CAPTURED, **more: str) -> Any:
    return client.post(ARTIFACTS, params=HERE | more, content=raw)


def thrown(release: str | None = "shop@1", **more: Any) -> dict[str, Any]:
    frame = {"filename": URL, "function": "?", "lineno": 1, "colno": 45, "in_app": True}
    error = {"type": "TypeError", "value": "no", "stacktrace": {"frames": [frame]}}
    return {"platform": "javascript", "release": release, "exception": [error]} | more


def owner(client: TestClient, project: str = "1", **more: Any) -> str:
    answer = client.post(f"/api/{project}/store/", json=thrown(**more)).raise_for_status()
    event = answer.json()["id"]
    (group,) = [
        one
        for one in client.get("/api/v1/groups").json()["groups"]
        if one["last_event_id"] == event
    ]
    told: str = group["team"]
    return told


def kept(client: TestClient) -> list[str]:
    return [one["name"] for one in client.get(ARTIFACTS).json()["artifacts"]]


def warned(client: TestClient) -> list[str]:
    found = client.post("/api/v1/explain", json=thrown()).json()
    return [one["code"] for one in found["warnings"]]


def test_a_map_is_kept_once_and_listed(client: TestClient) -> None:
    first, again = upload(client), upload(client, name="http://cdn/static/app.min.js?v=2")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert client.get(ARTIFACTS).json() == {"artifacts": [first.json()], "next": None}
    assert (first.json()["name"], first.json()["size"]) == ("static/app.min.js", len(CAPTURED))


def test_another_map_of_the_same_name_takes_its_place(client: TestClient) -> None:
    upload(client, json.dumps(PLAIN).encode())
    assert owner(client) == "web"
    assert upload(client).status_code == 201
    assert len(client.get(ARTIFACTS).json()["artifacts"]) == 1
    assert owner(client) == "cart"


def test_a_map_is_for_its_project_release_and_bundle(client: TestClient) -> None:
    upload(client)
    upload(client, json.dumps(PLAIN).encode(), name="static/other.js")
    assert owner(client) == "cart"
    assert owner(client, release="shop@2") == "web"
    assert owner(client, release=None) == "web"
    assert owner(client, project="7") == "web"


def test_explain_shows_the_frame_as_it_was_written(client: TestClient) -> None:
    upload(client)
    found = client.post("/api/v1/explain", json=thrown()).json()
    frame = found["frames"][0]["frame"]
    assert (frame["path"], frame["lineno"], found["owners"]) == (
        "src/checkout/cart.ts",
        3,
        ["cart"],
    )


def test_a_page_shows_the_line_of_the_source(client: TestClient) -> None:
    upload(client)
    owner(client)
    group = client.get("/api/v1/groups").json()["groups"][0]
    page = client.get(f"/groups/{group['id']}").text
    assert "(line.price as number).toFixed(2)" in page


def test_maps_outlive_a_restart(folder: Path) -> None:
    with running(folder) as client:
        upload(client)
    with running(folder) as client:
        assert owner(client) == "cart"


def test_a_release_can_be_deleted(client: TestClient) -> None:
    upload(client)
    upload(client, name="b.js")
    assert client.delete(ARTIFACTS, params={"release": "shop@1"}).json() == {"deleted": 2}
    assert client.delete(ARTIFACTS, params={"release": "shop@1"}).json() == {"deleted": 0}
    assert owner(client) == "web"


def test_the_list_has_pages_and_filters(client: TestClient) -> None:
    for number in range(3):
        upload(client, release=f"shop@{number}", project=str(number % 2))
    first = client.get(ARTIFACTS, params={"limit": 2}).json()
    rest = client.get(ARTIFACTS, params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["release"] for one in first["artifacts"] + rest["artifacts"]] == [
        "shop@1",
        "shop@2",
        "shop@0",
    ]
    for asked in ({"project": "1"}, {"release": "shop@1"}):
        found = client.get(ARTIFACTS, params=asked).json()["artifacts"]
        assert [one["release"] for one in found] == ["shop@1"]
    assert client.get(ARTIFACTS, params={"cursor": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("raw", "headers", "status", "told"),
    [
        (b"<html>", {}, 400, {"code": "no_source_map", "place": ""}),
        (b'{"version": 2}', {}, 400, {"code": "no_source_map", "place": "version"}),
        (b"x", {"Content-Encoding": "gzip"}, 400, {"code": "bad_encoding"}),
        (b" " * (20 * 2**20 + 1), {}, 413, {}),
        (gzip.compress(b" " * (21 * 2**20)), {"Content-Encoding": "gzip"}, 413, {}),
    ],
    ids=["html", "version", "gzip", "large", "bomb"],
)
def test_what_is_no_map_is_refused(
    client: TestClient, raw: bytes, headers: dict[str, str], status: int, told: dict[str, str]
) -> None:
    answer = client.post(ARTIFACTS, params=HERE, content=raw, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert answer.json() | told == answer.json()
    assert client.get(ARTIFACTS).json()["artifacts"] == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"release": ""}, 422), ({"project": ""}, 422), ({"name": ""}, 422), ({"name": "~/"}, 400)],
)
def test_a_map_is_for_something(client: TestClient, asked: dict[str, str], status: int) -> None:
    assert upload(client, **asked).status_code == status


def test_a_packed_map_is_unpacked(client: TestClient) -> None:
    raw, headers = gzip.compress(CAPTURED), {"Content-Encoding": "gzip"}
    assert client.post(ARTIFACTS, params=HERE, content=raw, headers=headers).status_code == 201
    assert owner(client) == "cart"


def test_uploads_need_the_admin_token(folder: Path) -> None:
    with running(folder, admin_token="right") as client:
        assert upload(client).status_code == 401
        assert client.delete(ARTIFACTS, params=HERE).status_code == 401
        client.headers["Authorization"] = "Bearer right"
        assert upload(client).status_code == 201


def test_the_oldest_releases_make_room(folder: Path) -> None:
    clock, limit = Clock(), 2 * len(CAPTURED)
    with running(folder, clock) as client:
        house = client.app.state.runtime  # type: ignore[attr-defined]
        house.artifacts = Artifacts(house.artifact_store, house.writer, None, clock, limit=limit)
        for number in (1, 2, 1, 3):
            clock.move(timedelta(minutes=1))
            upload(client, release=f"shop@{number}", name=f"{number}.js")
        assert kept(client) == ["3.js", "2.js"]
        upload(client, release="shop@3", name="b.js")
        full = upload(client, release="shop@3", name="c.js")
        assert (full.status_code, full.json()["code"]) == (413, "release_full")
        assert kept(client) == ["b.js", "3.js"]


def test_a_folder_does_as_well(folder: Path) -> None:
    clock, maps = Clock(), folder / "maps"
    (maps / "shop@1" / "static").mkdir(parents=True)
    with running(folder, clock, artifacts=maps) as client:
        assert owner(client) == "web"
        (maps / "shop@1" / "static" / "app.min.js.map").write_bytes(CAPTURED)
        assert owner(client) == "web"
        clock.move(EVERY)
        assert owner(client) == "cart"
        assert owner(client, release="../maps/shop@1") == "web"
        assert owner(client, release="..") == "web"


def test_a_map_in_the_folder_that_is_mended_is_read_again(folder: Path) -> None:
    place = folder / "maps" / "shop@1" / "static"
    place.mkdir(parents=True)
    (place / "app.min.js.map").write_bytes(b"{}")
    with running(folder, artifacts=folder / "maps") as client:
        assert (warned(client), owner(client)) == (["source_map_broken"], "web")
        (place / "app.min.js.map").write_bytes(CAPTURED)
        assert (warned(client), owner(client)) == ([], "cart")
        (place / "app.min.js.map").unlink()
        assert warned(client) == ["source_map_broken"]


def test_a_folder_that_is_not_there_harms_nobody(folder: Path) -> None:
    with running(folder, artifacts=folder / "none") as client:
        assert owner(client) == "web"


@pytest.mark.parametrize("content", [b"", b"x", zlib.compress(b"{}")])
def test_a_row_that_was_spoilt_is_a_warning(client: TestClient, content: bytes) -> None:
    upload(client)
    with client.app.state.runtime.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("update artifacts set content = ?", (content,))
    assert (warned(client), owner(client)) == (["source_map_broken"], "web")


def test_what_a_browser_sent_of_another_build_is_taken_as_it_is(client: TestClient) -> None:
    upload(client, release="shop-web@1.2.3", name="/static/app.js", project="42")
    body = (DATA / "captures/sentry-browser/03.body").read_bytes()
    assert client.post("/api/42/envelope/?sentry_key=x", content=body).status_code == 200
    assert client.get("/api/v1/accounting").json()["unaccounted"] == 0
