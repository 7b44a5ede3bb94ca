"""Whose mistake harms whom: what stays in force when files break, vanish, or claim another's."""

from collections.abc import Mapping

import pytest

from matchers.engine import match
from routers.channels.log import Log
from routers.last_good import Partly, load_partly
from routers.rules import load_rules
from tests.builders import raised_in
from tests.trees import FakeTree

ROOT = """version: 1
teams: {platform: {}, search: {aliases: ["@s"]}, billing: {}}
rules:
  - {path: "*", owner: platform}
  - {codeowners: CODEOWNERS}
  - {module_files: "**/module.yaml"}
  - {owners_yaml: lib}
  - {annotations: "src/*.py"}
  - {include: teams/*.yaml}
default: platform
"""
FILES = {
    "rules.yaml": ROOT,
    "CODEOWNERS": "/search/ @s\n",
    "billing/module.yaml": "owner: billing\n",
    "lib/owners.yaml": "{version: 1, owners: search}\n",
    "src/a.py": "# @team billing\n",
    "teams/pay.yaml": """version: 1
team: pay
teams: {pay: {receivers: [{channel: pay}]}}
channels: {pay: {log: {}}}
rules: [{path: /pay/}]
""",
    "teams/risk.yaml": "{version: 1, team: billing, rules: [{path: /risk/}]}\n",
}
OWNERS = {
    "search/x.py": "search",
    "billing/x.py": "billing",
    "lib/x.py": "search",
    "src/a.py": "billing",
    "pay/x.py": "pay",
    "risk/x.py": "billing",
}


def after(changes: Mapping[str, str | None]) -> Partly:
    """The files, all good, then changed; None: deleted."""
    kept = load_rules(FakeTree(FILES), "rules.yaml", {}).texts
    now = {path: text for path, text in {**FILES, **changes}.items() if text is not None}
    return load_partly(FakeTree(now), "rules.yaml", {}, kept)


def owners(partly: Partly) -> dict[str, str | None]:
    assert partly.loaded is not None
    ruleset = partly.loaded.rules.ruleset
    return {path: match(raised_in(path), ruleset).owner for path in OWNERS}


TWICE = "{version: 1, teams: {pay: {receivers: [{channel: log}]}}}"
CHANGES: dict[str, tuple[Mapping[str, str | None], list[str]]] = {
    "a CODEOWNERS is deleted": ({"CODEOWNERS": None}, ["CODEOWNERS"]),
    "a module file is broken": ({"billing/module.yaml": "owner: ["}, ["billing/module.yaml"]),
    "a module file names nobody": ({"billing/module.yaml": "owner: x"}, ["billing/module.yaml"]),
    "an owners.yaml is broken": ({"lib/owners.yaml": "owners: ["}, ["lib/owners.yaml"]),
    "the only owners.yaml is deleted": ({"lib/owners.yaml": None}, ["lib/owners.yaml"]),
    "no file has an annotation any more": ({"src/a.py": None}, ["src/a.py"]),
    "all team files are gone": (
        {"teams/pay.yaml": None, "teams/risk.yaml": None},
        ["teams/pay.yaml", "teams/risk.yaml"],
    ),
    "a team is renamed where its file is not": (
        {"rules.yaml": ROOT.replace("billing: {}", "invoices: {}")},
        ["rules.yaml"],
    ),
    "a new file claims another's team": ({"teams/a.yaml": TWICE}, ["teams/a.yaml"]),
    "a new file claims another's channel": (
        {"teams/a.yaml": "{version: 1, channels: {pay: {log: {}}}}"},
        ["teams/a.yaml"],
    ),
    "a new file among many claims another's team": (
        {"teams/a.yaml": TWICE} | {f"teams/{n}.yaml": "version: 1" for n in range(10)},
        ["teams/a.yaml"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_events_keep_going_where_they_went(name: str) -> None:
    changes, quarantined = CHANGES[name]
    partly = after(changes)
    assert owners(partly) == OWNERS
    assert sorted(partly.quarantined) == quarantined
    assert partly.problems


def test_who_claims_a_team_after_another_does_not_get_its_alerts() -> None:
    partly = after({"teams/a.yaml": TWICE})
    assert partly.loaded is not None
    receivers = partly.loaded.rules.receivers_of("pay")
    assert [one.channel for one in receivers] == ["pay"]
    assert isinstance(partly.loaded.rules.channels["pay"], Log)


def test_a_file_that_is_held_back_says_for_whom() -> None:
    said = [str(problem) for problem in after({"teams/a.yaml": TWICE}).problems]
    assert said == [
        "teams/a.yaml:1:1: its last good version stays in force: "
        "with this one, teams/pay.yaml would have problems",
        'teams/pay.yaml:3:9: the team "pay" stands in teams/a.yaml already',
    ]


def test_behind_a_broken_root_a_broken_team_file_says_why_too() -> None:
    partly = after({"rules.yaml": "rules: [", "teams/pay.yaml": "rules: ["})
    assert owners(partly) == OWNERS
    files = [problem.origin.file for problem in partly.problems]
    assert files == ["rules.yaml", "teams/pay.yaml"]


def test_a_file_beside_one_that_is_held_back_is_followed() -> None:
    changes = {"teams/a.yaml": TWICE, "lib/owners.yaml": "{version: 1, owners: billing}\n"}
    assert owners(after(changes)) == {**OWNERS, "lib/x.py": "billing"}


def test_a_bad_line_of_a_codeowners_is_dropped_alone() -> None:
    partly = after({"CODEOWNERS": "/lib2/ @nobody\n/search/ @s\n/pay/ @s\n"})
    assert (owners(partly), list(partly.quarantined)) == (OWNERS, [])


def test_a_deleted_file_that_nobody_names_is_gone() -> None:
    partly = after({"teams/risk.yaml": None, "lib/sub/owners.yaml": "{version: 1, owners: search}"})
    assert owners(partly) == {**OWNERS, "risk/x.py": "platform"}
    assert partly.problems == ()


@pytest.mark.parametrize("path", ["CODEOWNERS", "billing/module.yaml", "lib/owners.yaml"])
def test_the_revision_names_all_that_was_read(path: str) -> None:
    before = load_rules(FakeTree(FILES), "rules.yaml", {}).rules.revision
    changed = {**FILES, path: FILES[path] + "# more\n"}
    assert load_rules(FakeTree(changed), "rules.yaml", {}).rules.revision != before


def test_code_that_changes_below_its_annotation_changes_no_revision() -> None:
    changed = {**FILES, "src/a.py": FILES["src/a.py"] + "x = 1\n"}
    before, now = (load_rules(FakeTree(files), "rules.yaml", {}) for files in (FILES, changed))
    assert before.rules.revision == now.rules.revision
