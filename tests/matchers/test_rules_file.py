"""Every mistake is a problem in its place, with the nearest known name; the rest still loads."""

import pytest

from routers.rules import load_rules
from tests.builders import loaded
from tests.trees import FakeTree

TEAMS = "teams: {payments: {aliases: ['@acme/pay']}, search: {}}\n"

MISTAKES = {
    "an unknown key of the file": (
        "rulez: []",
        'rules.yaml:3:1: unknown key "rulez" — did you mean "rules"?',
    ),
    "an unknown key of a rule": (
        "rules: [{pth: /a/, owner: search}]",
        'rules.yaml:3:10: unknown key "pth" — did you mean "path"?',
    ),
    "an unknown team": (
        "rules:\n  - {path: /a/, owner: paymnets}",
        'rules.yaml:4:24: unknown team "paymnets" — did you mean "payments"?',
    ),
    "an unknown team among owners": (
        "rules: [{path: /a/, owners: [search, ghosts]}]",
        'rules.yaml:3:38: unknown team "ghosts"',
    ),
    "a rule without an owner": (
        "rules: [{path: /a/}]",
        "rules.yaml:3:9: the rule names no owner; where nobody shall own it: `unowned: true`",
    ),
    "an owner of what is unowned": (
        "rules: [{path: /a/, owner: search, unowned: true}]",
        "rules.yaml:3:9: an `unowned` rule has no owner and is not `transparent`",
    ),
    "owner and owners": (
        "rules: [{path: /a/, owner: search, owners: [search]}]",
        "rules.yaml:3:9: write `owner` or `owners`, not both",
    ),
    "a frame condition outside rules": (
        "overrides: [{path: /a/, owner: search}]",
        "rules.yaml:3:14: overrides look at the event alone: `path` belongs under `rules:`",
    ),
    "a negated frame condition outside rules": (
        "fallbacks: [{not: {path: /a/}, owner: search}]",
        "rules.yaml:3:20: fallbacks look at the event alone: `path` belongs under `rules:`",
    ),
    "a number for a text": (
        "rules: [{path: 12, owner: search}]",
        "rules.yaml:3:16: expected text or a list of texts",
    ),
    "a negation in a pattern": (
        'rules: [{path: "!/a/", owner: search}]',
        "rules.yaml:3:16: `!` has no meaning in GitHub's CODEOWNERS patterns; "
        'write `path: "/a/"` with `unowned: true`',
    ),
    "three stars": (
        'rules: [{path: "a/***/b", owner: search}]',
        'rules.yaml:3:16: "***" is no glob — did you mean "a/**/b"?',
    ),
    "a lone slash": (
        "rules: [{path: /, owner: search}]",
        'rules.yaml:3:16: a lone "/" owns nothing; `*` owns everything',
    ),
    "an empty pattern": (
        'rules: [{path: "", owner: search}]',
        "rules.yaml:3:16: must not be empty",
    ),
    "an unknown default": (
        "default: serach",
        'rules.yaml:3:10: unknown team "serach" — did you mean "search"?',
    ),
    "an unknown channel of a receiver": (
        "channels: {pay-slack: {log: {}}}\nunowned: {receivers: [{channel: pay-slak}]}",
        'rules.yaml:4:33: unknown channel "pay-slak" — did you mean "pay-slack"?',
    ),
    "an unknown kind of channel": (
        "channels: {x: {slak: {}}}",
        'rules.yaml:3:16: unknown kind of channel "slak" — did you mean "slack"?',
    ),
    "an unknown setting of a channel": (
        "channels: {x: {slack: {webhook_ulr: https://hooks.slack.com/x}}}",
        'rules.yaml:3:24: unknown key "webhook_ulr" — did you mean "webhook_url"?',
    ),
    "a missing setting of a channel": (
        "channels: {x: {slack: {}}}",
        "rules.yaml:3:23: needs either `webhook_url`, or `token` and `channel`",
    ),
    "a missing setting of another": (
        "channels: {x: {discord: {}}}",
        'rules.yaml:3:25: the key "webhook_url" is missing',
    ),
    "an unknown severity": (
        "unowned: {receivers: [{channel: log, when: {severity: [urgent]}}]}",
        "rules.yaml:3:56: Input should be 'critical', 'error', 'warning' or 'info'",
    ),
    "a slug that is none": (
        "projects: {1: {slug: a b}}",
        "rules.yaml:3:22: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]*$'",
    ),
    "a strategy that is none": (
        "strategy: nearst",
        "rules.yaml:3:11: Input should be 'nearest' or 'sentry'",
    ),
    "a test of an unknown team": (
        "tests: [{frames: [a.py], owner: serch}]",
        'rules.yaml:3:33: unknown team "serch" — did you mean "search"?',
    ),
    "a test with an unknown key": (
        "tests: [{framez: [a.py], owner: search}]",
        'rules.yaml:3:10: unknown key "framez" — did you mean "frames"?',
    ),
    "a test of a step that is none": (
        "tests: [{frames: [a.py], owner: search, step: frames}]",
        "rules.yaml:3:47: Input should be 'explicit', 'override', 'frame', 'transparent', "
        "'third_party', 'fallback', 'default' or 'unowned'",
    ),
    "a policy that is none": (
        "policy: {mode: silent}",
        "rules.yaml:3:16: Input should be 'notify' or 'observe'",
    ),
    "a section of the wrong shape": (
        "rules: {path: /a/}",
        "rules.yaml:3:8: expected a list",
    ),
    "a rule of the wrong shape": (
        "rules: [/a/]",
        "rules.yaml:3:9: expected `key: value` pairs",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_problem_in_its_place(name: str) -> None:
    text, *problems = MISTAKES[name]
    assert [str(found) for found in loaded(TEAMS + text).problems] == problems


def test_all_mistakes_are_said_at_once_in_the_files_order() -> None:
    every = (
        "rules: [{pth: /a/, owner: search}, {path: /b/, owner: x}]\ndefault: y\npolicy: {mod: z}"
    )
    lines = [problem.origin.line for problem in loaded(TEAMS + every).problems]
    assert lines == [3, 3, 4, 5]


def test_an_alias_names_one_team() -> None:
    found = loaded("teams: {a: {aliases: [x]}, b: {aliases: [x]}}")
    assert [str(problem) for problem in found.problems] == [
        'rules.yaml:2:42: "x" already names the team "a"'
    ]


def test_what_is_right_loads_beside_what_is_not() -> None:
    found = loaded(
        TEAMS + "rulez: []\nrules: [{pth: /a/, owner: search}, {path: /b/, owner: search}]"
    )
    assert [rule.text for rule in found.rules.ruleset.rules] == ["path: /b/"]


def test_a_rule_keeps_the_owners_that_are_known() -> None:
    found = loaded(TEAMS + "rules: [{path: /a/, owners: [ghosts, search]}]")
    assert [rule.owners for rule in found.rules.ruleset.rules] == [("search",)]


@pytest.mark.parametrize("raw", ["", "[]", "text", "a: [", "version: 2"])
def test_what_is_no_rules_file_is_a_problem_not_an_error(raw: str) -> None:
    assert load_rules(FakeTree({"rules.yaml": raw}), "rules.yaml", {}).problems


@pytest.mark.parametrize("rule", ["{path: *gone, owner: search}", "{path: /a/, owner: no}"])
def test_a_rule_that_yaml_itself_spoils_is_left_out(rule: str) -> None:
    """Without its path it would own everything."""
    found = loaded(TEAMS + f"rules: [{rule}, {{path: /b/, owner: search}}]")
    assert [rule.text for rule in found.rules.ruleset.rules] == ["path: /b/"]
    assert len(found.problems) == 1


def test_near_names_are_sought_for_the_first_hundred_mistakes_only() -> None:
    """Seeking takes milliseconds: ten thousand would hold up a reload for minutes."""
    rules = "\n".join(f"  - {{path: /{number}/, owner: serch}}" for number in range(150))
    problems = loaded(f"{TEAMS}rules:\n{rules}\n").problems
    assert (len(problems), sum("did you mean" in str(one) for one in problems)) == (150, 100)
