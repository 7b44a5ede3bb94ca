"""Events in short: what they expand to, and where a mistake in one is found."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.event import Event, ExceptionValue, Frame
from matchers.sketch import KEYS, SketchError, sketch

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def expand(**value: Any) -> Event:
    return sketch(value, event_id="0" * 32, project="1", received_at=NOW)


FRAMES = [
    ("app/x.py", Frame(filename="app/x.py")),
    ("app/x.py:12", Frame(filename="app/x.py:12")),
    ("/srv/x.py", Frame(abs_path="/srv/x.py")),
    (r"C:\x.py", Frame(abs_path=r"C:\x.py")),
    ("webpack:///x.ts", Frame(filename="webpack:///x.ts")),
    ({"path": "x.py", "lineno": 3}, Frame(filename="x.py", lineno=3)),
    ({"filename": "x.py", "abs_path": "/x.py"}, Frame(filename="x.py", abs_path="/x.py")),
    ({"filename": "/x.js"}, Frame(filename="/x.js")),
    (
        {"module": "m", "function": "f", "in_app": False, "colno": 0, "context_line": "c"},
        Frame(module="m", function="f", in_app=False, colno=0, context_line="c"),
    ),
]
FIELDS = [
    ({}, "exceptions", ()),
    ({"frames": []}, "exceptions", ()),
    ({"frames": ["a"]}, "exceptions", (ExceptionValue(frames=(Frame(filename="a"),)),)),
    (
        {"exceptions": [{"type": "E", "source": "s"}]},
        "exceptions",
        (ExceptionValue(type="E", source="s"),),
    ),
    (
        {"exceptions": [{"value": "v", "module": "m", "handled": True}]},
        "exceptions",
        (ExceptionValue(value="v", module="m", handled=True),),
    ),
    ({"level": "fatal"}, "level", "fatal"),
    ({}, "level", "error"),
    ({"tags": {"queue": "q", "n": 5, "none": None}}, "tags", {"queue": "q", "n": "5"}),
    ({"fingerprint": ["a", 1]}, "fingerprint", ("a", "1")),
    ({"project": 7}, "project", "7"),
    ({}, "project", "1"),
    ({"message": "a\0b"}, "message", "a\ufffdb"),
    ({"frames": ["a", {"path": "b", "platform": "java"}]}, "platform", "java"),
    ({"frames": [{"path": "b", "platform": "java"}], "platform": "go"}, "platform", "go"),
    ({"exceptions": [{"frames": [{"path": "b", "platform": "java"}]}]}, "platform", "java"),
]
MISTAKES = [
    ({"enviroment": "x"}, 'enviroment: unknown key "enviroment" — did you mean "environment"?'),
    ({"frames": "a"}, "frames: expected a list"),
    ({"frames": ["a", 5]}, "frames.1: expected a mapping"),
    ({"frames": [{"file": "a"}]}, 'frames.0.file: unknown key "file" — did you mean "filename"?'),
    ({"frames": [{"path": ["a"]}]}, "frames.0.path: expected text"),
    ({"frames": [{"lineno": 0}]}, "frames.0.lineno: expected a whole number from 1"),
    ({"frames": [{"lineno": True}]}, "frames.0.lineno: expected a whole number"),
    ({"frames": [{"in_app": "yes"}]}, "frames.0.in_app: expected true or false"),
    ({"frames": ["a"], "exceptions": []}, "frames: either frames or exceptions"),
    ({"exceptions": [None]}, "exceptions.0: expected a mapping"),
    ({"exceptions": [{"frames": [[]]}]}, "exceptions.0.frames.0: expected a mapping"),
    ({"exceptions": {"a": 1}}, "exceptions: expected a list"),
    ({"level": "loud"}, "level: a level is one of fatal, error"),
    ({"tags": ["a"]}, "tags: tags are a mapping"),
    ({"tags": {"a": []}}, "tags.a: a tag's value is text"),
    ({"fingerprint": [{}]}, "fingerprint.0: a fingerprint's part is text"),
    ({"message": {}}, "message: expected text"),
]


@pytest.mark.parametrize(("written", "frame"), FRAMES)
def test_a_frame_may_be_a_path_or_spelt_out(written: object, frame: Frame) -> None:
    assert expand(frames=[written]).exceptions[0].frames == (frame,)


@pytest.mark.parametrize(("value", "field", "meant"), FIELDS)
def test_a_sketch_expands_to_what_was_meant(
    value: dict[str, Any], field: str, meant: object
) -> None:
    assert getattr(expand(**value), field) == meant


@pytest.mark.parametrize(("value", "message"), MISTAKES)
def test_a_mistake_is_told_with_its_place(value: dict[str, Any], message: str) -> None:
    with pytest.raises(SketchError) as caught:
        expand(**value)
    assert str(caught.value).startswith(message)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["frames", "path", "type", "lineno"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), VALUES))
def test_no_value_raises_anything_else(value: dict[str, Any]) -> None:
    with suppress(SketchError):
        expand(**value)
