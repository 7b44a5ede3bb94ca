"""Whose each captured error is, through the command line, against what was written by hand."""

import json
from pathlib import Path

import pytest
import yaml

from routers.rules import load_rules
from service.pipeline import decide
from tests.conformance import rules_file
from tests.ingest.captured import CAPTURES, load, parsed
from tests.ingest.test_texts import paths
from tests.running_cli import pointsman
from tests.trees import FakeTree

WRITTEN = yaml.safe_load((Path(__file__).parent / "data" / "owners.yaml").read_text())


def nearest(given: bytes, folder: Path) -> list[object]:
    rules = rules_file(WRITTEN["rules"], folder)
    answer = pointsman("explain", "-", "--rules", rules, "--json", given=given)
    decided = json.loads(answer.out)
    assert decided["step"] == "frame"
    return [decided["owners"][0], decided["frame"]["path"], decided["frame"]["lineno"]]


@pytest.mark.parametrize("name", WRITTEN["captures"])
def test_a_captured_error_is_of_the_team_nearest_the_raise(name: str, tmp_path: Path) -> None:
    assert nearest(load(name).body, tmp_path) == WRITTEN["captures"][name]


@pytest.mark.parametrize("name", WRITTEN["otlp"])
def test_an_error_in_otlp_is_of_the_team_nearest_the_raise(name: str, tmp_path: Path) -> None:
    tree = FakeTree({"rules.yaml": rules_file(WRITTEN["rules"], tmp_path).read_text()})
    (event,) = parsed(name).events
    owner = decide(event, load_rules(tree, "rules.yaml", {}).rules).ownership
    assert owner.frame is not None
    assert [owner.owner, owner.frame.path, owner.frame.lineno] == WRITTEN["otlp"][name]


@pytest.mark.parametrize("name", WRITTEN["texts"])
def test_a_printed_traceback_is_of_the_team_nearest_the_raise(name: str, tmp_path: Path) -> None:
    assert nearest(paths()[name].read_bytes(), tmp_path) == WRITTEN["texts"][name]


def test_every_text_is_asked() -> None:
    assert set(paths()) == set(WRITTEN["texts"])


def test_every_capture_with_an_event_that_has_frames_is_asked() -> None:
    expected = yaml.safe_load((CAPTURES.parent / "captures.yaml").read_text())
    with_frames = {
        case["capture"]
        for case in expected
        for event in case.get("events", ())
        if any(event.get("frames", ()))
    }
    assert with_frames == {*WRITTEN["captures"], *WRITTEN["otlp"]}
