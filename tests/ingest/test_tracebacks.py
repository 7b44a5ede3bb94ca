"""Printed tracebacks: the captured ones, and what logs and people make of them."""

import time
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from matchers.event import ExceptionValue, Frame
from service.ingest.base import InvalidEventError
from service.ingest.tracebacks import parse_traceback
from service.ingest.tracebacks.python import GROUP_HEADER, HEADER, LINKS
from tests.ingest.captured import CAPTURES, DATA

EXPECTED: list[dict[str, Any]] = yaml.safe_load((DATA / "tracebacks.yaml").read_text())
CAUSE, CONTEXT = LINKS
PLAIN = f'{HEADER}\n  File "/app/x.py", line 3, in f\n    g()\nKeyError: 1\n'
RAISED = [("KeyError", "1", 1)]


def written(exception: ExceptionValue) -> dict[str, Any]:
    last = exception.frames[-1]
    told = {
        "type": exception.type,
        "module": exception.module,
        "value": exception.value,
        "source": exception.source,
        "frames": len(exception.frames),
        "raised": [last.abs_path or last.filename, last.function, last.lineno, last.context_line],
    }
    return {name: value for name, value in told.items() if value is not None}


def outline(text: str) -> list[tuple[str | None, str | None, int]]:
    return [(each.type, each.value, len(each.frames)) for each in parse_traceback(text)]


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["text"])
def test_a_captured_text_is_what_was_written_down(case: dict[str, Any]) -> None:
    text = (CAPTURES / "text" / f"{case['text']}.txt").read_text()
    assert [written(exception) for exception in parse_traceback(text)] == case["exceptions"]


def test_frames_say_what_the_text_says_and_no_more() -> None:
    text = PLAIN.replace("    g()", "    g()\n    ~^^").replace("/app/", "C:\\app\\")
    (exception,) = parse_traceback(text)
    assert exception.frames == (
        Frame(abs_path="C:\\app\\x.py", function="f", lineno=3, context_line="g()"),
    )


FRAME = '  File "a.py", line 3, in f\n    g()\n'
SYNTAX = '  File "b.py", line 1\n    a b\n      ^\nSyntaxError: invalid syntax'
TEXTS = [
    (PLAIN, RAISED),
    (PLAIN.replace("\n", "\r\n"), RAISED),
    (PLAIN.rstrip("\n"), RAISED),
    ("2026-11-23 06:25:51 ERROR cannot bill\n" + PLAIN, RAISED),
    ("2026-11-23 06:25:51 ERROR cannot bill " + PLAIN, RAISED),
    ("".join(f"    {line}\n" for line in PLAIN.splitlines()), RAISED),
    ("".join(f"web_1  | {line}\n" for line in PLAIN.splitlines()), RAISED),
    (f"{HEADER}\n{FRAME}KeyError\n", [("KeyError", None, 1)]),
    (f"{HEADER}\nKeyError: 1", [("KeyError", "1", 0)]),
    (f"{HEADER}\n{FRAME}", [(None, None, 1)]),  # cut off
    (f"{HEADER}\n{FRAME}E: a\n  b\n\nc\n", [("E", "a\n  b\n\nc", 1)]),
    (f"{HEADER}\n{FRAME}E: \n\nb\n", [("E", "b", 1)]),
    (f"{HEADER}\n{FRAME}no type at all\n", [(None, "no type at all", 1)]),
    (f"{HEADER}\n{FRAME}a.b.<locals>.E: x\n", [("E", "x", 1)]),
    (f"{HEADER}\n{FRAME}Ü: x\n", [("Ü", "x", 1)]),
    (f"{HEADER}\n{FRAME}E: x\nNote: y", [("E", "x\nNote: y", 1)]),
    (PLAIN.replace("KeyError", "\x1b[1;35mKeyError\x1b[0m"), RAISED),  # 3.13, on a terminal
    (
        PLAIN.replace("    g()", "    g(\n    ~^\n        1,\n    ...<4 lines>...\n    )\n    ^"),
        RAISED,
    ),
    (SYNTAX, [("SyntaxError", "invalid syntax", 1)]),
    (f"{HEADER}\n{FRAME}{SYNTAX}", [("SyntaxError", "invalid syntax", 2)]),
    (
        f'mp.RemoteTraceback: \n"""\n{PLAIN}"""\n\n{CAUSE}\n\n{PLAIN}',  # from another process
        [*RAISED, *RAISED],
    ),
    (f"{HEADER}\n{FRAME}E: the child said\n{PLAIN}", [("E", "the child said", 1), *RAISED]),
]
GROUPS = [
    (
        f"""\
  {GROUP_HEADER}
  |   File "a.py", line 1, in a
  | ExceptionGroup: outer (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Exception Group {HEADER}
    |   File "b.py", line 1, in b
    | ExceptionGroup: inner (1 sub-exception)
    +-+---------------- 1 ----------------
      | ValueError: never raised
      +------------------------------------
    +---------------- 2 ----------------
    | {HEADER}
    |   File "c.py", line 1, in c
    | KeyError: 'c'
    |
    | {CAUSE}
    |
    | {HEADER}
    |   File "d.py", line 1, in d
    | OSError: d
    +------------------------------------

{CONTEXT}

{PLAIN}""",
        [
            ("KeyError", "__cause__", 1),
            ("OSError", "exceptions[1]", 1),
            ("ValueError", "exceptions[0]", 0),
            ("ExceptionGroup", "exceptions[0]", 1),
            ("ExceptionGroup", "__context__", 1),
            ("KeyError", None, 1),
        ],
    ),
    (
        f"""\
  {GROUP_HEADER}
  | ExceptionGroup: outer (16 sub-exceptions)
  +-+---------------- 1 ----------------
    | Exception Group {HEADER}
    | ExceptionGroup: inner (1 sub-exception)
    +-+---------------- 1 ----------------
      | ValueError: 1
      +------------------------------------
    +---------------- ... ----------------
    | and 15 more exceptions
    +------------------------------------
""",
        [
            ("ValueError", "exceptions[0]", 0),
            ("ExceptionGroup", "exceptions[0]", 0),
            ("ExceptionGroup", None, 0),
        ],
    ),
]


@pytest.mark.parametrize(("text", "exceptions"), TEXTS)
def test_a_text_is_read_as_it_was_meant(text: str, exceptions: list[object]) -> None:
    assert outline(text) == exceptions


@pytest.mark.parametrize(("text", "exceptions"), GROUPS, ids=["chained", "cut"])
def test_the_members_of_a_group_come_before_it(text: str, exceptions: list[object]) -> None:
    parsed = parse_traceback(text)
    assert [(each.type, each.source, len(each.frames)) for each in parsed] == exceptions


@pytest.mark.parametrize("link", LINKS)
def test_a_link_says_how_the_earlier_hangs_on_the_later(link: str) -> None:
    first, second = parse_traceback(f"{PLAIN}\n{link}\n\n{PLAIN}")
    assert (first.source, second.source) == (LINKS[link], None)


def test_two_tracebacks_of_a_log_are_no_chain() -> None:
    parsed = parse_traceback(f"{PLAIN}INFO next\n{PLAIN}")
    assert [each.source for each in parsed] == ["__context__", None]


@pytest.mark.parametrize("text", ["", "hello", HEADER, f"{HEADER}\n\n", CAUSE, "File x, line 2"])
def test_a_text_without_a_traceback_is_refused(text: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse_traceback(text)
    assert caught.value.code == "no_traceback"


@pytest.mark.parametrize(
    "unit",
    [
        f"{HEADER}\n",
        PLAIN,
        FRAME,
        '  File "' * 50,
        '", line 1' * 50,
        f"{CAUSE}\n",
        "a." * 99,
        "    +-+---------------- 1 ----------------\n",
        "E: x\n",
    ],
)
def test_the_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    start = f"{GROUP_HEADER}\n" if "+-+" in unit else f"{HEADER}\n{FRAME}"
    began = time.perf_counter()
    with suppress(InvalidEventError):
        parse_traceback(start + unit * (500_000 // len(unit)) + "\nE: x")
    assert time.perf_counter() - began < 5  # a tenth of a second; a quadratic one takes minutes


GROUP_PIECES = ["  +-+----- 1 -----", "    +----- 2 -----", "    | ", "  | ", "    +------", "\n"]
PIECES = st.sampled_from(
    [
        HEADER,
        GROUP_HEADER,
        CAUSE,
        "E: x",
        "",
        "    g()",
        "    ~^",
        *FRAME.split("\n"),
        *GROUP_PIECES,
    ]
)


@given(st.text() | st.lists(PIECES | st.text(max_size=3), max_size=40).map("\n".join))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        exceptions = parse_traceback(text)
    except InvalidEventError:
        return
    assert exceptions
