"""How long hostile stack traces take: the time grows with the text and no faster.

    python -m benchmarks.tracebacks

Every line of every text under tests/data, every whole text, and what is made to hurt, repeated to a
quarter of what is read and to all of it. Four times the text may take eight times as long (sixteen
were quadratic), where that is long enough to be measured; none may take more than three seconds;
what is past a megabyte costs nothing.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from service.ingest.base import InvalidEventError
from service.ingest.tracebacks import parse_traceback
from service.ingest.tracebacks.base import TEXT
from tests.ingest.hostile import UNITS, nested
from tests.ingest.test_texts import paths

RATIO = 8.0
SECONDS = 3.0
MEASURABLE = 0.05  # seconds; what is faster is noise
TRIES = 2


def main() -> None:
    rows = sorted((_row(name, unit) for name, unit in _units()), key=lambda row: -row[1])
    print(f"{len(rows)} texts, {TEXT:,} characters each; the slowest:\n")
    print("seconds   x a quarter   what")
    for name, whole, ratio in rows[:12]:
        print(f"{whole:>7.3f}   {ratio:>11.1f}   {name[:70]!r}")
    worst = max(rows, key=lambda row: row[2])
    print(f"\nthe steepest: x {worst[2]:.1f}   {worst[0][:70]!r}")
    long = _seconds("Error: x\n    at f (/srv/a.js:1:2)\n" * 400_000)
    print(f"16 MB of stacks: {long:.3f} s")
    if rows[0][1] > SECONDS or worst[2] > RATIO or long > SECONDS:
        sys.exit(1)


def _units() -> Iterator[tuple[str, str]]:
    lines: dict[str, None] = {}
    for name, path in paths().items():
        text = path.read_text()
        yield f"the whole of {name}", text
        lines |= dict.fromkeys(text.splitlines(keepends=True))
    yield from ((line, line) for line in (*lines, *UNITS))


def _row(name: str, unit: str) -> tuple[str, float, float]:
    quarter, whole = _seconds(nested(unit, TEXT // 4)), _seconds(nested(unit, TEXT))
    return name, whole, whole / quarter if whole > MEASURABLE else 0.0


def _seconds(text: str) -> float:
    best = float("inf")  # of the CPU: the machine may be shared
    for _ in range(TRIES):
        began = time.process_time()
        with suppress(InvalidEventError):
            parse_traceback(text)
        best = min(best, time.process_time() - began)
    return best


if __name__ == "__main__":
    main()
