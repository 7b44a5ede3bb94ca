"""Rules in many files: their order, their teams, their mistakes, and whose mistake harms whom."""

from collections.abc import Mapping

import pytest

from matchers.engine import match
from routers.last_good import load_partly
from routers.rules import Loaded, Rules, load_rules
from tests.builders import raised_in
from tests.trees import FakeTree

ROOT = """version: 1
teams: {platform: {}, security: {}}
rules:
  - {path: /app/, owner: platform}
  - {include: teams/*.yaml}
  - {path: /app/vault/, owner: security}
default: platform
"""
PAYMENTS = """version: 1
team: payments
teams: {payments: {aliases: ["@acme/pay"]}}
rules:
  - {path: /app/billing/}
  - {path: /app/vault/}
  - {path: /app/both/}
"""
SEARCH = """version: 1
team: search
teams: {search: {}}
rules:
  - {path: /app/search/}
  - {path: /app/both/}
tests:
  - {frames: [app/search/x.py], owner: search}
"""
FILES = {"rules.yaml": ROOT, "teams/payments.yaml": PAYMENTS, "teams/search.yaml": SEARCH}


def load(files: Mapping[str, str], **options: object) -> Loaded:
    return load_rules(FakeTree(dict(files)), "rules.yaml", {}, **options)  # type: ignore[arg-type]


def said(files: Mapping[str, str], **options: object) -> list[str]:
    return [str(problem) for problem in load(files, **options).problems]


def owner(rules: Rules, path: str) -> str | None:
    return match(raised_in(path), rules.ruleset).owner


@pytest.mark.parametrize(
    ("path", "team"),
    [
        ("app/x.py", "platform"),
        ("app/billing/x.py", "payments"),
        ("app/both/x.py", "search"),
        ("app/vault/x.py", "security"),
    ],
    ids=["the root before", "a team file", "the later of two team files", "the root behind"],
)
def test_what_is_included_stands_where_it_is_written(path: str, team: str) -> None:
    assert owner(load(FILES).rules, path) == team


def test_every_rule_keeps_its_file_and_line() -> None:
    origins = [str(rule.origin) for rule in load(FILES, shown="/etc/{}".format).rules.ruleset.rules]
    assert origins[1] == "/etc/teams/payments.yaml:5"


def test_team_files_bring_their_teams_aliases_and_tests() -> None:
    rules = load(FILES).rules
    assert rules.ruleset.names["@acme/pay"] == "payments"
    assert [case.owner for case in rules.cases] == ["search"]


AGAIN = "{include: teams/search.yaml}"
MISTAKES = {
    "a file that includes itself": (
        {"teams/search.yaml": SEARCH + "  # x\n", "rules.yaml": ROOT.replace("teams/*", "rules")},
        "rules.yaml:5:15: rules.yaml includes itself",
    ),
    "a file that is included twice": (
        {"rules.yaml": ROOT.replace("  - {path: /app/v", f"  - {AGAIN}\n  - {{path: /app/v")},
        "rules.yaml:6:15: teams/search.yaml was included before",
    ),
    "a cycle": (
        {"teams/search.yaml": SEARCH.replace("rules:\n", "rules:\n  - {include: rules.yaml}\n")},
        "teams/search.yaml:5:15: rules.yaml was included before",
    ),
    "an include of nothing": (
        {"rules.yaml": ROOT.replace("teams/*.yaml", "temas/*.yaml")},
        'rules.yaml:5:15: "temas/*.yaml" fits no file',
    ),
    "a team of two files": (
        {"teams/search.yaml": SEARCH.replace("{search: {}}", "{search: {}, payments: {}}")},
        'teams/search.yaml:3:21: the team "payments" stands in teams/payments.yaml already',
    ),
    "an alias of two files": (
        {"teams/search.yaml": SEARCH.replace("{search: {}}", '{search: {aliases: ["@acme/pay"]}}')},
        'teams/search.yaml:3:28: "@acme/pay" already names the team "payments"',
    ),
    "what is the root's": (
        {"teams/search.yaml": SEARCH + "default: search\n"},
        "teams/search.yaml:9:1: `default` belongs in the root file",
    ),
    "an include outside rules": (
        {"rules.yaml": ROOT + "fallbacks: [{include: teams/*.yaml}]\n"},
        "rules.yaml:8:23: fallbacks include nothing: it belongs under `rules:`",
    ),
    "an unknown key beside an include": (
        {"rules.yaml": ROOT.replace("teams/*.yaml", "teams/*.yaml, ownr: x")},
        'rules.yaml:5:29: unknown key "ownr"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_in_the_file_where_it_stands(name: str) -> None:
    changed, problem = MISTAKES[name]
    assert problem in said({**FILES, **changed})


def test_restricted_team_files_assign_to_their_own_team_only() -> None:
    greedy = PAYMENTS.replace("{path: /app/both/}", "{path: /app/search/, owner: search}")
    files = {**FILES, "teams/payments.yaml": greedy}
    assert said(files) == []
    assert said(files, restrict_team_files=True) == [
        "teams/payments.yaml:7:5: team files are restricted: this one may not assign to search"
    ]


def test_a_broken_team_file_is_quarantined_alone() -> None:
    kept = {path: text.encode() for path, text in FILES.items()}
    now = {
        **FILES,
        "teams/payments.yaml": PAYMENTS.replace("path: /app/billing/", "pth: /app/billing/"),
        "teams/search.yaml": SEARCH.replace("/app/search/", "/app/find/"),
    }
    partly = load_partly(FakeTree(now), "rules.yaml", {}, kept)
    assert partly.loaded is not None
    assert list(partly.quarantined) == ["teams/payments.yaml"]
    assert len(partly.problems) == 1
    rules = partly.loaded.rules
    assert owner(rules, "app/billing/x.py") == "payments"
    assert owner(rules, "app/find/x.py") == "search"


def test_a_broken_root_keeps_its_last_good_version_beside_new_team_files() -> None:
    kept = {path: text.encode() for path, text in FILES.items()}
    now = {
        **FILES,
        "rules.yaml": "rules: [",
        "teams/search.yaml": SEARCH.replace("search/", "find/"),
    }
    partly = load_partly(FakeTree(now), "rules.yaml", {}, kept)
    assert partly.loaded is not None
    assert owner(partly.loaded.rules, "app/find/x.py") == "search"


def test_a_team_file_that_never_was_good_brings_nothing_and_harms_nobody() -> None:
    kept = {"rules.yaml": ROOT.encode()}
    now = {**FILES, "teams/payments.yaml": "rules: ["}
    partly = load_partly(FakeTree(now), "rules.yaml", {}, kept)
    assert partly.loaded is not None
    assert owner(partly.loaded.rules, "app/billing/x.py") == "platform"
    assert owner(partly.loaded.rules, "app/search/x.py") == "search"


def test_a_root_that_never_was_good_loads_nothing() -> None:
    partly = load_partly(FakeTree({"rules.yaml": "rules: ["}), "rules.yaml", {}, {})
    assert (partly.loaded, list(partly.quarantined)) == (None, ["rules.yaml"])
