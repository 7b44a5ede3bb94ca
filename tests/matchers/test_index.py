"""The index equals a slow, obvious reference, on whatever patterns and paths."""

import os
import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from matchers import index
from matchers.index import PathIndex
from tests.conformance import cases
from tests.reference.patterns import compile_pattern

PROVING = settings.get_current_profile_name() == "prove"  # make prove
EXAMPLES = 20_000 if PROVING else 2_000
REPOSITORIES = 600 if PROVING else 40

NAMES = ["a", "b", "ab", "ba", "aab", "a.py", "b.py", ".x", "x-y", "a1b2", "xyzzy"]
GLOBS = ["*", "?", "a*", "*b", "*.py", "a*b", "*a*", "?b", "a?*", "*a*b*", "*yzz*"]
ESCAPED = ["\\*", "x\\ y", "\\*a*"]
segments = st.sampled_from([*NAMES, *GLOBS, *ESCAPED]) | st.sampled_from(["a", "b", "*", "**"])
patterns = st.builds(
    lambda first, middle, last: first + "/".join(middle) + last,
    st.sampled_from(["", "/"]),
    st.lists(segments, min_size=1, max_size=4),
    st.sampled_from(["", "/", "/*", "/**"]),
).filter(lambda text: "***" not in text)
paths = st.lists(
    st.sampled_from([*NAMES, "a", "b", "*", "x y", "*ab"]), min_size=1, max_size=5
).map("/".join)
questions = st.tuples(
    st.lists(patterns, min_size=1, max_size=12), st.lists(paths, min_size=1, max_size=8)
)


def reference(wanted: Sequence[str], path: str) -> tuple[int, ...]:
    """All that own the path, the last first."""
    owns = [compile_pattern(pattern)(path) for pattern in wanted]
    return tuple(number for number in reversed(range(len(wanted))) if owns[number])


def equals_the_reference(built: Any, wanted: Sequence[str], asked: Sequence[str]) -> bool:
    """Each path twice: the second time from the memos."""
    return all(built.matches(path) == reference(wanted, path) for path in [*asked, *asked])


@given(questions)
@settings(max_examples=EXAMPLES)
def test_the_index_equals_the_reference(question: tuple[list[str], list[str]]) -> None:
    wanted, asked = question
    built = PathIndex((pattern, number) for number, pattern in enumerate(wanted))
    assert equals_the_reference(built, wanted, asked)


@pytest.mark.parametrize("case", cases("patterns.yaml"), ids=lambda case: case["id"])
def test_the_reference_itself_is_right(case: dict[str, object]) -> None:
    if case["github"] != "error":
        assert compile_pattern(str(case["pattern"]))(str(case["path"])) is case["github"]


MUTATIONS = {
    "** does not stay": ("        if node.stays:\n", "        if False:\n"),
    "a folder's rules own nothing below": (
        "child.tree + child.below",
        "child.below",
    ),
    "a trailing slash owns nothing": (
        "child.tree + child.below",
        "child.tree",
    ),
    "a file's own rules are passed over": (
        "numbers.update(node.tree, node.leaf)",
        "numbers.update(node.leaf)",
    ),
    "/* owns no child": (
        "met.update(node.star.tree, node.star.leaf)",
        "met.update(node.star.tree)",
    ),
    "/* owns what lies deeper": (
        "child.tree + child.below",
        "child.tree + child.below + child.leaf",
    ),
    "** is not entered with its folder": (
        "reached[child.deep] = None",
        "pass",
    ),
    "** is not entered at the root": ("(root, root.deep) if root.deep else (root,)", "(root,)"),
    "globs of a folder are passed over": (
        "children += node.globs.search(segment)",
        "pass",
    ),
    "globs of a file are passed over": ("met += globs.search(name)", "pass"),
    "escapes are kept": ('plain = _ESCAPED.sub(r"\\1", segment)', "plain = segment"),
    "what is highest stands last": ("reverse=True", "reverse=False"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_an_index_with_one_mutated_branch_is_caught(name: str) -> None:
    original, mutated = MUTATIONS[name]
    source = Path(index.__file__).read_text()
    assert original in source
    module = ModuleType("mutated")
    exec(source.replace(original, mutated), module.__dict__)  # noqa: S102 our own text

    def is_caught(question: tuple[list[str], list[str]]) -> bool:
        wanted, asked = question
        built = module.PathIndex((pattern, number) for number, pattern in enumerate(wanted))
        return not equals_the_reference(built, wanted, asked)

    once = settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate])
    find(questions, is_caught, settings=once)


def repositories() -> Iterator[tuple[list[str], list[str]]]:
    """Patterns on which git and CODEOWNERS agree: without a trailing `/*`; and paths."""
    rng = random.Random(11)  # noqa: S311 no secret is made of it
    for _ in range(REPOSITORIES):
        made = [
            rng.choice(["", "/"])
            + "/".join(rng.choice([*NAMES, *GLOBS, "**"]) for _ in range(rng.randint(1, 3)))
            + rng.choice(["", "/"])
            for _ in range(rng.randint(1, 6))
        ]
        wanted = [text for text in made if not text.rstrip("/").endswith(("/*", "**"))]
        asked = ["/".join(rng.choices(NAMES, k=rng.randint(1, 5))) for _ in range(60)]
        if wanted:
            yield wanted, asked


def test_the_index_equals_git_where_the_dialects_agree(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)  # noqa: S607
    for wanted, asked in repositories():
        (tmp_path / ".gitignore").write_text("\n".join(wanted))
        answer = subprocess.run(
            ["git", "-C", tmp_path, "check-ignore", "--no-index", "--stdin"],  # noqa: S607
            input="\n".join(asked),
            capture_output=True,
            text=True,
            check=False,
        )
        built = PathIndex((pattern, number) for number, pattern in enumerate(wanted))
        owned = {path for path in asked if built.matches(path)}
        assert owned == set(answer.stdout.splitlines()), wanted


@pytest.mark.parametrize(
    "path",
    ["", "/", "//", "a//b", "a/" * 2000 + "b", "\x00", "\udcff/x", "a" * 4096, "é/ü.py"],
    ids=["empty", "slash", "slashes", "hole", "deep", "NUL", "surrogate", "long", "letters"],
)
def test_any_path_is_answered(path: str) -> None:
    built = PathIndex([("*", 0), ("/a/**/b", 1), ("*a*a*a*a*a*b", 2), ("a?*/", 3)])
    assert built.matches(path) == reference(["*", "/a/**/b", "*a*a*a*a*a*b", "a?*/"], path)


@pytest.mark.parametrize("stars", ["*a*a*a*a*a*b", "*a*a*a*a*a*\\ b", "*a?*a?*a?*a?*a?*b"])
def test_a_hostile_glob_costs_no_more_than_the_path_is_long(stars: str) -> None:
    built = PathIndex([(stars, 0)])
    started = time.process_time()
    assert built.matches("a" * 4000) == ()
    assert time.process_time() - started < 0.1  # a backtracking one takes years


CROWDS = {
    "many": ([("*.py", 0)], "d{}/x.py", 150_000),
    "long": ([("*.py", 0)], "é" * 4000 + "{}/x.py", 60_000),
    "owned by many rules": ([("*.py", number) for number in range(1000)], "d/x{}.py", 10_000),
    "in folders of many rules": ([("*", number) for number in range(1000)], "d{}/e/x.py", 10_000),
    "new names in each of many folders": (
        [(f"/t{number}/*a*/x", number) for number in range(1000)],
        "t{0}/s{0}/x.py",
        100_000,
    ),
}


@pytest.mark.parametrize("name", CROWDS)
def test_memos_are_bounded_in_bytes(name: str) -> None:
    patterns, path, count = CROWDS[name]
    built = PathIndex(patterns)
    before = _resident()
    for number in range(count):
        built.matches(path.format(number, number % 1000))
    paths = index.PATHS_LIMIT * index.PATH_SIZE
    assert _resident() - before < (paths + index.FOLDERS_ROOM) * 1.5


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_deep_path_costs_no_more_than_it_has_segments() -> None:
    built = PathIndex([("*.py", 0)])
    started = time.process_time()
    for number in range(50):
        built.matches("a/" * 1900 + str(number))
    assert time.process_time() - started < 0.5
