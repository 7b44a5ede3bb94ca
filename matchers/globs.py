"""Globs: `*` is any run of characters, `?` any one; compared whole, case counting.

Linear in the text: what stands between two stars is found leftmost and never sought again, which
loses no match because a star follows.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from sys import getsizeof
from typing import Any, Generic, Literal, TypeVar, get_args

from matchers.memo import Memo

Value = TypeVar("Value")
MEMO_ROOM = 2 * 2**20  # bytes that a GlobSet remembers
_GRAM = 3  # characters; of a piece that a glob may be filed under


@lru_cache(maxsize=65_536)
def compile_glob(glob: str) -> Callable[[str], bool]:
    if "*" not in glob and "?" not in glob:
        return glob.__eq__
    if "?" in glob:
        return _with_any_one(glob)
    first, *middle, last = glob.split("*")
    if not middle and not first:
        return lambda text: text.endswith(last)
    if not middle and not last:
        return lambda text: text.startswith(first)
    least = len(first) + len(last)

    def fits(text: str) -> bool:
        if len(text) < least or not (text.startswith(first) and text.endswith(last)):
            return False
        at, end = len(first), len(text) - len(last)
        for piece in middle:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return fits


def _with_any_one(glob: str) -> Callable[[str], bool]:
    regex = compile_runs(".".join(map(re.escape, run.split("?"))) for run in glob.split("*"))
    return lambda text: regex.fullmatch(text) is not None


def compile_runs(runs: Iterable[str]) -> re.Pattern[str]:
    """The regular expression of a glob, from those of its runs between stars.

    Each run has one length, and is an atomic group, so that none is tried twice.
    """
    first, *rest = runs
    if rest:
        first += "".join(f"(?>.*?{run})" for run in rest[:-1]) + f".*{rest[-1]}"
    return re.compile(first, re.DOTALL)


class GlobSet(Generic[Value]):
    """Many globs at once: which of them fit a text, at a cost that hardly grows with their number.

    Each glob is filed under the rarest thing that a text must have to fit it: its literal start,
    its end, or three characters of a piece. Only what is found there is compared. Add, then ask.
    """

    def __init__(self) -> None:
        self._globs: list[tuple[str, Value]] = []
        self._fitting: list[tuple[Callable[[str], bool], Value]] = []
        self._files: _Files[Value] | None = None
        self._memo: Memo[str, Sequence[Value]] = Memo(MEMO_ROOM)

    def add(self, glob: str, value: Value) -> None:
        self._globs.append((glob, value))
        self._files = None

    def add_fitting(self, fits: Callable[[str], bool], value: Value) -> None:
        """What is no plain glob; asked of every text."""
        self._fitting.append((fits, value))

    def find(self, text: str) -> Sequence[Value]:
        """The values of the globs that fit, in no order; remembered."""
        found = self._memo.get(text)
        if found is None:
            found = self.search(text)
            self._memo.remember(text, found, getsizeof(text) + getsizeof(found))
        return found

    def search(self, text: str) -> Sequence[Value]:
        """As find, not remembered."""
        if self._files is None:
            self._files = _Files(self._globs)
        near = self._files.near(text)
        found = [value for glob, value in near if compile_glob(glob)(text)] if near else _NONE
        if self._fitting:
            return [*found, *(value for fits, value in self._fitting if fits(text))]
        return found


_NONE: list[Any] = []  # never changed
_Kind = Literal["whole", "start", "end", "gram", "any"]
_Key = tuple[_Kind, str]


class _Files(Generic[Value]):
    def __init__(self, globs: Sequence[tuple[str, Value]]) -> None:
        keys = [list(_keys(glob)) for glob, _ in globs]
        common = Counter(key for these in keys for key in these)
        filed: dict[_Kind, dict[str, list[tuple[str, Value]]]] = {
            kind: {} for kind in get_args(_Kind)
        }
        for entry, these in zip(globs, keys, strict=True):
            kind, text = min(these, key=lambda key: (common[key], -len(key[1])))
            filed[kind].setdefault(text, []).append(entry)
        self._any = filed["any"].get("", [])
        self._whole, self._grams = filed["whole"], filed["gram"]
        self._starts = _by_length(filed["start"])
        self._ends = _by_length(filed["end"])

    def near(self, text: str) -> list[tuple[str, Value]]:
        """Every glob that may fit."""
        near = [*self._any, *self._whole.get(text, ())] if self._any or self._whole else []
        for length, starts in self._starts:
            if found := starts.get(text[:length]):
                near += found
        for length, ends in self._ends:
            if found := ends.get(text[-length:]):
                near += found
        if self._grams:
            for gram in {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}:
                near += self._grams.get(gram, ())
        return near


def _by_length(
    filed: dict[str, list[tuple[str, Value]]],
) -> list[tuple[int, dict[str, list[tuple[str, Value]]]]]:
    lengths = sorted({len(text) for text in filed})
    return [
        (length, {text: these for text, these in filed.items() if len(text) == length})
        for length in lengths
    ]


def _keys(glob: str) -> Iterator[_Key]:
    """What a text must have to fit the glob; any one of them finds it."""
    pieces = re.split(r"[*?]", glob)
    if len(pieces) == 1:
        yield "whole", glob
        return
    yield "any", ""
    if pieces[0]:
        yield "start", pieces[0]
    if pieces[-1]:
        yield "end", pieces[-1]
    for piece in pieces:
        for at in range(len(piece) - _GRAM + 1):
            yield "gram", piece[at : at + _GRAM]
