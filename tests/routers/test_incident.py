from typing import Any

import pytest

from routers.incident import defused, details, fit, key, story
from tests.alerts import OWNERSHIP, an_alert
from tests.routers.test_slack import ATTACK

LESS = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
AT = "\N{FULLWIDTH COMMERCIAL AT}"


@pytest.mark.parametrize(
    "later",
    [
        {"id": "0195-another"},
        {"reason": "regression"},
        {"reason": "escalation", "severity": "error", "times_seen": 9_999},
        {"release": "2026.3.2", "title": "KeyError: 'FR'", "receiver": "elsewhere"},
        {"plain": True},
    ],
)
def test_what_is_told_later_joins_the_incident(later: dict[str, Any]) -> None:
    assert key(an_alert(**later)) == key(an_alert())


@pytest.mark.parametrize(
    "other", [{"group": "f" * 16}, {"team": "search"}, {"team": None}, {"environment": "staging"}]
)
def test_what_others_are_told_is_another_incident(other: dict[str, Any]) -> None:
    assert key(an_alert(**other)) != key(an_alert())


def test_the_key_names_the_group_and_is_short() -> None:
    assert key(an_alert(team="\ud800" * 9_000)).startswith("pointsman-0123456789abcdef-")
    assert len(key(an_alert(team="\ud800" * 9_000))) == 35


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            ATTACK.partition(" @everyone")[0],
            f"{LESS}!channel> {LESS}!here> {LESS}{AT}U123> {LESS}!subteam^S1>",
        ),
        ("<https://evil.test|ok>", f"{LESS}https://evil.test|ok>"),
        ("@everyone *boom* |x>", f"{AT}everyone *boom* |x>"),
        ("<#C1>", f"{LESS}#C1>"),
        ("List<String> a < b, vector<std::string>", "List<String> a < b, vector<std::string>"),
        ("Foo@1f2e3d", "Foo@1f2e3d"),
        ("node_modules/@babel/core", "node_modules/@babel/core"),
        ("a @ b", "a @ b"),
        ("owner @acme/payments", f"owner {AT}acme/payments"),
    ],
)
def test_only_what_would_ping_is_written_otherwise(text: str, shown: str) -> None:
    assert defused(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "fitted"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ééé", 3, "ééé"),
        ("👍👍", 4, "👍👍"),
        ("👍👍", 3, "👍…"),
        ("👍👍", 2, "…"),
    ],
)
def test_a_text_is_measured_as_the_vendors_do(text: str, limit: int, fitted: str) -> None:
    assert fit(text, limit) == fitted


def test_every_fact_has_a_name() -> None:
    owned = OWNERSHIP | {"feature": "invoicing", "criticality": "high"}
    assert details(an_alert(ownership=owned), 99) == {
        "team": "payments",
        "severity": "critical",
        "environment": "production",
        "release": "2026.3.1",
        "times_seen": "1,200",
        "reason": "first_seen",
        "first_seen": "2026-03-01 12:00:00 UTC",
        "last_seen": "2026-03-01 12:00:00 UTC",
        "feature": "invoicing",
        "criticality": "high",
        "where": "server/app/billing/tax.py:88 in rate",
        "source_line": "return RATES[country]",
        "why": "server/app/billing/tax.py:88 · path: /server/app/billing/ · rules.yaml:12",
        "project": "1",
        "group": "0123456789abcdef",
        "event": "e" * 32,
    }


def test_what_is_not_known_has_no_name() -> None:
    told = details(an_alert(ownership={}, environment=None, release="", why="", culprit=""), 99)
    assert told.keys().isdisjoint({"feature", "environment", "release", "why", "where"})


def test_the_story_has_the_error_in_its_lines() -> None:
    assert story(an_alert(title="ValueError: first\nsecond @here")).splitlines() == [
        "ValueError: first",
        f"second {AT}here",
        "server/app/billing/tax.py:88 in rate",
        "    return RATES[country]",
        "server/app/billing/tax.py:88 · path: /server/app/billing/ · rules.yaml:12",
    ]
