"""A CODEOWNERS from the rules says what they say of paths, and lists what it cannot."""

from hypothesis import given
from hypothesis import strategies as st

from matchers.errors import Origin, Problem
from matchers.generate import generate_codeowners
from matchers.lookup import look_up
from matchers.ruleset import Ruleset
from matchers.sources.base import Site
from matchers.sources.codeowners import read_codeowners
from tests.builders import the_rules
from tests.trees import FakeTree

RULES = """
teams: {payments: {aliases: ["pay@acme.example", "@acme/payments", "@acme/pay"]}, web: {}}
rules:
  - {owner: web}
  - {path: [/app/, "/my files/"], owners: [payments, web]}
  - {path: /gen/, unowned: true}
  - {path: /internal/, owner: payments, review: false}
  - {path: /app/, exception: KeyError, owner: web}
  - {path: /app/, not: {path: /app/x}, owner: web}
  - {module: "app.*", owner: payments}
  - {path: "#x", owner: payments}
  - {path: /lib/, owner: payments, transparent: true}
"""


def test_a_line_for_every_path_in_the_order_of_the_rules() -> None:
    rules = the_rules(RULES)
    aliases = {slug: team.aliases for slug, team in rules.teams.items()}
    made = generate_codeowners(rules.ruleset.rules, aliases, "rules.yaml")
    head, blank, *lines = made.text.splitlines()
    assert head.startswith("# Made by `pointsman generate codeowners` from rules.yaml")
    assert blank == ""
    assert lines == [
        "* web",
        "/app/ @acme/payments web",
        "/my\\ files/ @acme/payments web",
        "/gen/",
        "**/#x @acme/payments",
        "/lib/ @acme/payments",
    ]
    assert [problem.origin.line for problem in made.left_out] == [8, 9, 10, 4]


PATTERNS = ["*", "*.py", "/a/", "/a/b c/", "/a/*", "b", "**/x.py", "[slug]", "[id]/x", "#h"]


@given(st.lists(st.sampled_from(PATTERNS), min_size=1))
def test_what_is_generated_is_read_back_as_it_was(patterns: list[str]) -> None:
    written = "".join(
        f'\n  - {{path: "{pattern}", {"owner: web" if at % 3 else "unowned: true"}}}'
        for at, pattern in enumerate(patterns)
    )
    rules = the_rules(f'teams: {{web: {{aliases: ["@web"]}}}}\nrules:{written}')
    made = generate_codeowners(rules.ruleset.rules, {"web": ["@web"]}, "rules.yaml")
    problems: list[Problem] = []
    site = Site(FakeTree({"CODEOWNERS": made.text}), {"@web": "web"}, problems.append)
    read = Ruleset(rules=tuple(read_codeowners("CODEOWNERS", "github", site, Origin("x", 1))))
    assert problems == []
    for path in ("a/x.py", "a/b c/x", "b/y.py", "z", "c/[slug]/y", "[id]/x/z", "c/[id]/x", "a/#h"):
        first, second = look_up(path, rules.ruleset).rule, look_up(path, read).rule
        assert (first and first.owners) == (second and second.owners)
