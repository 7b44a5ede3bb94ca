"""Of a file list, what is owned; and which rules do nothing there."""

from matchers.coverage import cover
from matchers.errors import Origin
from matchers.ruleset import Rule, Ruleset
from matchers.sources.owners_yaml import read_owners_yaml
from tests.builders import the_rules
from tests.trees import a_site

RULES = the_rules(
    """
teams: {a: {}, b: {}, c: {}}
rules:
  - {path: /app/pay/, owner: a}
  - {path: "*.md", owner: b}
  - {path: /app/, owner: b}
  - {path: /app/, owner: c, environment: staging}
  - {path: /gen/, unowned: true}
  - {path: /nowhere/, owner: c}
  - {exception: "*Timeout", owner: c}
"""
).ruleset
FILES = ["app/pay/tax.py", "app/web.py", "gen/x.py", "docs/a.md", "bin/run"]
FOUND = cover(FILES, RULES)


def test_every_file_has_the_rule_that_owns_it_for_sure() -> None:
    assert [one.rule and one.rule.text for one in FOUND.files] == [
        "path: /app/",
        "path: /app/",
        "path: /gen/",
        "path: *.md",
        None,
    ]


def test_what_is_unowned_on_purpose_is_asked_of_nobody() -> None:
    assert (FOUND.owned, FOUND.on_purpose, FOUND.share) == (3, 1, 75.0)


def test_a_rule_that_matches_no_file_is_dead() -> None:
    assert [rule.text for rule in FOUND.dead] == ["path: /nowhere/"]


def test_a_rule_that_never_wins_is_shadowed_by_the_one_that_beats_it() -> None:
    assert [(one.rule.text, one.by.text, one.files) for one in FOUND.shadowed] == [
        ("path: /app/pay/", "path: /app/", 1)
    ]


def test_no_files_are_wholly_owned() -> None:
    assert cover([], RULES).share == 100.0


def test_a_rule_that_stands_for_many_counts_as_one() -> None:
    site, _ = a_site({"app/owners.yaml": "version: 1\nowners: red\n"})
    (tree,) = read_owners_yaml(".", site, Origin("rules.yaml", 1))
    (idle,) = read_owners_yaml(".", site, Origin("rules.yaml", 2))
    before = Rule(origin=Origin("rules.yaml", 0), text="path: /app/", paths=("/app/",))
    found = cover(["app/a.py"], Ruleset(rules=(before, idle, tree)))
    assert str(found.files[0].rule and found.files[0].rule.origin) == "app/owners.yaml:2"
    assert [(one.rule, one.by) for one in found.shadowed] == [(before, tree), (idle, tree)]
    assert [rule.text for rule in cover(["x.py"], Ruleset(rules=(tree,))).dead] == [
        "owners_yaml: ."
    ]
