"""Which rules own a path: the index beside other ways, in one run, in turn.

    python -m benchmarks.matching

Medians of single look-ups, in microseconds. *cold*: nothing is remembered of any path (globs stay
compiled, as the others' do). *warm*: the path's directory was asked before, its file was not. The
others have no memory, so one figure each. What the documents claim is checked at the end; a claim
that does not hold exits with 1.
"""

import re
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pathspec
from codeowners import CodeOwners

from benchmarks.shapes import Shapes
from matchers.engine import match
from matchers.errors import Origin
from matchers.event import Event, ExceptionValue, Frame
from matchers.index import PathIndex
from matchers.ruleset import Rule, Ruleset
from tests.reference.patterns import pattern_regex

PATHS = 300  # for each figure
SLOW_PATHS = 40  # of the ways that take milliseconds
MIXES = ((100, False), (1_000, False), (10_000, False), (50_000, False), (10_000, True))
Row = dict[str, float]


def main() -> None:
    print("rules             build s      MB  cold µs  warm µs | codeowners  regex loop  pathspec")
    rows = {mix: _row(*mix) for mix in MIXES}
    _events(rows)
    if not all(_claims(rows)):
        sys.exit(1)


def _row(rules: int, globs: bool) -> Row:
    shapes = Shapes(rules, globs=globs)
    row: Row = {"build": min(_seconds(_index, shapes) for _ in range(3))}
    tracemalloc.start()
    index = _index(shapes)
    row["MB"] = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    row |= _in_turn(index, shapes)
    print(
        f"{rules:>6,}{' globs' if globs else '      '}      {row['build']:>7.3f} {row['MB']:>7.1f}"
        f" {row['cold']:>8.1f} {row['warm']:>8.2f} | {row['codeowners']:>10.0f}"
        f" {row['regex']:>11.0f} {row['pathspec']:>9.0f}"
    )
    return row


def _in_turn(index: PathIndex, shapes: Shapes) -> Row:
    """Each path is asked of every way, one after the other."""
    others = _others(shapes)
    times: dict[str, list[float]] = {name: [] for name in ("cold", "warm", *others)}
    for number, path in enumerate(shapes.paths(PATHS)):
        index.forget()
        times["cold"].append(_seconds(index.matches, path))
        neighbour = f"{path.rpartition('/')[0]}/other_{number}.py"
        times["warm"].append(_seconds(index.matches, neighbour))
        if number < SLOW_PATHS:
            for name, ask in others.items():
                times[name].append(_seconds(ask, path))
    return {name: statistics.median(these) * 1e6 for name, these in times.items()}


def _others(shapes: Shapes) -> dict[str, Callable[[str], object]]:
    owners = CodeOwners("\n".join(f"{pattern} @team" for pattern in shapes.patterns))
    regexes = [re.compile(pattern_regex(pattern)) for pattern in reversed(shapes.patterns)]
    spec = pathspec.PathSpec.from_lines("gitignore", shapes.patterns)
    return {
        "codeowners": owners.of,
        "regex": lambda path: next((regex for regex in regexes if regex.match(path)), None),
        "pathspec": spec.match_file,
    }


def _events(rows: dict[tuple[int, bool], Row]) -> None:
    """Events of 30, 40 and 100 frames at 10,000 rules, every frame walked.

    Their files are new and their directories known: the frames' rules alone, the whole match, and
    the whole match of the same event when it comes again.
    """
    shapes = Shapes(10_000)
    index = _index(shapes)
    rules = tuple(
        Rule(
            origin=Origin("bench", number),
            text=text,
            owners=("t",),
            transparent=True,
            paths=(text,),
        )
        for number, text in enumerate(shapes.patterns)
    )
    ruleset = Ruleset(rules=rules)
    print("\nevent at 10,000 rules     frames' rules µs   the whole match µs   again µs")
    for frames in (30, 40, 100):
        walks, matches, again = [], [], []
        for _ in range(60):
            known = list(shapes.paths(frames, of_folders=40))
            for path in known:
                index.matches(path)
                match(_event([path]), ruleset)
            new = [f"{path.rpartition('/')[0]}/new_{path[-12:]}" for path in known]
            walks.append(_seconds(_all, index, new))
            event = _event(new)
            matches.append(_seconds(match, event, ruleset))
            again.append(_seconds(match, event, ruleset))
        walk, whole, same = (statistics.median(times) * 1e6 for times in (walks, matches, again))
        print(f"{frames:>4} frames               {walk:>16.0f} {whole:>20.0f} {same:>10.0f}")
        rows[10_000, False][f"{frames} frames"] = walk


def _claims(rows: dict[tuple[int, bool], Row]) -> list[bool]:
    small, large, huge = rows[100, False], rows[10_000, False], rows[50_000, False]
    faster = large["codeowners"] / large["cold"]
    print()
    return [
        _claim("10,000 rules, cold: times faster than codeowners", faster, 50, at_least=True),
        _claim("growth from 100 to 50,000 rules, cold", huge["cold"] / small["cold"], 8),
        _claim("growth from 100 to 50,000 rules, warm", huge["warm"] / small["warm"], 2.5),
        _claim("the rules of 40 frames, directories known, µs", large["40 frames"], 80),
        _claim("build of 10,000 rules, s", large["build"], 0.2),
        _claim("six stars on a path of 200 characters, ms", _hostile() * 1e3, 0.1),
    ]


def _hostile() -> float:
    index = PathIndex([("*a*a*a*a*a*b", 0)])
    path = "a" * 200
    index.matches("x")
    times = []
    for _ in range(50):
        index.forget()
        times.append(_seconds(index.matches, path))
    return statistics.median(times)


def _claim(what: str, figure: float, bound: float, *, at_least: bool = False) -> bool:
    holds = figure >= bound if at_least else figure <= bound
    asked = f"{'at least' if at_least else 'at most'} {bound:g}"
    print(f"{'holds' if holds else 'FAILS'}  {what}: {figure:.3g} ({asked})")
    return holds


def _index(shapes: Shapes) -> PathIndex:
    return PathIndex((pattern, number) for number, pattern in enumerate(shapes.patterns))


def _event(paths: Sequence[str]) -> Event:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    frames = tuple(Frame(filename=path, function="f", lineno=1, in_app=True) for path in paths)
    error = ExceptionValue(type="E", frames=frames)
    return Event(event_id="0" * 32, timestamp=now, received_at=now, exceptions=(error,))


def _all(index: PathIndex, paths: Sequence[str]) -> None:
    for path in paths:
        index.matches(path)


def _seconds(work: Callable[..., object], *of: object) -> float:
    started = time.perf_counter()
    work(*of)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
