"""A database of the first issue's last commit, and today's service: nothing told anew or lost.

What lies in it: tests/data/upgrade/README.md.
"""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from service.store.tables import from_us
from tests import upgrade
from tests.service.house import Clock, running
from tests.upgrade import HELD, NOT_TOLD, PENDING, TIMES, TOLD, UNDECIDED, Sent

RULES = upgrade.RULES.replace("HOOKS", "http://hooks.example")
Row = dict[str, Any]


class Upgraded:
    """Today's service on what the first one left."""

    def __init__(self, client: TestClient, heard: list[tuple[str, str]]) -> None:
        self.client = client
        self._heard = heard

    def heard(self) -> list[tuple[str, str]]:
        """(webhook-id, title) of each alert, once nothing waits."""
        deadline = time.monotonic() + 10
        while self.get("/api/v1/accounting")["deliveries"]["pending"]:
            assert time.monotonic() < deadline, "it was never told"
            time.sleep(0.01)
        return self._heard

    def get(self, path: str) -> Any:
        return self.client.get(path).raise_for_status().json()

    def send(self, sent: Sent) -> None:
        self.client.post(sent.path, content=sent.body).raise_for_status()

    def outcomes(self) -> Counter[str]:
        return Counter(self.get("/api/v1/accounting")["outcomes"])

    def groups(self) -> dict[str, Row]:
        return {one["id"]: one for one in self.get("/api/v1/groups?limit=200")["groups"]}


def restored(name: str, folder: Path) -> Path:
    file = folder / "pointsman.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript((upgrade.DATA / f"{name}.sql").read_text())
    return file


def rows(file: Path, table: str) -> list[Row]:
    with closing(sqlite3.connect(file)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608


@contextmanager
def upgraded(folder: Path, file: Path) -> Iterator[Upgraded]:
    """Five minutes after the last event; every destination is well by now."""
    heard: list[tuple[str, str]] = []

    def hear(request: httpx.Request) -> httpx.Response:
        (told,) = json.loads(request.content)["notifications"]
        heard.append((request.headers["webhook-id"], told["title"]))
        return httpx.Response(204)

    (folder / "rules.yaml").write_text(RULES)
    clock = Clock()
    last = max(row["received_at"] for row in rows(file, "events"))
    clock.now = from_us(last) + timedelta(minutes=5)
    with running(folder, clock, httpx.MockTransport(hear)) as client:
        yield Upgraded(client, heard)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return restored("told", tmp_path)


@pytest.fixture
def service(tmp_path: Path, old: Path) -> Iterator[Upgraded]:
    with upgraded(tmp_path, old) as service:
        yield service


def test_the_database_is_what_the_tests_below_need(old: Path) -> None:
    states = Counter(row["state"] for row in rows(old, "deliveries"))
    outcomes = {row["name"]: row["n"] for row in rows(old, "ledger") if row["book"] == "outcome"}
    fingerprints = {row["fingerprint"][:3] for row in rows(old, "group_fingerprints")}
    assert states == {"delivered": len(TOLD) + 1, "dead": 1, "pending": len(PENDING), "leased": 1}
    assert outcomes.keys() == {"notified", "grouped", "duplicate", "no_receiver", "unowned"}
    assert fingerprints == {"v1:"}


def test_every_group_keeps_its_name_its_team_and_its_count(tmp_path: Path, old: Path) -> None:
    before = {row["id"]: row for row in rows(old, "groups")}
    with upgraded(tmp_path, old) as service:
        after = service.groups()
    assert after.keys() == before.keys()
    for id, group in after.items():  # noqa: A001
        for field in ("title", "culprit", "times_seen", "status"):
            assert group[field] == before[id][field]
        assert (group["team"] or "") == before[id]["team"]


def test_what_waited_is_told_once_and_nothing_else(tmp_path: Path, old: Path) -> None:
    waited = [row for row in rows(old, "deliveries") if row["state"] in ("pending", "leased")]
    with upgraded(tmp_path, old) as service:
        heard = service.heard()
    assert sorted(id for id, _ in heard) == sorted(row["id"] for row in waited)  # noqa: A001


def test_what_was_told_comes_again_and_nobody_is_told(service: Upgraded) -> None:
    told, before = len(service.heard()), service.outcomes()
    for one in (*TOLD, *PENDING, HELD):
        service.send(one.again())
    assert service.outcomes() - before == {"grouped": len(TOLD) + len(PENDING) + 1}
    assert len(service.heard()) == told


@pytest.mark.parametrize("reason", NOT_TOLD)
def test_what_nobody_was_told_of_stays_so(service: Upgraded, reason: str) -> None:
    before = service.outcomes()
    service.send(NOT_TOLD[reason].again())
    assert service.outcomes() - before == {reason: 1}


def test_what_comes_again_is_counted_in_the_groups_there_were(service: Upgraded) -> None:
    before = service.groups()
    for one in (*TOLD, *NOT_TOLD.values()):
        service.send(one.again())
    after = service.groups()
    assert after.keys() == before.keys()
    more = Counter(after[id]["times_seen"] - before[id]["times_seen"] for id in after)  # noqa: A001
    assert more == {1: len(TOLD) + len(NOT_TOLD), 0: len(after) - len(TOLD) - len(NOT_TOLD)}


def test_an_event_that_was_accepted_before_is_a_duplicate(service: Upgraded) -> None:
    before = service.outcomes()
    for one in (*TOLD, HELD):
        service.send(one)
    assert service.outcomes() - before == {"duplicate": len(TOLD) + 1}


def test_every_event_and_its_decision_can_be_looked_at(service: Upgraded) -> None:
    for id, group in service.groups().items():  # noqa: A001
        shown = service.get(f"/api/v1/groups/{id}")
        assert shown["event"]["event_id"] == group["last_event_id"]
        assert shown["ownership"]["owners"] == ([group["team"]] if group["team"] else [])
        assert service.client.get(f"/groups/{id}").is_success


def test_the_books_balance_at_once_and_after_more(service: Upgraded) -> None:
    assert service.get("/api/v1/accounting")["unaccounted"] == 0
    for one in (*TOLD, *PENDING, HELD, *NOT_TOLD.values()):
        service.send(one.again())
    service.heard()
    books = service.get("/api/v1/accounting")
    assert (books["unaccounted"], books["deliveries"]["pending"]) == (0, 0)
    assert books["outcomes"]["grouped"] == (TIMES - 1) * len(TOLD) + len(TOLD) + len(PENDING) + 1


def test_an_event_from_before_any_rules_is_decided_and_told_once(tmp_path: Path) -> None:
    with upgraded(tmp_path, restored("undecided", tmp_path)) as service:
        (heard,) = service.heard()
        service.send(UNDECIDED.again())
        service.send(UNDECIDED)
        assert service.outcomes() == {"notified": 1, "grouped": 1, "duplicate": 1}
        assert service.heard() == [heard]
        assert service.get("/api/v1/accounting")["unaccounted"] == 0
