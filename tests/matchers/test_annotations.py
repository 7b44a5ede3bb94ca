"""Owners named in a file's first line, and in `.codeowner` files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.errors import Origin
from matchers.event import Frame
from matchers.index import PathIndex
from matchers.patterns import below, exactly
from matchers.ruleset import Rule, Ruleset
from matchers.sources.annotations import read_annotations, read_codeowner_files
from tests.trees import a_site, short

AT = Origin("rules.yaml", 7)
TEAMS = {"red": "red", "blue": "blue", "Setup & Onboarding": "red"}
segments = st.text(st.sampled_from(r"ab.*?[]{}!#\ é"), min_size=1, max_size=5).filter(
    lambda text: text not in (".", "..")
)
paths = st.lists(segments, min_size=1, max_size=4).map("/".join)


def owners(rules: list[Rule], *asked: str) -> list[tuple[str, ...]]:
    ruleset = Ruleset(rules=tuple(rules))
    found = [ruleset.candidates(Frame(filename=path), path) for path in asked]
    return [rules[0].owners if rules else () for rules in found]


@pytest.mark.parametrize(
    ("text", "team"),
    [
        ("# @team red\nclass A", "red"),
        ("// @team red\n", "red"),
        ("-- @team red", "red"),
        ("<!-- @team red -->\n<p>", "red"),
        ("<%# @team red %>\n", "red"),
        ("<%# @team red -%>\n", "red"),
        ("#@team red", "red"),
        ("# @team Setup & Onboarding  \r\nx", "red"),
        ("\ufeff# @team blue\n", "blue"),
        ("<!-- @team Setup & Onboarding-->", "red"),
        ("#!/bin/sh\n# @team red\n", None),  # the first line only
        ("\n# @team red\n", None),
        ("@team red", None),
        ("x = 1  # @team red", None),
        ("# @teams red", None),
        ("# @team", None),
        ("<!-- @team red", None),
        ("", None),
        (b"\xff\xfe# @team red", None),
        (b"\x89PNG\x00\x1a @team", None),
        ("# @team " + "x" * 2000, None),
        (b"# @team red\n\xff\x00", "red"),  # what follows is never read
    ],
)
def test_the_first_line_names_the_team(text: str | bytes, team: str | None) -> None:
    site, said = a_site({"app/a.rb": text}, TEAMS)
    rules = read_annotations("app/*", site, AT)
    assert owners(rules, "app/a.rb") == [(team,) if team else ()]
    assert said == []


def test_an_annotation_owns_its_file_alone_and_says_where_it_stands() -> None:
    site, _ = a_site({"a*/[b] c.rb": "# @team red\n", "app/b.rb": "# @team blue\n"}, TEAMS)
    rules = read_annotations("**/*.rb", site, AT)
    assert [(str(rule.origin), rule.text) for rule in rules] == [
        ("a*/[b] c.rb:1", "@team red"),
        ("app/b.rb:1", "@team blue"),
    ]
    asked = ("a*/[b] c.rb", "ab/[b] c.rb", "app/b.rb", "x/app/b.rb")
    assert owners(rules, *asked) == [("red",), (), ("blue",), ()]


def test_an_annotation_of_no_team_is_a_problem_in_its_place() -> None:
    site, said = a_site({"a.rb": "# @team rde\n"})
    assert read_annotations("*.rb", site, AT) == []
    assert short(said) == ['a.rb:1 unknown team "rde" — did you mean "red"?']
    assert said[0].origin.column == 9


def test_a_glob_that_fits_no_file_is_a_problem() -> None:
    site, said = a_site({"a.rb": ""})
    assert read_annotations("**/*.py", site, AT) == []
    assert short(said) == ['rules.yaml:7 "**/*.py" fits no file']


def test_the_deepest_codeowner_file_wins() -> None:
    files = {".codeowner": "blue\n", "z/.codeowner": "red", "z/a/.codeowner": "  blue \r\nignored"}
    site, said = a_site(files)
    rules = read_codeowner_files(".", site, AT)
    assert [rule.text for rule in rules] == ["path: *", "path: /z/", "path: /z/a/"]
    assert owners(rules, "x", "z/x", "z/b/x", "z/a/x") == [("blue",), ("red",), ("red",), ("blue",)]
    assert str(rules[1].origin) == "z/.codeowner:1"
    assert said == []


def test_codeowner_files_are_read_below_their_folder_alone() -> None:
    site, said = a_site({".codeowner": "blue", "app/x/.codeowner": "red", "app2/.codeowner": "red"})
    assert [rule.text for rule in read_codeowner_files("/app/", site, AT)] == ["path: /app/x/"]
    assert said == []


def test_codeowner_files_that_name_no_team_are_problems() -> None:
    files = {"a/.codeowner": "\nred", "b/.codeowner": b"\xff", "c/.codeowner": "Rot"}
    site, said = a_site(files)
    assert read_codeowner_files(".", site, AT) == []
    assert short(said) == [
        "a/.codeowner:1 expected the name of a team in the first line",
        "b/.codeowner:1 expected the name of a team in the first line",
        'c/.codeowner:1 unknown team "Rot"',
    ]


def test_a_folder_without_codeowner_files_is_a_problem() -> None:
    site, said = a_site({"a/.codeowner": "red"})
    assert read_codeowner_files("b", site, AT) == []
    assert short(said) == ["rules.yaml:7 there is no .codeowner below b"]


@given(paths, paths)
def test_a_path_as_a_pattern_is_that_path_alone(path: str, other: str) -> None:
    index = PathIndex([(exactly(path), 0), (below(path), 1)])
    assert index.matches(path) == (0,)
    assert index.matches(path + "/x") == (1, 0)
    if other != path and not other.startswith(path + "/"):
        assert index.matches(other) == ()
