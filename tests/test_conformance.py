"""The cases that any correct implementation must satisfy, asked through the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from matchers.event import Frame
from matchers.kinds import KINDS
from matchers.kinds.base import PatternError
from matchers.kinds.path import compile_pattern
from matchers.paths import SourceRoot, is_in_app, repository_path
from tests.conformance import cases, rules_file
from tests.running_cli import pointsman

EVENTS = cases("events.yaml")
PATTERNS = cases("patterns.yaml")
PATHS = cases("paths.yaml")
LATER_KINDS = {"module"}  # issue 2


def needs_later_kind(case: dict[str, Any]) -> bool:
    return any(LATER_KINDS & rule.keys() - KINDS.keys() for rule in case["rules"].get("rules", ()))


NOW = [case for case in EVENTS if not needs_later_kind(case)]


@pytest.mark.parametrize("case", NOW, ids=lambda case: case["id"])
def test_an_event_has_the_owner_of_its_case(case: dict[str, Any], tmp_path: Path) -> None:
    rules = rules_file(case["rules"], tmp_path)
    answer = pointsman("explain", "-", "--rules", rules, "--json", given=json.dumps(case["event"]))
    decided = json.loads(answer.out)
    owners = case.get("owners") or ([case["owner"]] if case["owner"] else [])
    assert (answer.exit_code, answer.talk) == (0, "")
    assert decided["owners"] == owners
    assert decided["step"] == case["step"]
    if "frame" in case:
        assert decided["frame"]["path"] == case["frame"]
    assert case.get("warning") in [None, *(warned["code"] for warned in decided["warnings"])]
    for attribute in ("feature", "criticality"):
        assert decided[attribute] == case.get(attribute)


def test_all_cases_but_those_of_later_kinds_are_asked() -> None:
    assert [case["id"] for case in EVENTS if needs_later_kind(case)] == ["module-rule"]


@pytest.mark.parametrize("case", PATTERNS, ids=lambda case: case["id"])
def test_a_pattern_owns_the_path_as_github_has_it(case: dict[str, Any]) -> None:
    if case["github"] == "error":
        with pytest.raises(PatternError):
            compile_pattern(case["pattern"])
    else:
        assert compile_pattern(case["pattern"])(case["path"]) is case["github"]


@pytest.mark.parametrize(
    "case", [case for case in PATTERNS if not case.get("raw")], ids=lambda case: case["id"]
)
def test_who_answers_a_pattern_as_github_has_it(case: dict[str, Any], tmp_path: Path) -> None:
    rules = rules_file({"rules": [{"path": case["pattern"], "owner": "them"}]}, tmp_path)
    answer = pointsman("who", case["path"], "--rules", rules, "--json")
    owned = case["github"] is True
    assert json.loads(answer.out)[0]["owners"] == (["them"] if owned else [])
    assert bool(answer.talk) is (case["github"] == "error")


@pytest.mark.parametrize(
    "case", [case for case in PATHS if "files" not in case], ids=lambda case: case["id"]
)
def test_a_frame_stands_for_its_path(case: dict[str, Any]) -> None:
    named = {key: "x" * 5000 if text == "LONG" else text for key, text in case["frame"].items()}
    roots = [
        SourceRoot(root) if isinstance(root, str) else SourceRoot(**root)
        for root in case.get("roots", ())
    ]
    found = repository_path(Frame(**named), case.get("platform"), roots)
    assert (found.path, found.warning) == (case["path"], case.get("warning"))
    assert case.get("in_app", is_in_app(Frame(**named))) is is_in_app(Frame(**named))
