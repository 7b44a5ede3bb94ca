"""Builders that take only what matters to a test."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from matchers.event import Event, ExceptionValue, Frame
from matchers.sketch import sketch
from routers.rules import Loaded, Rules, load_rules
from tests.trees import FakeTree

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # 3 a.m.


def an_event(
    *, event_id: str = "e" * 32, project: str = "1", at: datetime = NOW, **short: Any
) -> Event:
    """An event in short: `frames`, `exceptions`, `tags`, …"""
    return sketch(short, event_id=event_id, project=project, received_at=at)


def raised_in(*paths: str, **more: Any) -> Event:
    """The last path raised."""
    return an_event(frames=list(paths), **more)


def thrown(type: str, *paths: str, source: str | None = None, value: str = "") -> ExceptionValue:  # noqa: A002 the field's own word
    frames = tuple(Frame(filename=path) for path in paths)
    return ExceptionValue(type=type, value=value, source=source, frames=frames)


def loaded(text: str, environ: Mapping[str, str] | None = None) -> Loaded:
    tree = FakeTree({"rules.yaml": f"version: 1\n{text.lstrip()}"})
    return load_rules(tree, "rules.yaml", environ or {})


def the_rules(text: str, environ: Mapping[str, str] | None = None) -> Rules:
    """The rules of a file that must be without a problem; `version: 1` is implied."""
    found = loaded(text, environ)
    assert found.problems == ()
    return found.rules
