"""Maps: made by hand for each word of the spec, hostile ones, random ones."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from service.sourcemaps.cache import MapCache
from service.sourcemaps.mappings import SEGMENTS, SourceMapError
from service.sourcemaps.reader import SourceMap, read_map

DATA = Path(__file__).parent.parent / "data"
EXPECTED: dict[str, Any] = yaml.safe_load((DATA / "sourcemaps.yaml").read_text())
CAPTURED = (DATA / "sourcemaps" / "app.min.js.map").read_bytes()
# line 0: columns 0 and 2 of a.ts; line 2: column 4 of b.ts, named; from column 9 on the bundler's
PLAIN = {
    "version": 3,
    "sources": ["a.ts", "b.ts"],
    "names": ["f"],
    "mappings": "AAAA,EAAC;;ICAAA,K",
}
SECOND = {"version": 3, "sources": ["x.ts"], "names": ["g"], "mappings": "AAAAA;AACA"}
INDEX = {
    "version": 3,
    "sections": [
        {"offset": {"line": 0, "column": 0}, "map": PLAIN},
        {"offset": {"line": 3, "column": 10}, "map": SECOND},
    ],
}


def read(tree: object) -> SourceMap:
    return read_map(json.dumps(tree).encode())


def found(known: SourceMap, line: int, column: int) -> tuple[Any, ...] | None:
    original = known.find(line, column)
    if original is None:
        return None
    name = None if original.name is None else known.names[original.name]
    return known.sources[original.source].name, original.line, original.column, name


@pytest.mark.parametrize("case", EXPECTED["frames"], ids=lambda case: str(case["says"]))
def test_a_captured_position_is_where_it_was_written(case: dict[str, Any]) -> None:
    line, column, _ = case["says"]
    if line is not None:
        path, *place, _function, _text = case["is"]
        told = found(read_map(CAPTURED), line - 1, column - 1)
        assert told is not None
        assert (told[0], told[1] + 1, told[2] + 1) == (f"../{path}", *place)


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (0, 0, ("a.ts", 0, 0, None)),
        (0, 1, ("a.ts", 0, 0, None)),
        (0, 2, ("a.ts", 0, 1, None)),
        (0, 2**31, ("a.ts", 0, 1, None)),
        (1, 0, None),
        (2, 3, None),
        (2, 4, ("b.ts", 0, 1, "f")),
        (2, 8, ("b.ts", 0, 1, "f")),
        (2, 9, None),
        (3, 0, None),
        (2**31, 0, None),
    ],
)
def test_the_last_mapping_before_a_position_says_where_it_is_from(
    line: int, column: int, said: tuple[Any, ...] | None
) -> None:
    assert found(read(PLAIN), line, column) == said


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (2, 4, ("b.ts", 0, 1, "f")),
        (3, 9, None),
        (3, 10, ("x.ts", 0, 0, "g")),
        (4, 0, ("x.ts", 1, 0, None)),  # the column counts on a section's first line only
    ],
)
def test_a_section_begins_at_its_offset(
    line: int, column: int, said: tuple[Any, ...] | None
) -> None:
    assert found(read(INDEX), line, column) == said


def test_columns_that_go_back_are_sorted() -> None:
    known = read(PLAIN | {"mappings": "KAAA,DAAC"})
    assert [found(known, 0, column) for column in (3, 4, 5)] == [
        None,
        ("a.ts", 0, 1, None),
        ("a.ts", 0, 0, None),
    ]


@pytest.mark.parametrize(
    ("root", "name"), [("src", "src/a.ts"), ("src/", "src/a.ts"), ("", "a.ts"), (None, "a.ts")]
)
def test_the_source_root_stands_before_each_source(root: str | None, name: str) -> None:
    assert read(PLAIN | {"sourceRoot": root}).sources[0].name == name


def test_what_a_map_leaves_out_is_none() -> None:
    known = read(PLAIN | {"sources": [None, "b.ts"], "sourcesContent": [None], "ignoreList": [1]})
    assert [(one.name, one.content, one.ignored) for one in known.sources] == [
        (None, None, False),
        ("b.ts", None, True),
    ]


def test_mappings_may_be_written_with_escapes() -> None:
    escaped = json.dumps(PLAIN).replace("AAAA", r"\u0041A\u0041A", 1)
    assert escaped != json.dumps(PLAIN)
    assert found(read_map(escaped.encode()), 0, 0) == ("a.ts", 0, 0, None)


def test_a_guard_against_scripts_is_passed_over() -> None:
    guarded = b")]}'\n" + json.dumps(PLAIN).encode()
    assert found(read_map(guarded), 0, 0) == ("a.ts", 0, 0, None)


def nested(depth: int) -> bytes:
    return b'{"version": 3, "sections": ' + b'[{"map": {"sections": ' * depth


def section(**more: object) -> dict[str, Any]:
    one = {"offset": {"line": 0, "column": 0}, "map": SECOND} | more
    return {"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": SECOND}, one]}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no JSON: "),
        (b"<html>", "no JSON: "),
        (b"[]", "Expected `object`"),
        (b'{"version": 3, "sources": ["\xff"]}', "no JSON: it is not UTF-8"),
        (
            b'{"version": 3, "mappings": "\\n\xff", "sources": []}',
            "mappings: no JSON: it is not UTF",
        ),
        (nested(100_000), "nested too deeply"),
        (b'{"x": ' + b"[" * 1_000_000, "nested too deeply"),
        ({}, "version: none is not 3"),
        ({"version": 2}, "version: 2 is not 3"),
        ({"version": 3, "sources": []}, "mappings: is missing"),
        ({"version": 3, "mappings": ""}, "sources: is missing"),
        (PLAIN | {"mappings": None}, "mappings: is missing"),
        (PLAIN | {"mappings": 5}, "mappings: Expected `str | null`, got `int`"),
        (section(map=SECOND | {"mappings": []}), "sections[1].map.mappings: Expected `str"),
        (json.dumps(PLAIN | {"mappings": "AAAA,é"}, ensure_ascii=False).encode(), "6: 'é' is no"),
        (PLAIN | {"mappings": "AAAA,é😀"}, "mappings: character 6: 'é' is no base64 digit"),
        (PLAIN | {"sources": {"a": 1}}, "sources: Expected `array | null`"),
        (PLAIN | {"sources": ["a", 5]}, "sources[1]: Expected `str | null`"),
        (PLAIN | {"names": [None]}, "names[0]: Expected `str`"),
        (PLAIN | {"mappings": "AAAA,E!AC"}, "mappings: character 7: '!' is no base64 digit"),
        (PLAIN | {"mappings": "AAAA,AA"}, "mappings: character 6: a segment is 1, 4 or 5"),
        (PLAIN | {"mappings": "AAAAAA"}, "mappings: character 1: a segment is 1, 4 or 5"),
        (PLAIN | {"mappings": "AAAg"}, "mappings: character 1: a segment is 1, 4 or 5"),
        (PLAIN | {"mappings": "g" * 1_000_000}, "mappings: character 1: a segment is 1, 4 or 5"),
        (PLAIN | {"mappings": "gggggggggggB"}, "a number of more than 32 bits"),
        (PLAIN | {"mappings": "D"}, "mappings: character 1: a line, column, source or name"),
        (PLAIN | {"mappings": "AADA"}, "mappings: character 1: a line, column, source or name"),
        (PLAIN | {"mappings": "AAAA,AEAA"}, "mappings: character 6: a line, column, source or"),
        (PLAIN | {"mappings": "AAAAC"}, "mappings: character 1: a line, column, source or name"),
        (PLAIN | {"mappings": "+/////D" + ",+/////D" * 9}, "a line, column, source or name"),
        (PLAIN | {"mappings": "," * SEGMENTS}, "mappings: more than 2,000,000 segments"),
        (PLAIN | {"names": ["f"] * 200_001}, "names: more than 200,000"),
        (section(map=SECOND | {"names": ["f"] * 200_001}), "names: more than 200,000"),
        ({"version": 3, "sections": [{}] * 5001}, "sections: more than 5,000"),
        ({"version": 3, "sections": {}}, "sections: Expected `array`"),
        ({"version": 3, "sections": [{}]}, "sections[0]: Object missing required field `offset`"),
        (section(offset={"line": -1, "column": 0}), "sections[1].offset.line: Expected `int` >= 0"),
        (section(map=INDEX), "sections[1].map.sections: an index map within an index map"),
        (section(map={"version": 1}), "sections[1].map.version: 1 is not 3"),
        (section(map=SECOND | {"mappings": "AC"}), "sections[1].map.mappings: character 1: "),
        (section(map=SECOND | {"mappings": "ACAA"}), "sections[1].map.mappings: character 1: "),
        ({"version": 3, "sections": INDEX["sections"][::-1]}, "sections[1].offset: sections stand"),  # type: ignore[index]
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_no_source_map_is_refused_with_its_place(raw: Any, said: str) -> None:
    with pytest.raises(SourceMapError) as caught:
        read_map(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    assert said in str(caught.value)
    assert len(str(caught.value)) < 200


WORDS = st.text("AACDEGKgh+/,;!", max_size=40)
FIELDS = ("mappings", "sources", "names", "sourceRoot", "sourcesContent", "ignoreList", "sections")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from([3, 3, 2, None]))
def test_any_json_is_read_or_refused(tree: dict[str, Any], version: int | None) -> None:
    with suppress(SourceMapError):  # nothing else leaves
        assert read(tree | {"version": version}).find(0, 0) is None or tree["mappings"]


@given(WORDS, st.integers(0, 5), st.integers(0, 50))
def test_any_mappings_lead_to_a_source_or_are_refused(text: str, line: int, column: int) -> None:
    try:
        known = read(PLAIN | {"mappings": text})
    except SourceMapError:
        return
    told = found(known, line, column)
    assert told is None or (told[0] in PLAIN["sources"] and min(told[1:3]) >= 0)  # type: ignore[operator]


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(SourceMapError):
        read_map(raw)


def test_maps_that_were_not_asked_for_lately_make_room() -> None:
    cache, read_again = MapCache(limit=2 * read_map(CAPTURED).size), []
    for name in ("a", "b", "a", "c", "a", "b"):
        cache.get(name, lambda name=name: read_again.append(name) or CAPTURED)  # type: ignore[misc]
    assert read_again == ["a", "b", "c", "b"]
