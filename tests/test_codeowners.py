"""What a CODEOWNERS text means: the cases of any correct implementation, and ours."""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from matchers.errors import Origin, Problem
from matchers.lookup import look_up
from matchers.ruleset import Rule, Ruleset
from matchers.sources.base import Site
from matchers.sources.codeowners import read_codeowners
from matchers.sources.owner_lines import Dialect, read_lines
from tests.conformance import cases
from tests.running_cli import pointsman
from tests.trees import FakeTree

FILE = ".github/CODEOWNERS"
HERE = Origin("rules.yaml", 3, 5)
CASES = cases("codeowners.yaml")


class Reading:
    """A CODEOWNERS text, read. Every owner in it is a team, unless `names` says which are."""

    def __init__(
        self, text: str, dialect: Dialect = "github", names: dict[str, str] | None = None
    ) -> None:
        self.problems: list[Problem] = []
        known = {word: word for word in text.split() if "@" in word} if names is None else names
        site = Site(FakeTree({FILE: text}), known, self.problems.append)
        self.ruleset = Ruleset(rules=tuple(read_codeowners(FILE, dialect, site, HERE)))

    def rule(self, path: str) -> Rule:
        found = look_up(path, self.ruleset).rule
        assert found is not None
        return found

    def owners(self, path: str) -> list[str] | None:
        rule = look_up(path, self.ruleset).rule
        return None if rule is None else list(rule.owners)

    def said(self) -> dict[int, str]:
        return {problem.origin.line: problem.message for problem in self.problems}


def the_names(case: dict[str, Any]) -> dict[str, str] | None:
    if "teams" not in case:
        return None
    teams = case["teams"].items()
    return {name: slug for slug, team in teams for name in [slug, *team["aliases"]]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_codeowners_text_means_what_its_case_says(case: dict[str, Any]) -> None:
    read = Reading(case["text"], case["dialect"], the_names(case))
    expected = case.get("owns") or case["resolves"]
    assert {path: read.owners(path) for path in expected} == expected
    assert read.said().keys() == case.get("problems", {}).keys()
    for line, word in case.get("problems", {}).items():
        assert word in read.said()[line]


def test_a_rule_keeps_its_line_and_its_words() -> None:
    read = Reading("# ours\n\n/app/   @a  # them\n")
    assert read.rule("app/x.py").origin == Origin(FILE, 3)
    assert read.rule("app/x.py").text == "/app/   @a  # them"
    assert read.problems == []


def test_a_line_that_is_long_is_shown_cut() -> None:
    assert len(Reading(f"/app/ {'@a ' * 500}").rule("app/x").text) == 200


def test_a_missing_file_is_a_problem_of_the_entry_that_names_it() -> None:
    problems: list[Problem] = []
    site = Site(FakeTree({}), {}, problems.append)
    assert read_codeowners("CODEOWNERS", "github", site, HERE) == []
    assert problems == [
        Problem(HERE, "CODEOWNERS: no such file, or a link that leads out of the repository")
    ]


def test_a_line_that_is_not_utf_8_is_dropped_alone() -> None:
    problems: list[Problem] = []
    raw = b"\xef\xbb\xbf/a/ @a\r\n/\xff/ @b\r\n/c/ @a"
    lines = list(read_lines(raw, FILE, Site(FakeTree({}), {}, problems.append)))
    assert [line.text for line in lines] == ["/a/ @a", "/c/ @a"]
    assert [problem.origin.line for problem in problems] == [2]


@pytest.mark.parametrize(
    ("line", "owners"),
    [
        ("/x @Acme/web jane@acme.example", ["@Acme/web", "jane@acme.example"]),
        ("/x @a @a", ["@a"]),
        ("/x\t@a", ["@a"]),
        ("/x @a #@b", ["@a"]),
    ],
)
def test_owners_of_a_line(line: str, owners: list[str]) -> None:
    assert Reading(line).owners("x") == owners


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("!docs/ @a", "`docs/` without an owner"),
        ("!", "`!` has no meaning"),
        ("[Core]", "dialect: gitlab"),
        ("^[Core][2] @a", "dialect: gitlab"),
        ("a/***/b @a", 'did you mean "a/**/b"?'),
        ("\\#x.py @a", "`?` stands for any character"),
        ("// @a", "never matches"),
        ("x @a/b/c", "@user, @org/team or an email"),
    ],
)
def test_a_line_that_github_would_not_understand_comes_with_a_hint(line: str, hint: str) -> None:
    read = Reading(line)
    assert hint in read.said()[1]
    assert read.ruleset.rules == ()


def test_a_range_is_just_a_name_where_it_is_no_heading() -> None:
    read = Reading("[id]/x.ts @a")
    assert (read.owners("[id]/x.ts"), read.problems) == (["@a"], [])


def test_bitbucket_names_whom_to_ask_and_users_without_an_at() -> None:
    names = {"jane": "jane", "@acme/web": "web"}
    read = Reading("*.py jane @acme/web:random(2) # both", "bitbucket", names)
    assert (read.owners("x.py"), read.problems) == (["jane", "web"], [])


def test_a_team_is_suggested_for_a_name_that_is_nearly_one() -> None:
    read = Reading("* @acme/webb", names={"@acme/web": "web"})
    assert 'unknown team "@acme/webb" — did you mean "@acme/web"?' in read.said()[1]


GITLAB = """\
* @admin
!/secret/
\\#notes @admin

[Docs] @writers
docs/
docs/api/ @api
!docs/old/
/secret/plan.md @api

^[Data][2] @data @writers
*.sql
[docs]
*.md @editors
docs/none/
"""


@pytest.mark.parametrize(
    ("path", "owners", "line"),
    [
        ("a.py", ["@admin"], 1),
        ("#notes", ["@admin"], 3),
        ("docs/a", ["@admin", "@writers"], 1),
        ("docs/api/a", ["@admin", "@api"], 1),
        ("docs/old/a.md", ["@admin"], 1),
        ("secret/x", [], 2),
        ("secret/plan.md", ["@editors"], 14),
        ("docs/x.sql", ["@admin", "@writers", "@data"], 1),
        ("docs/a.md", ["@admin", "@editors"], 1),
        ("docs/none/x", ["@admin"], 1),
    ],
)
def test_gitlab_joins_what_its_sections_say(path: str, owners: list[str], line: int) -> None:
    read = Reading(GITLAB, "gitlab")
    assert read.problems == []
    assert read.owners(path) == owners
    assert read.rule(path).unowned is (not owners)
    assert read.rule(path).origin.line == line


def test_a_gitlab_file_is_one_rule_that_its_answers_stand_within() -> None:
    read = Reading(GITLAB, "gitlab")
    (whole,) = read.ruleset.rules
    assert (whole.text, whole.origin) == (f"codeowners: {FILE}", Origin(FILE, 1))
    assert read.rule("a.py").within is whole
    assert read.rule("a.py") is read.rule("b.py")
    assert whole.resolve is not None
    assert whole.resolve("") is None


def test_an_exclusion_that_stands_again_as_an_entry_is_none_any_more() -> None:
    read = Reading("*.rb @a\n!*.rb\n*.rb @b\n", "gitlab")
    assert read.owners("x.rb") == ["@b"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("[Core @a", "without its `]`"),
        ("[] @a", "no name"),
        ("[a-z]*.py @a", "is a section heading"),
        ("[Core] nobody", '"nobody" is no owner'),
        ("x @a # see @b", "starts no comment"),
        ("/[ab @a", "range that does not end"),
        ("! @a", "an empty pattern"),
    ],
)
def test_a_line_that_gitlab_would_complain_of_comes_with_a_hint(line: str, hint: str) -> None:
    assert hint in Reading(line, "gitlab").said()[1]


def test_gitlab_takes_owners_in_a_comment_for_owners() -> None:
    assert Reading("x @a # see @b", "gitlab").owners("x") == ["@a", "@b"]


def test_an_unknown_default_owner_is_said_once_and_drops_what_has_no_other() -> None:
    read = Reading("* @a\n[Docs] @gone\ndocs/\ndoc/\n*.md @a", "gitlab", {"@a": "a"})
    assert [str(problem.origin.line) for problem in read.problems] == ["2"]
    assert read.owners("docs/x") == ["a"]


def test_ten_thousand_sections_are_asked_in_no_time() -> None:
    text = "".join(f"[s{at}] @a\n/d{at % 100}/**/*[0-9]*x{at}*.py\n" for at in range(10_000))
    read = Reading(text + "[all]\n* @b", "gitlab")
    begun = time.perf_counter()
    for at in range(200):
        assert read.owners(f"d{at % 100}/e/{at}.js") == ["@b"]
    assert time.perf_counter() - begun < 2


class Asked(NamedTuple):
    """The same through the command line."""

    owners: dict[str, list[str] | None]  # by path; None: no rule
    talk: str  # of `who`
    findings: str  # of `check`


def the_teams(case: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Those of the case, else one for each owner in its text."""
    names = sorted({word for word in case["text"].split() if "@" in word})
    several = {f"t{number}": {"aliases": [name]} for number, name in enumerate(names)}
    return case.get("teams") or several


def asked(case: dict[str, Any], folder: Path) -> Asked:
    teams = the_teams(case)
    shown = {slug: slug if "teams" in case else team["aliases"][0] for slug, team in teams.items()}
    (folder / "CODEOWNERS").write_text(case["text"])
    entry = {"codeowners": "CODEOWNERS", "dialect": case["dialect"]}
    rules = folder / "rules.yaml"
    rules.write_text(json.dumps({"version": 1, "teams": teams, "rules": [entry]}))
    paths = list(case.get("owns") or case["resolves"])
    answer = pointsman("who", *paths, "--rules", rules, "--json")
    found = {
        one["path"]: None if one["rule"] is None else [shown[slug] for slug in one["owners"]]
        for one in json.loads(answer.out)
    }
    return Asked(found, answer.talk, pointsman("check", "--rules", rules).out)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_command_line_answers_as_its_case_says(case: dict[str, Any], tmp_path: Path) -> None:
    found = asked(case, tmp_path)
    assert found.owners == (case.get("owns") or case["resolves"])
    assert found.talk == found.findings
    for line, word in case.get("problems", {}).items():
        (said,) = [one for one in found.talk.splitlines() if f"CODEOWNERS:{line}:" in one]
        assert word in said


PATTERNS = [case for case in cases("patterns.yaml") if not case.get("raw")]


@pytest.mark.parametrize("case", PATTERNS, ids=lambda case: case["id"])
def test_who_answers_a_pattern_as_gitlab_has_it(case: dict[str, Any], tmp_path: Path) -> None:
    line = f"{case['pattern']} @them\n"
    found = asked({"dialect": "gitlab", "text": line, "owns": {case["path"]: []}}, tmp_path)
    assert (found.owners[case["path"]] == ["@them"]) is (case["gitlab"] is True)
