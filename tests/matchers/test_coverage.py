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


def test_what_asks_for_a_call_owns_no_file_for_sure_and_is_not_dead() -> None:
    rules = """
teams: {a: {}, b: {}, c: {}}
rules:
  - {path: /app/, owner: a}
  - {path: /app/, function: "charge*", owner: b}
  - {path: /app/, not: {module: main}, owner: c}
  - {path: /app/, not: {path: /app/web.py}, owner: b}
"""
    found = cover(["app/web.py", "app/x.py"], the_rules(rules).ruleset)
    assert [one.rule and one.rule.owners[0] for one in found.files] == ["a", "b"]
    assert (found.dead, found.shadowed) == ((), ())


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


def test_what_two_team_files_claim_is_contested_until_the_root_settles_it() -> None:
    def rule(file: str, line: int, path: str) -> Rule:
        return Rule(origin=Origin(file, line), text=f"path: {path}", owners=("a",), paths=(path,))

    rules = (
        rule("root.yaml", 1, "/app/"),
        rule("a.yaml", 1, "/app/pay/"),
        rule("b.yaml", 1, "/app/"),
        rule("b.yaml", 2, "/app/pay/x/"),
        rule("root.yaml", 2, "/app/pay/vault/"),
    )
    paths = ["app/pay/a.py", "app/pay/x/b.py", "app/pay/vault/c.py", "app/web.py"]
    (found,) = cover(paths, Ruleset(rules=rules), frozenset({"a.yaml", "b.yaml"})).contested
    assert (found.winner, found.loser) == (rules[2], rules[1])
    assert found.paths == ("app/pay/a.py", "app/pay/x/b.py")
