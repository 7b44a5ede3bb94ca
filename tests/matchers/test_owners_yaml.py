"""A tree of owners.yaml files, by the table; and as one rule among others."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from matchers.errors import Origin
from matchers.event import Frame
from matchers.ruleset import Rule, Ruleset
from matchers.sources.owners_yaml import read_owners_yaml
from tests.trees import a_site, short

DATA = Path(__file__).parent.parent / "data" / "owners_yaml.yaml"
CASES = yaml.safe_load(DATA.read_text())
AT = Origin("rules.yaml", 7)


def the_rule(files: dict[str, str]) -> Rule:
    site, said = a_site(files)
    (rule,) = read_owners_yaml(".", site, AT)
    assert said == []
    return rule


def resolved(rules: list[Rule], path: str) -> Any:
    """As the table writes it."""
    found = rules[0].resolve(path) if rules and rules[0].resolve else None
    owners: Any = found and ("unowned" if found.unowned else list(found.owners))
    return found and [owners, str(found.origin)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_tree_resolves_as_the_format_says(case: dict[str, Any]) -> None:
    site, said = a_site(case["files"], case.get("names"))
    rules = read_owners_yaml(case.get("folder", "."), site, AT)
    assert {path: resolved(rules, path) for path in case["expect"]} == case["expect"]
    assert [str(problem.origin) for problem in sorted(said)] == [
        at for at, _ in case.get("problems", ())
    ]
    for text, (at, begins) in zip(short(said), case.get("problems", ()), strict=True):
        assert text.startswith(f"{at} {begins}")


def test_the_table_names_each_rule_once() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES)


def test_the_whole_tree_is_one_rule_and_what_it_gives_stands_within() -> None:
    whole = the_rule({"owners.yaml": "version: 1\nowners: red\n"})
    assert (whole.text, whole.origin, whole.owners) == ("owners_yaml: .", AT, ())
    assert whole.resolve is not None
    found = whole.resolve("a.py")
    assert found is not None
    assert found.within is whole
    assert found is whole.resolve("b/c.py")


def test_what_decided_is_said_as_it_was_written() -> None:
    whole = the_rule(
        {"owners.yaml": "version: 1\nowners: [red]\nrules: [{match: [/a/, b], owners: null}]\n"}
    )
    assert whole.resolve is not None
    texts = [found.text for path in ("x", "a/x", "b") if (found := whole.resolve(path))]
    assert texts == ["owners: [red]", "match: [/a/, b]", "match: [/a/, b]"]


def test_rules_before_it_own_what_no_file_does_and_rules_behind_it_win() -> None:
    whole = the_rule({"a/owners.yaml": "version: 1\nowners: red\n"})
    before = Rule(origin=AT, text="path: *", owners=("blue",), paths=("*",))
    behind = Rule(origin=AT, text="path: /a/vault/", owners=("green",), paths=("/a/vault/",))
    ruleset = Ruleset(rules=(before, whole, behind))
    owners = [
        [rule.owners[0] for rule in ruleset.candidates(Frame(filename=path), path)]
        for path in ("x.py", "a/x.py", "a/vault/x.py")
    ]
    assert owners == [["blue"], ["red", "blue"], ["green", "red", "blue"]]


def test_a_file_that_leads_out_of_the_tree_is_said() -> None:
    site, said = a_site({"owners.yaml": "version: 1\nowners: red\n"})
    site.tree.files["a/owners.yaml"] = None  # type: ignore[attr-defined]  # listed, not there
    assert len(read_owners_yaml(".", site, AT)) == 1
    assert short(said) == [
        "a/owners.yaml:1 no such file, or a link that leads out of the repository"
    ]
