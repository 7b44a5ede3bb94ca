"""Printed stack traces of every runtime, against what was read in them by eye (data/texts.yaml)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from matchers.event import ExceptionValue, Frame
from matchers.paths import is_in_app
from service.ingest.tracebacks import READERS, parse_traceback, recognise
from tests.ingest.captured import CAPTURES, DATA

WRITTEN: list[dict[str, Any]] = yaml.safe_load((DATA / "texts.yaml").read_text())
FOLDERS = (CAPTURES / "text", DATA / "text")
CASES = pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case["text"])


def paths() -> dict[str, Path]:
    return {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.txt"))}


def text_of(case: dict[str, Any]) -> str:
    return paths()[case["text"]].read_text()


def written(exceptions: Sequence[ExceptionValue]) -> list[dict[str, Any]]:
    """The exceptions in the words of texts.yaml."""
    return [
        {
            **{
                name: value
                for name in ("type", "module", "value", "source")
                if (value := getattr(each, name)) is not None
            },
            "ids": [n for n in (each.exception_id, each.parent_id) if n is not None],
            "frames": [spelt(frame) for frame in each.frames],
        }
        for each in exceptions
    ]


def spelt(frame: Frame) -> str:
    place = [frame.abs_path or frame.filename or "nowhere", frame.lineno, frame.colno]
    lib = None if is_in_app(frame) else "lib"
    parts = [":".join(str(part) for part in place if part is not None)]
    parts += [part or "" for part in (frame.function, frame.module, lib)]
    return " | ".join(parts).rstrip(" |")


def as_spelt(row: str) -> str:
    return " | ".join(map(str.strip, row.split("|"))).rstrip(" |")


def normal(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**told, "ids": told.get("ids", []), "frames": list(map(as_spelt, told["frames"]))}
        for told in case["exceptions"]
    ]


@CASES
def test_a_text_says_what_was_read_in_it_by_eye(case: dict[str, Any]) -> None:
    platform, exceptions = recognise(text_of(case))
    assert platform == case["platform"]
    assert written(exceptions) == normal(case)


@CASES
@pytest.mark.parametrize("platform", [reader.platform for reader in READERS] + ["", "cobol"])
def test_a_wrong_platform_word_still_finds_the_reader(case: dict[str, Any], platform: str) -> None:
    assert parse_traceback(text_of(case), platform) == parse_traceback(text_of(case))
