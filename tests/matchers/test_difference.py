"""Which files change owner from one ruleset to another."""

from matchers.difference import differ
from tests.builders import the_rules

TEAMS = "teams: {a: {}, b: {}, c: {}}\n"
BEFORE = the_rules(TEAMS + "rules: [{path: /x/, owner: a}, {path: /y/, owner: b}]").ruleset
AFTER = the_rules(
    TEAMS
    + """
rules:
  - {path: /x/, owner: a}
  - {path: /x/1, owners: [b, a]}
  - {path: /x/, owner: c, exception: KeyError}
  - {path: /y/, owner: c}
  - {path: /y/3, unowned: true}
"""
).ruleset
PATHS = ["x/1", "x/2", "y/1", "y/2", "y/3", "z/1"]


def test_files_that_change_owner_are_told_together_the_most_first() -> None:
    found = differ(PATHS, BEFORE, AFTER)
    assert [(one.before, one.after, one.paths) for one in found] == [
        (("b",), ("c",), ("y/1", "y/2")),
        (("a",), ("b", "a"), ("x/1",)),
        (("b",), (), ("y/3",)),
    ]


def test_nothing_changes_between_the_same_rules() -> None:
    assert differ(PATHS, BEFORE, BEFORE) == []
