"""The running service follows a change of its rules' files by itself; a bad one changes nothing."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.running import wait_for
from tests.service.house import RULES, running

MOVED = RULES.replace("/billing/, owner: payments", "/billing/, owner: search")
INCLUDING = "version: 1\nteams: {platform: {}}\nrules: [{include: teams/*.yaml}]\n"


def team(name: str, path: str) -> str:
    return f"version: 1\nteam: {name}\nteams: {{{name}: {{}}}}\nrules: [{{path: {path}}}]\n"


def status(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/rules").json()
    return found


def owner(client: TestClient, path: str) -> str | None:
    found: list[str] = (
        client.get("/api/v1/ownership", params={"path": path}).json().get("owners", [])
    )
    return found[0] if found else None


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with running(tmp_path, rules_poll_seconds=0.05) as client:
        yield client


def test_a_change_is_in_force_without_being_asked_for(client: TestClient, tmp_path: Path) -> None:
    assert owner(client, "billing/tax.py") == "payments"
    (tmp_path / "rules.yaml").write_text(MOVED)
    wait_for(lambda: owner(client, "billing/tax.py") == "search")


def test_a_change_of_the_same_length_and_time_is_seen(client: TestClient, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    before = rules.stat()
    rules.write_text(RULES.replace("path: /billing/", "path: /selling/"))
    os.utime(rules, ns=(before.st_atime_ns, before.st_mtime_ns))
    wait_for(lambda: owner(client, "selling/tax.py") == "payments")


def deleted(rules: Path) -> None:
    rules.unlink()


def a_directory(rules: Path) -> None:
    rules.unlink()
    rules.mkdir()


def truncated(rules: Path) -> None:
    rules.write_text(RULES[: RULES.index("/search/, owner") + 3])


@pytest.mark.parametrize("harm", [deleted, a_directory, truncated])
def test_a_file_that_is_gone_or_half_changes_nothing_until_it_is_whole(
    client: TestClient, tmp_path: Path, harm: Any
) -> None:
    rules, revision = tmp_path / "rules.yaml", status(client)["revision"]
    harm(rules)
    wait_for(lambda: status(client)["problems"])
    assert (status(client)["revision"], owner(client, "billing/a.py")) == (revision, "payments")
    if rules.is_dir():
        rules.rmdir()
    rules.write_text(MOVED)
    wait_for(lambda: not status(client)["problems"])
    assert owner(client, "billing/a.py") == "search"


def test_a_configmap_that_is_swapped_is_followed(tmp_path: Path) -> None:
    for name, text in (("..1", RULES), ("..2", MOVED)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "rules.yaml").symlink_to("..data/rules.yaml")
    with running(tmp_path, rules_poll_seconds=0.05) as client:
        assert owner(client, "billing/tax.py") == "payments"
        (tmp_path / "..next").symlink_to("..2")
        (tmp_path / "..next").rename(tmp_path / "..data")
        wait_for(lambda: owner(client, "billing/tax.py") == "search")


def test_team_files_that_come_and_go_are_followed(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(INCLUDING)
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams/payments.yaml").write_text(team("payments", "/billing/"))
    with running(tmp_path, rules_poll_seconds=0.05) as client:
        (tmp_path / "teams/search.yaml").write_text(team("search", "/search/"))
        wait_for(lambda: owner(client, "search/a.py") == "search")
        (tmp_path / "teams/search.yaml").unlink()
        wait_for(lambda: owner(client, "search/a.py") is None)


def test_without_the_root_file_the_team_files_stay_in_force(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(INCLUDING)
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams/payments.yaml").write_text(team("payments", "/billing/"))
    with running(tmp_path, rules_poll_seconds=0.05) as client:
        (tmp_path / "teams/payments.yaml").unlink()
        (tmp_path / "rules.yaml").unlink()
        wait_for(lambda: status(client)["problems"])
        assert owner(client, "billing/a.py") == "payments"


def test_a_list_of_the_repositorys_paths_is_followed(tmp_path: Path) -> None:
    listed = tmp_path / "files"
    listed.write_text("lib/a.py\n")
    with running(tmp_path, rules_poll_seconds=0.05, repository=listed) as client:
        sent = "/opt/anywhere/deep/tax.py"
        assert owner(client, sent) is None
        listed.write_text("billing/deep/tax.py\n")
        wait_for(lambda: owner(client, sent) == "payments")


def test_what_did_not_change_is_not_read_again(client: TestClient) -> None:
    house = client.app.state.runtime  # type: ignore[attr-defined]
    before = status(client)["loaded_at"], house.rules.current()
    assert house.rules.follow() is False
    assert before == (status(client)["loaded_at"], house.rules.current())
