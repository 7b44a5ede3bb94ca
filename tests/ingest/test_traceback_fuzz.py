"""Printed stack traces, mangled: nothing but no_traceback is raised, and the caps hold.

How long it takes is a proof: benchmarks/tracebacks.py.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.chain import walked_exceptions
from matchers.event import ExceptionValue
from matchers.text import MESSAGE, NAME, PATH
from service.ingest.base import InvalidEventError
from service.ingest.tracebacks import READERS, parse_traceback
from service.ingest.tracebacks.base import EXCEPTIONS, FRAMES
from tests.ingest.hostile import UNITS, nested
from tests.ingest.test_texts import paths

TEXTS = {name: path.read_text() for name, path in paths().items()}
LINES = sorted({line for text in TEXTS.values() for line in text.splitlines()})
PLATFORMS = st.none() | st.sampled_from([reader.platform for reader in READERS])


def checked(text: str, platform: str | None = None) -> int:
    """How many exceptions the text gave; each within its caps, and walked once."""
    try:
        exceptions = parse_traceback(text, platform)
    except InvalidEventError as refused:
        code = refused.code
    else:
        return _measured(exceptions)
    assert code == "no_traceback"
    return 0


def _measured(exceptions: tuple[ExceptionValue, ...]) -> int:
    assert 0 < len(exceptions) <= EXCEPTIONS
    assert sorted(walked_exceptions(exceptions)) == list(range(len(exceptions)))
    for each in exceptions:
        assert len(each.value or "") <= MESSAGE
        assert max(len(each.type or ""), len(each.module or "")) <= NAME
        assert len(each.frames) <= FRAMES
        for frame in each.frames:
            assert len(frame.abs_path or frame.filename or "") <= PATH
            assert max(len(frame.function or ""), len(frame.module or "")) <= NAME
            assert frame.lineno is None or 0 < frame.lineno < 2**31
    return len(exceptions)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A text that was cut, doubled, shuffled, or has lost or gained something in its midst."""
    text = TEXTS[draw(st.sampled_from(sorted(TEXTS)))]
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    part, other = text[start:end], TEXTS[draw(st.sampled_from(sorted(TEXTS)))]
    how = draw(st.integers(0, 6))
    if how == 0:
        return part
    if how == 1:
        return text[:start] + part * draw(st.integers(2, 5)) + text[end:]
    if how == 2:
        return "\n".join(draw(st.permutations(text.split("\n"))))
    if how == 3:
        return text[:start] + text[end:]
    if how == 4:
        return text[:start] + draw(st.text(max_size=20)) * draw(st.integers(1, 3000)) + text[end:]
    if how == 5:
        return text[:start] + other + text[end:]
    return "\n".join(" " * draw(st.integers(0, 9)) + line.strip() for line in text.split("\n"))


@given(mangled(), PLATFORMS)
def test_a_mangled_text_raises_nothing_else(text: str, platform: str | None) -> None:
    checked(text, platform)


@given(st.lists(st.sampled_from([*LINES, *UNITS]) | st.text(max_size=9), max_size=60), PLATFORMS)
def test_lines_of_many_texts_raise_nothing_else(lines: list[str], platform: str | None) -> None:
    checked("\n".join(lines), platform)


@pytest.mark.parametrize("unit", UNITS)
def test_much_of_one_thing_stays_within_the_caps(unit: str) -> None:
    checked(nested(unit, 50_000))


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_many_times_over_stays_within_the_caps(name: str) -> None:
    assert checked(TEXTS[name] * 100) in range(1, EXCEPTIONS + 1)


DEEP = {
    "java": "A: x\n\tat a.B.f(B.java:1)\n" + "Caused by: a.E: x\n\tat a.B.f(B.java:1)\n" * 10_000,
    "suppressed": "a.E: x\n\tat a.B.f(B.java:1)\n"
    + "".join(f"{' ' * n}Suppressed: a.E: x\n{' ' * n}at a.B.f(B.java:1)\n" for n in range(900)),
    "node": "E: x\n    at f (/a.js:1:2) {\n"
    + "".join(f"{' ' * n}[cause]: E: x\n{' ' * n}    at f (/a.js:1:2) {{\n" for n in range(900)),
    "csharp": "A.E: x\n" + " ---> A.E: x\n   at A.B.f()\n" * 10_000,
    "php": "#0 {main}\n" + "Next E: x in /a.php:1\nStack trace:\n#0 {main}\n" * 10_000,
    "ruby": "a.rb:1:in `f': x (E)\n" * 10_000,
    "go": "panic: x\n" + "\tpanic: y\n" * 10_000 + "goroutine 1 [running]:\nf()\n\t/a.go:1 +0x1\n",
    "rust": "E\n\nCaused by:\n"
    + "    0: x\n" * 10_000
    + "Stack backtrace:\n  0: f\n at /a.rs:1:2\n",
}


@pytest.mark.parametrize("name", DEEP)
def test_ten_thousand_causes_are_cut_in_the_middle(name: str) -> None:
    assert checked(DEEP[name]) == EXCEPTIONS
