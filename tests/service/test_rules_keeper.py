"""The running service keeps routing by the last good rules, also over a restart."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.running_cli import pointsman
from tests.service.house import RULES, running

SIX_MISTAKES = """version: 1
teams: {payments: {}, search: {}}
rulez: []
rules:
  - {pth: /a/, owner: search}
  - {path: /b/, owner: paymnets}
  - {path: "a***b", owner: search}
  - {path: /c/, owner: no}
default: serach
"""


def posted(client: TestClient, path: str = "billing/tax.py", **more: object) -> dict[str, object]:
    answer = client.post("/api/v1/events", json={"frames": [path], **more})
    assert answer.status_code == 202
    found: dict[str, object] = answer.json()["events"][0]
    return found


def write(folder: Path, text: str) -> None:
    (folder / "rules.yaml").write_text(text)


def test_six_mistakes_are_six_problems_with_their_places(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        write(tmp_path, SIX_MISTAKES)
        problems = client.post("/api/v1/rules/reload").json()["problems"]
    places = [(problem["line"], problem["column"]) for problem in problems]
    assert places == [(3, 1), (5, 6), (6, 24), (7, 12), (8, 24), (9, 10)]


def test_a_file_that_does_not_load_changes_nothing_but_what_is_said(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        revision = client.get("/api/v1/rules").json()["revision"]
        write(tmp_path, SIX_MISTAKES)
        status = client.post("/api/v1/rules/reload").json()
        assert (status["revision"], status["files"][0]["quarantined"]) == (revision, True)
        assert posted(client)["owner"] == "payments"
        assert "pointsman_rules_last_reload_successful 0.0" in client.get("/metrics").text
        assert "rules_quarantined" in client.get("/readyz").json()["warnings"][0]


@pytest.mark.parametrize("broken", [SIX_MISTAKES, "", None])
def test_a_start_on_a_broken_file_uses_the_last_good_one(
    tmp_path: Path, broken: str | None
) -> None:
    with running(tmp_path) as client:
        revision = client.get("/api/v1/rules").json()["revision"]
    if broken is None:
        (tmp_path / "rules.yaml").unlink()
        (tmp_path / "rules.yaml").mkdir()
    else:
        write(tmp_path, broken)
    with running(tmp_path) as client:
        status = client.get("/api/v1/rules").json()
        assert (status["revision"], len(status["problems"]) > 0) == (revision, True)
        assert posted(client)["owner"] == "payments"


def test_with_no_rules_at_all_events_are_kept_and_decided_when_rules_load(tmp_path: Path) -> None:
    write(tmp_path, "rules: [")
    with running(tmp_path) as client:
        assert posted(client) | {"id": 0} == {"id": 0, "group": None, "owner": None, "step": None}
        posted(client, "search/index.py")
        books = client.get("/api/v1/accounting").json()
        assert (books["outcomes"], books["unaccounted"]) == ({"undecided": 2}, 0)
        write(tmp_path, RULES)
        client.post("/api/v1/rules/reload")
        books = client.get("/api/v1/accounting").json()
        assert (books["outcomes"], books["unaccounted"]) == ({"notified": 2}, 0)
        teams = {group["team"] for group in client.get("/api/v1/groups").json()["groups"]}
        assert teams == {"payments", "search"}


def test_a_newer_revision_that_moves_a_group_tells_the_new_owner(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        group = posted(client)["group"]
        write(tmp_path, RULES.replace("/billing/, owner: payments", "/billing/, owner: search"))
        client.post("/api/v1/rules/reload")
        posted(client)
        posted(client)
        told = client.get(f"/api/v1/groups/{group}").json()["deliveries"]
    assert [one["notification"]["reason"] for one in told] == ["owner_changed", "first_seen"]
    assert [one["notification"]["team"] for one in told] == ["search", "payments"]


def test_the_same_file_read_again_moves_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        posted(client)
        client.post("/api/v1/rules/reload")
        posted(client)
    with running(tmp_path) as client:
        posted(client)
        assert client.get("/api/v1/accounting").json()["outcomes"] == {"grouped": 2, "notified": 1}


def test_the_repositorys_files_find_a_path_without_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("billing/deep/tax.py\n")
    sent = "/opt/anywhere/deep/tax.py"
    with running(tmp_path, repository=tmp_path / "files") as client:
        assert posted(client, sent)["owner"] == "payments"
    (tmp_path / "files").unlink()
    with running(tmp_path, repository=tmp_path / "files") as client:
        assert posted(client, sent)["owner"] is None


def a_device(rules: Path) -> None:
    rules.symlink_to("/dev/null")


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, a_device])
def test_a_pipe_a_folder_or_a_device_is_no_rules_file(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    with running(tmp_path) as client:
        (tmp_path / "rules.yaml").unlink()
        make(tmp_path / "rules.yaml")
        (problem,) = client.post("/api/v1/rules/reload").json()["problems"]
        assert posted(client)["owner"] == "payments"
    assert problem["message"] == "it is no regular file"
    assert pointsman("check", "--rules", tmp_path / "rules.yaml").talk.endswith(
        "rules.yaml: it is no regular file\n"
    )


def test_a_rules_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        (tmp_path / "rules.yaml").unlink()
        (problem,) = client.post("/api/v1/rules/reload").json()["problems"]
    assert problem["message"] == "there is no such file, or none that can be read"


def test_rules_that_the_database_did_not_take_are_kept_at_the_next_reload(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        engine = client.app.state.runtime.engine  # type: ignore[attr-defined]
        write(tmp_path, RULES + "default: search\n")
        for rename in ("rules_revisions rename to away", "away rename to rules_revisions"):
            with engine.begin() as connection:
                connection.exec_driver_sql(f"alter table {rename}")
            newest = client.post("/api/v1/rules/reload").json()["revision"]
    write(tmp_path, "broken: [")
    with running(tmp_path) as client:
        assert client.get("/api/v1/rules").json()["revision"] == newest


def test_a_rules_file_that_is_a_link_is_read_where_it_leads_to(tmp_path: Path) -> None:
    """As a ConfigMap has it: rules.yaml → ..data/rules.yaml → ..2026/rules.yaml."""
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "rules.yaml").write_text(RULES + "  - {include: teams/*.yaml}\n")
    (tmp_path / "..2026" / "teams").mkdir()
    (tmp_path / "..2026" / "teams" / "x.yaml").write_text(
        "version: 1\nteam: search\nrules: [{path: /found/}]\n"
    )
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "rules.yaml").symlink_to("..data/rules.yaml")
    with running(tmp_path) as client:
        assert client.get("/api/v1/rules").json()["problems"] == []
        assert posted(client, "found/a.py")["owner"] == "search"


def test_one_teams_mistake_never_breaks_anothers_rules_nor_after_a_restart(tmp_path: Path) -> None:
    write(tmp_path, RULES + "  - {include: teams/*.yaml}\n")
    (tmp_path / "teams").mkdir()
    good = "version: 1\nteam: %s\nrules: [{path: /%s/}]\n"
    (tmp_path / "teams" / "a.yaml").write_text(good % ("payments", "a"))
    (tmp_path / "teams" / "b.yaml").write_text(good % ("search", "b"))
    with running(tmp_path):
        pass
    (tmp_path / "teams" / "a.yaml").write_text("version: 1\nteam: payments\nrulez: []\n")
    (tmp_path / "teams" / "b.yaml").write_text(good % ("search", "new"))
    for _ in range(2):
        with running(tmp_path) as client:
            files = {one["file"]: one["quarantined"] for one in _rules(client)["files"]}
            assert list(files.values()) == [False, True, False]
            assert posted(client, "a/x.py")["owner"] == "payments"
            assert posted(client, "new/x.py")["owner"] == "search"
            assert "pointsman_rules_quarantined_files 1.0" in client.get("/metrics").text


def _rules(client: TestClient) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = client.get("/api/v1/rules").json()
    return found


def test_restricted_team_files_may_not_assign_to_others(tmp_path: Path) -> None:
    write(tmp_path, RULES + "  - {include: theirs.yaml}\n")
    (tmp_path / "theirs.yaml").write_text(
        "version: 1\nteam: search\nrules: [{path: /x/}, {path: /y/, owner: payments}]\n"
    )
    with running(tmp_path) as client:
        assert client.get("/api/v1/rules").json()["problems"] == []
    with running(tmp_path, restrict_team_files=True) as client:
        (problem,) = client.get("/api/v1/rules").json()["problems"]
        assert problem["message"].startswith("team files are restricted")
