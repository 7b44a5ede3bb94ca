"""A push is in force soon after its webhook; what is unsigned, or of another ref, is not heard."""

import hmac
import json
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from tests.running import wait_for
from tests.service.house import running
from tests.service.test_rules_sync import FILES, Repository, following, in_force
from tests.service.test_rules_watch import owner, status, team

SECRET = "hush-4711"
PUSH = {"ref": "refs/heads/main", "repository": {"default_branch": "main"}}
GITLAB = {"ref": "refs/heads/main", "project": {"default_branch": "main"}}


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": "push"}


def by_github(client: TestClient, push: object = PUSH, **headers: str) -> httpx.Response:
    body = json.dumps(push).encode()
    return client.post("/hooks/rules", content=body, headers=signed(body) | headers)


def by_gitlab(client: TestClient, token: str = SECRET) -> httpx.Response:
    headers = {"X-Gitlab-Token": token, "X-Gitlab-Event": "Push Hook"}
    return client.post("/hooks/rules", json=GITLAB, headers=headers)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.push(FILES)
    return made


@pytest.fixture
def client(tmp_path: Path, repository: Repository) -> Iterator[TestClient]:
    """Polls so seldom that only a webhook can have told it."""
    more: dict[str, Any] = {"rules_repository_poll_seconds": 3600}
    secret = SecretStr(SECRET)
    with following(tmp_path, repository.url, rules_hook_secret=secret, **more) as client:
        wait_for(lambda: status(client)["revision"], 10)
        yield client


@pytest.mark.parametrize("tell", [by_github, by_gitlab])
def test_a_push_is_in_force_within_two_seconds_of_its_webhook(
    client: TestClient, repository: Repository, tell: Any
) -> None:
    pushed = repository.push({"conf/teams/search.yaml": team("search", "/x/")})
    told_at = time.monotonic()
    assert tell(client).status_code == 202
    in_force(client, pushed)
    assert time.monotonic() - told_at < 2
    assert owner(client, "x/a.py") == "search"


def test_many_webhooks_end_at_the_newest_commit(client: TestClient, repository: Repository) -> None:
    for number in range(5):
        pushed = repository.push({"conf/teams/search.yaml": team("search", f"/x{number}/")})
        by_github(client)
    in_force(client, pushed)


def test_a_form_is_read_as_github_sends_it(client: TestClient) -> None:
    body = urlencode({"payload": json.dumps(PUSH)}).encode()
    headers = signed(body) | {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/hooks/rules", content=body, headers=headers).status_code == 202


def test_a_push_to_another_branch_is_ignored(client: TestClient) -> None:
    answer = by_github(client, PUSH | {"ref": "refs/heads/topic"})
    assert (answer.status_code, answer.json()) == (
        200,
        {"ignored": "refs/heads/topic is not followed"},
    )


@pytest.mark.parametrize(
    ("followed", "pushed", "code"),
    [
        ("main", "refs/heads/main", 202),
        ("v1", "refs/tags/v1", 202),
        ("refs/heads/main", "refs/heads/main", 202),
        ("main", "refs/heads/other/main", 200),
    ],
)
def test_the_ref_of_the_settings_is_followed(
    tmp_path: Path, repository: Repository, followed: str, pushed: str, code: int
) -> None:
    more: dict[str, Any] = {"rules_ref": followed, "rules_hook_secret": SecretStr(SECRET)}
    with following(tmp_path, repository.url, **more) as client:
        assert by_github(client, PUSH | {"ref": pushed}).status_code == code


def test_what_is_no_push_is_ignored(client: TestClient) -> None:
    answer = by_github(client, {"zen": "…"}, **{"X-GitHub-Event": "ping"})
    assert (answer.status_code, answer.json()) == (200, {"ignored": "ping is no push"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": "sha256=0"},
        {"X-Hub-Signature-256": "sha1=é".encode()},
        {"X-Gitlab-Token": "another"},
        {"X-Gitlab-Token": ""},
        {**signed(b"{}", "another"), "X-Gitlab-Token": SECRET},
    ],
)
def test_what_is_not_signed_is_refused(client: TestClient, headers: Any) -> None:
    answer = client.post("/hooks/rules", content=b"{}", headers=headers)
    assert (answer.status_code, "signature" in answer.text.lower()) == (403, True)
    assert SECRET not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"ref": 5}', b"\xff", b"[" * 10**5])
def test_a_signed_body_without_a_push_is_a_problem(client: TestClient, body: bytes) -> None:
    answer = client.post("/hooks/rules", content=body, headers=signed(body))
    assert answer.status_code == 400


def test_a_body_past_a_mebibyte_is_refused(client: TestClient) -> None:
    body = b" " * (2**20 + 1)
    assert client.post("/hooks/rules", content=body, headers=signed(body)).status_code == 413


def test_without_a_secret_or_a_repository_there_is_no_hook(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        answer = by_gitlab(client, "")
        assert (answer.status_code, "RULES_HOOK_SECRET is not set" in answer.text) == (404, True)
    with running(tmp_path, rules_hook_secret=SecretStr(SECRET)) as client:
        answer = by_gitlab(client)
        assert (answer.status_code, "RULES_REPOSITORY is not set" in answer.text) == (404, True)
