"""The cases that any correct implementation must satisfy, asked through the command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from matchers.gitlab_patterns import parse_gitlab_pattern
from matchers.index import PathIndex
from matchers.patterns import PatternError, parse_pattern
from tests.conformance import cases, rules_file
from tests.running_cli import pointsman

EVENTS = cases("events.yaml")
PATTERNS = cases("patterns.yaml")
PATHS = cases("paths.yaml")


@pytest.mark.parametrize("case", EVENTS, ids=lambda case: case["id"])
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


@pytest.mark.parametrize("case", PATTERNS, ids=lambda case: case["id"])
def test_a_pattern_owns_the_path_as_github_has_it(case: dict[str, Any]) -> None:
    if case["github"] == "error":
        with pytest.raises(PatternError):
            parse_pattern(case["pattern"])
    else:
        owned = PathIndex([(case["pattern"], 0)]).matches(case["path"])
        assert bool(owned) is case["github"]


@pytest.mark.parametrize("case", PATTERNS, ids=lambda case: case["id"])
def test_a_pattern_owns_the_path_as_gitlab_has_it(case: dict[str, Any]) -> None:
    built = PathIndex([(case["pattern"], 0)], parse_gitlab_pattern)
    assert bool(built.matches(case["path"].removeprefix("/"))) is case["gitlab"]


@pytest.mark.parametrize(
    "case", [case for case in PATTERNS if not case.get("raw")], ids=lambda case: case["id"]
)
def test_who_answers_a_pattern_as_github_has_it(case: dict[str, Any], tmp_path: Path) -> None:
    rules = rules_file({"rules": [{"path": case["pattern"], "owner": "them"}]}, tmp_path)
    answer = pointsman("who", case["path"], "--rules", rules, "--json")
    owned = case["github"] is True
    assert json.loads(answer.out)[0]["owners"] == (["them"] if owned else [])
    assert bool(answer.talk) is (case["github"] == "error")


@pytest.mark.parametrize("case", PATHS, ids=lambda case: case["id"])
def test_a_frame_stands_for_its_path(case: dict[str, Any], tmp_path: Path) -> None:
    frame = {key: "x" * 5000 if text == "LONG" else text for key, text in case["frame"].items()}
    event = {"platform": case.get("platform"), "frames": [frame]}
    rules = rules_file({"source_roots": case.get("roots", []), "rules": []}, tmp_path)
    words: list[object] = ["explain", "-", "--rules", rules, "--json"]
    if "files" in case:
        (tmp_path / "files").write_text("\n".join(case["files"]))
        words += ["--repo", tmp_path / "files"]
    decided = json.loads(pointsman(*words, given=json.dumps(event)).out)
    walked = decided["trail"][0]
    assert walked["frame"]["path"] == case["path"]
    assert walked["frame"].get("by") == case.get("by")
    assert [warned["code"] for warned in decided["warnings"]] == list(_warning(case))
    assert (walked["verdict"] == "not_in_app") is (case.get("in_app") is False)


def _warning(case: dict[str, Any]) -> Iterator[str]:
    if "warning" in case:
        yield case["warning"]
