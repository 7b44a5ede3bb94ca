"""An event's frames: which are in bundles, and what becomes of them."""

import json
from typing import Any

import pytest

from matchers.event import Event, ExceptionValue, Frame
from matchers.paths import SourceRoot, repository_path
from service.sourcemaps.frames import bundle_name, bundle_of, mapped, source_path
from service.sourcemaps.mappings import SourceMapError
from service.sourcemaps.reader import SourceMap, read_map
from tests.builders import NOW
from tests.sourcemaps.test_reader import CAPTURED, EXPECTED, PLAIN

BUNDLE = "https://shop.example/static/app.js"


def event_of(*frames: Frame) -> Event:
    return Event(
        event_id="e" * 32,
        timestamp=NOW,
        received_at=NOW,
        exceptions=(ExceptionValue(type="TypeError", frames=frames),),
    )


def called(column: int, function: str | None = None, **more: Any) -> Frame:
    return Frame(filename=BUNDLE, lineno=1, colno=column, function=function, **more)


def frames_by(tree: dict[str, Any], *frames: Frame) -> tuple[Frame, ...]:
    known = read_map(json.dumps(tree).encode())
    return mapped(event_of(*frames), {"static/app.js": known}.get).exceptions[0].frames


def as_said(case: dict[str, Any]) -> Frame:
    line, column, function = case["says"]
    where = EXPECTED["bundle"] if line else "<anonymous>"
    return Frame(filename=where, lineno=line, colno=column, function=function, in_app=True)


def test_the_captured_stack_is_what_was_read_by_eye() -> None:
    cases = EXPECTED["frames"][::-1]  # caller → raise
    said = [as_said(case) for case in cases]
    known = {"static/app.min.js": read_map(CAPTURED)}
    found = mapped(event_of(*said), known.get).exceptions[0].frames
    for case, before, after in zip(cases, said, found, strict=True):
        if case["is"] is None:
            assert after is before
        else:
            told = (after.filename, after.lineno, after.colno, after.function, after.context_line)
            assert told == tuple(case["is"])
            assert (after.abs_path, after.in_app) == (f"../{after.filename}", True)


@pytest.mark.parametrize(("source", "path"), EXPECTED["sources"].items())
def test_a_source_has_the_repositorys_path(source: str, path: str) -> None:
    assert source_path(source) == path


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("https://cdn.example.com:8443/static/app.js?v=3#x", "static/app.js"),
        ("~/static/app.js", "static/app.js"),
        ("/static/app.js.map", "static/app.js"),
        ("static/app.js", "static/app.js"),
        ("app:///static/app.js", "static/app.js"),
        ("HTTP://h", ""),
    ],
)
def test_a_bundle_is_named_by_its_path(said: str, name: str) -> None:
    assert bundle_name(said) == name


@pytest.mark.parametrize(
    ("frame", "bundle"),
    [
        (Frame(filename=BUNDLE, lineno=1, colno=1), "static/app.js"),
        (Frame(filename="app.js", abs_path="app:///app.js", lineno=1, colno=1), "app.js"),
        (Frame(filename="/srv/dist/server.mjs?x", lineno=1, colno=1), "srv/dist/server.mjs"),
        (Frame(filename="http://h/", lineno=1, colno=1), None),
        (Frame(filename=BUNDLE, lineno=1), None),
        (Frame(filename=BUNDLE, colno=1), None),
        (Frame(filename=BUNDLE, lineno=0, colno=1), None),
        (Frame(filename="shop/tax.py", lineno=1, colno=1), None),
        (Frame(filename="<anonymous>", lineno=1, colno=1), None),
        (Frame(lineno=1, colno=1), None),
    ],
)
def test_a_bundles_frame_has_a_script_a_line_and_a_column(frame: Frame, bundle: str | None) -> None:
    assert (bundle_of(frame) or None) == bundle


CALLS = PLAIN | {"sources": ["a.ts", "node_modules/b.js"], "mappings": "AAAAA,EAAC,CCAA,CAAAA"}
# columns 1 and 2 of a.ts, the first of them named f; 4 and 5 of b.js, the last named f


@pytest.mark.parametrize(
    ("caller", "said", "function"),
    [
        (called(1), "e", "f"),
        (called(3), "e", "e"),  # the place of the call has no name
        (called(1), None, None),
        (called(1), "?", "?"),
        (called(1), "Object.run", "Object.run"),
        (called(5), "e", "e"),  # a library's names say how it calls, not whom
        (Frame(filename="<anonymous>", function="Array.map"), "e", "e"),
    ],
)
def test_a_function_has_the_name_by_which_it_was_called(
    caller: Frame, said: str | None, function: str | None
) -> None:
    assert frames_by(CALLS, caller, called(3, said))[1].function == function


@pytest.mark.parametrize("name", ["call", "apply"])
def test_a_call_by_call_names_nobody(name: str) -> None:
    assert frames_by(CALLS | {"names": [name]}, called(1), called(3, "e"))[1].function == "e"


@pytest.mark.parametrize(
    ("tree", "in_app"),
    [
        ({}, None),
        ({"sources": ["webpack:///./node_modules/react/index.js"]}, False),
        ({"sources": ["webpack:///webpack/bootstrap"]}, False),
        ({"sources": ["webpack:///~/react/index.js"]}, False),
        ({"ignoreList": [0]}, False),
        ({"x_google_ignoreList": [0]}, False),
    ],
)
def test_what_others_wrote_is_not_ours(tree: dict[str, Any], in_app: bool | None) -> None:
    plain = PLAIN | {"sources": ["a.ts"], "mappings": "AAAA"}
    assert frames_by(plain | tree, called(1))[0].in_app is in_app


@pytest.mark.parametrize(
    "frame",
    [
        called(10),  # on column 9 the bundler's own code begins
        Frame(filename=BUNDLE, lineno=7, colno=1),
        Frame(filename="https://shop.example/other.js", lineno=1, colno=1),
    ],
)
def test_a_frame_that_no_map_knows_stays_as_it_is(frame: Frame) -> None:
    tree = PLAIN | {"mappings": "AAAA,S"}
    assert frames_by(tree, frame) == (frame,)


def test_a_source_root_may_be_what_a_map_says() -> None:
    tree = PLAIN | {"sources": ["webpack:///./src/a.ts", "b.ts"]}
    (frame,) = frames_by(tree, called(1))
    roots = [
        SourceRoot("https://shop.example/static/", "dist/"),
        SourceRoot("webpack:///./", "web/"),
    ]
    assert repository_path(frame, "javascript").path == "src/a.ts"
    assert repository_path(frame, "javascript", roots).path == "web/src/a.ts"


def test_a_source_without_a_name_leaves_the_frame_as_it_is() -> None:
    assert frames_by(PLAIN | {"sources": [None, None]}, called(1)) == (called(1),)


def test_a_line_that_the_content_lacks_is_not_shown() -> None:
    tree = PLAIN | {"mappings": "AAgBA,CADA", "sourcesContent": ["one\r\ntwo\r\n"]}
    shown = [frame.context_line for frame in frames_by(tree, called(1), called(2))]
    assert shown == [None, None]
    assert frames_by(tree | {"mappings": "AACA"}, called(1))[0].context_line == "two"


def test_a_broken_map_is_a_warning_and_its_frames_stay() -> None:
    asked: list[str] = []

    def broken(name: str) -> SourceMap | None:
        asked.append(name)
        raise SourceMapError("version", "2 is not 3")

    event = event_of(called(1), called(2))
    found = mapped(event, broken)
    assert (found.exceptions, found.warnings) == (event.exceptions, ("source_map_broken",))
    assert asked == ["static/app.js"]  # once, however many frames the event has
