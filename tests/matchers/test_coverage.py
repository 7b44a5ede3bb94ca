"""Of a file list, what is owned; and which rules do nothing there."""

from matchers.coverage import cover
from tests.builders import the_rules

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
