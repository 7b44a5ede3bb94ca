"""YAML with places, and its traps."""

import pytest

from matchers.sources.document import read_document


def said(text: str | bytes) -> list[str]:
    raw = text.encode() if isinstance(text, str) else text
    return [str(problem) for problem in read_document(raw, "f").problems]


def test_values_are_read_as_yaml_1_2() -> None:
    data = read_document(b'a: [1, -2, 2.5, x, "no", ~, true, 0x1z]\n1: {on: y1}', "f").data
    assert data == {"a": [1, -2, 2.5, "x", "no", None, True, "0x1z"], "1": {"on": "y1"}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: no", "f:1:4: `no` is true or false to some"),
        ("a: 012", "f:1:4: `012` is a number to some"),
        ("a: 1:30", "f:1:4: `1:30` is a number to some"),
        ("a: 2026-11-23", "f:1:4: `2026-11-23` is a date to some"),
        ("a: 1\nb: 2\na: 3", 'f:3:1: the key "a" stands here again, first in line 1'),
        ("a: &x 1", "f:1:4: the anchor &x is not allowed: write values out"),
        ("a: &x 1\nb: *x", "f:2:4: the alias *x is not allowed: write it out"),
        ("a: {<<: {b: 1}}", "f:1:5: the merge key << is not allowed: write values out"),
        ("a: !!str 1", "f:1:4: the tag tag:yaml.org,2002:str is not allowed"),
        ("? [a]\n: 1", "f:1:3: a key must be plain text"),
        ("a: 1\n---\nb: 1", "f:2:1: a second document in one file; remove the `---`"),
        ("a: [1\nb: 2", "f:2:2: not YAML: did not find expected ',' or ']'"),
        ("a: " + "[" * 5000, "f:1:35: not YAML: nested deeper than 32"),
        (b"a: \xff", "f:1:4: this byte is not UTF-8"),
        ("a: \x07", "f:1:1: not YAML: unacceptable character #x0007"),
    ],
)
def test_a_trap_is_a_problem_in_its_place(text: str | bytes, problem: str) -> None:
    assert any(line.startswith(problem) for line in said(text))


def test_a_trap_says_what_to_write_instead() -> None:
    assert said("a: off")[0].endswith('write "off" or true or false')
    assert said("a: 012")[0].endswith('text to others: write "012"')


def test_a_trap_in_a_channel_does_not_show_what_may_be_a_secret() -> None:
    (problem,) = said("channels: {x: {webhook: {secret: 0123456}}}")
    assert problem == (
        "f:1:34: this value is a number to some readers of YAML and text to others: "
        "write it in quotes"
    )


def test_a_billion_laughs_are_not_laughed() -> None:
    bomb = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    document = read_document(f"l0: &l0 [ha]\n{bomb}".encode(), "f")
    assert document.data["l8"] == [None] * 9


def test_a_byte_order_mark_and_letters_beyond_ascii_move_no_place() -> None:
    document = read_document('\ufeffé: "ü"\nz: {k: v}'.encode(), "f")
    assert str(document.origin(("é",))) == "f:1"
    assert document.origin(("z", "k")).column == 8
    place = document.places["é",]
    assert document.text[place.start : place.end] == '"ü"'


def test_the_place_of_what_is_missing_is_the_thing_around_it() -> None:
    document = read_document(b"a:\n  b: 1", "f")
    assert document.origin(("a", "x", "y")).line == 2


def test_an_enormous_file_is_not_read() -> None:
    assert said(b"a" * (20 * 2**20 + 1)) == ["f:1:1: the file is larger than 20971520 bytes"]
