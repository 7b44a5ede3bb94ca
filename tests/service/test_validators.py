"""ETag on rules and lookups: an answer that is known is not sent again, one that changed always."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from tests.service.house import RULES, running

OWNER = "/api/v1/ownership?path=/srv/x/billing/tax.py"
ASKED = [
    OWNER,
    "/api/v1/teams",
    "/api/v1/teams/payments",
    "/api/v1/rules",
    "/api/v1/rules/schema",
]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with running(tmp_path) as client:
        yield client


def tag(client: TestClient, path: str = OWNER) -> str:
    found: str = client.get(path).headers["etag"]
    return found


def status(client: TestClient, known: str, path: str = OWNER) -> int:
    return client.get(path, headers={"If-None-Match": known}).status_code


@pytest.mark.parametrize("path", ASKED)
def test_an_answer_that_is_known_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    for answer in (first, again):
        assert answer.headers["cache-control"] == "private, no-cache"
    assert "content-type" not in again.headers


@pytest.mark.parametrize(
    ("known", "answered"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"other", W/"another" ,{tag}', 304),
        ('"with, comma",{tag}', 304),
        ("*", 304),
        (" * ", 304),
        ('"other"', 200),
        ('"*"', 200),
        ("", 200),
        ('"', 200),
        ("no tag at all", 200),
    ],
)
def test_which_tags_are_the_answers(client: TestClient, known: str, answered: int) -> None:
    assert status(client, known.format(tag=tag(client))) == answered


def test_a_tag_without_its_quotes_is_none(client: TestClient) -> None:
    assert status(client, tag(client).strip('"')) == 200


def test_tags_in_several_headers_are_one_list(client: TestClient) -> None:
    several = [("If-None-Match", '"other"'), ("If-None-Match", tag(client))]
    assert client.get(OWNER, headers=several).status_code == 304


def test_another_question_has_another_tag(client: TestClient) -> None:
    paths = [*ASKED, OWNER + ".bak", OWNER + "&module=a", "/api/v1/teams/search"]
    tags = [tag(client, path) for path in paths]
    assert tags[0] == tags[-2], "a module that no rule asks for leaves the answer as it is"
    assert len({*tags}) == len(tags) - 1


def other_rules(folder: Path) -> None:
    (folder / "rules.yaml").write_text(RULES + "default: search\n")


def broken_rules(folder: Path) -> None:
    (folder / "rules.yaml").write_text("rules: [")


def other_files(folder: Path) -> None:
    (folder / "files").write_text("search/tax.py\n")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (other_rules, OWNER),
        (other_rules, "/api/v1/teams/payments"),
        (other_rules, "/api/v1/rules"),
        (broken_rules, "/api/v1/rules"),
        (other_files, OWNER),
    ],
)
def test_an_answer_that_changed_is_sent(tmp_path: Path, change: Any, path: str) -> None:
    (tmp_path / "files").write_text("billing/tax.py\n")
    with running(tmp_path, repository=tmp_path / "files") as client:
        before = client.get(path)
        change(tmp_path)
        client.post("/api/v1/rules/reload")
        after = client.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json() != before.json()


def test_what_no_rule_or_file_changed_is_the_same_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        before = tag(client)
    with running(tmp_path) as client:
        assert status(client, before) == 304


def test_who_may_not_look_is_not_told_that_nothing_changed(tmp_path: Path) -> None:
    with running(tmp_path, admin_token=SecretStr("t" * 32)) as client:
        for path in ASKED[:-1]:
            assert status(client, "*", path) == 401


@pytest.mark.parametrize("path", ["/api/v1/teams/none", "/api/v1/ownership"])
def test_an_error_has_no_tag(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"If-None-Match": "*"})
    assert answer.status_code in (404, 422)
    assert "etag" not in answer.headers


def test_a_question_by_post_has_no_tag(client: TestClient) -> None:
    answer = client.post("/api/v1/ownership", json={"paths": ["a"]}, headers={"If-None-Match": "*"})
    assert (answer.status_code, "etag" in answer.headers) == (200, False)


def test_openapi_says_so(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("ownership", "teams", "teams/{slug}", "rules", "rules/schema"):
        asked = paths[f"/api/v1/{path}"]["get"]
        names = [one["name"] for one in asked.get("parameters", [])]
        assert names.count("If-None-Match") == 1
        assert {"200", "304"} <= set(asked["responses"])
        assert "ETag" in asked["responses"]["200"]["headers"]
        assert "application/json" in asked["responses"]["200"]["content"]
    assert "304" not in paths["/api/v1/ownership"]["post"]["responses"]
