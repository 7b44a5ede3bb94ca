"""`pointsman replay`: the stored events against other rules."""

import json
from pathlib import Path

import pytest

from tests.running_cli import Answer, pointsman
from tests.service.days import DAY, HOUR, TEAMS, the_days

OTHER = TEAMS + "  - {path: /billing/tax.py, owner: search}\n  - {path: /lib/, owner: payments}\n"


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Two days: an error of payments that goes on, one of search, one of nobody."""
    with the_days(tmp_path) as days:
        days.fail("search/index.py")
        for _ in range(48):
            days.fail("billing/tax.py", message="no rate")
            days.pass_by(HOUR)
        days.fail("lib/shared.py", times=2, message="no lock")
        days.pass_by(DAY)
        days.heard()
    (tmp_path / "other.yaml").write_text(OTHER)
    return tmp_path


def replayed(folder: Path, *words: str, rules: str = "other.yaml") -> Answer:
    env = {"POINTSMAN_DATABASE_URL": f"sqlite:///{folder}/pointsman.db"}
    return pointsman("replay", "--since", "9000d", "--rules", folder / rules, *words, env=env)


def test_by_the_same_rules_everybody_is_told_the_same(stored: Path) -> None:
    same = replayed(stored, rules="rules.yaml")
    assert same == (
        0,
        "payments: told of 2, would be of 2\nsearch: told of 1, would be of 1\n",
        "0 of 51 events would be another's\n",
    )


def test_by_other_rules_it_says_who_would_be_told_instead(stored: Path) -> None:
    other = replayed(stored)
    assert (other.exit_code, other.out.splitlines(), other.talk) == (
        0,
        [
            "payments -> search: 1 error, 48 events",
            "  48  no rate",
            "(unowned) -> payments: 1 error, 2 events",
            "  2  no lock",
            "payments: told of 2, would be of 1",
            "search: told of 1, would be of 3",
        ],
        "50 of 51 events would be another's\n",
    )


def test_the_database_is_only_read(stored: Path) -> None:
    with the_days(stored) as days:
        before = days.client.get("/api/v1/accounting").json()
        answered = json.loads(replayed(stored, "--json", "--examples", "0").out)
        assert days.client.get("/api/v1/accounting").json() == before
    assert answered["events"] == 51
    assert answered["moved"][0] == {
        "from": "payments",
        "to": "search",
        "events": 48,
        "errors": 1,
        "examples": [],
    }
    assert answered["told"][1] == {"team": "search", "was": 1, "would_be": 3}


def test_a_mistake_is_misuse(stored: Path) -> None:
    assert replayed(stored, "--since", "soon").exit_code == 2
    (stored / "pointsman.db").rename(stored / "gone.db")
    gone = replayed(stored)
    assert (gone.exit_code, "No such database" in gone.talk) == (2, True)
    assert not (stored / "pointsman.db").exists()
