"""Globs: `*` is any run of characters, `?` any one; compared whole, case counting.

Linear in the text: what stands between two stars is found leftmost and never sought again, which
loses no match because a star follows.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Generic, Literal, TypeVar

Value = TypeVar("Value")
MEMO_LIMIT = 4096  # texts that a GlobSet remembers
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
    """Each run between stars is an atomic group, so that none is tried twice."""
    first, *rest = [".".join(map(re.escape, piece.split("?"))) for piece in glob.split("*")]
    if rest:
        first += "".join(f"(?>.*?{piece})" for piece in rest[:-1]) + f".*{rest[-1]}"
    regex = re.compile(first, re.DOTALL)
    return lambda text: regex.fullmatch(text) is not None


class GlobSet(Generic[Value]):
    """Many globs at once: which of them fit a text, at a cost that hardly grows with their number.

    Each glob is filed under the rarest thing that a text must have to fit it: its literal start,
    its end, or three characters of a piece. Only what is found there is compared. Add, then ask.
    """

    def __init__(self) -> None:
        self._globs: list[tuple[str, Value]] = []
        self._fitting: list[tuple[Callable[[str], bool], Value]] = []
        self._files: _Files[Value] | None = None
        self._memo: dict[str, tuple[Value, ...]] = {}

    def add(self, glob: str, value: Value) -> None:
        self._globs.append((glob, value))
        self._files = None

    def add_fitting(self, fits: Callable[[str], bool], value: Value) -> None:
        """What is no plain glob; asked of every text."""
        self._fitting.append((fits, value))

    def find(self, text: str) -> tuple[Value, ...]:
        """The values of the globs that fit, in no order."""
        found = self._memo.get(text)
        if found is None:
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            found = self._memo[text] = tuple(self._search(text))
        return found

    def _search(self, text: str) -> list[Value]:
        if self._files is None:
            self._files = _Files(self._globs)
        found = [value for fits, value in self._fitting if fits(text)]
        return found + [value for glob, value in self._files.near(text) if compile_glob(glob)(text)]


_Key = tuple[Literal["whole", "start", "end", "gram", "any"], str]


class _Files(Generic[Value]):
    def __init__(self, globs: Sequence[tuple[str, Value]]) -> None:
        keys = [list(_keys(glob)) for glob, _ in globs]
        common = Counter(key for these in keys for key in these)
        self._filed: dict[_Key, list[tuple[str, Value]]] = {}
        for entry, these in zip(globs, keys, strict=True):
            rarest = min(these, key=lambda key: (common[key], -len(key[1])))
            self._filed.setdefault(rarest, []).append(entry)
        self._starts = sorted({len(text) for kind, text in self._filed if kind == "start"})
        self._ends = sorted({len(text) for kind, text in self._filed if kind == "end"})
        self._has_grams = any(kind == "gram" for kind, _ in self._filed)

    def near(self, text: str) -> list[tuple[str, Value]]:
        """Every glob that may fit."""
        filed = self._filed
        near = list(filed.get(("any", ""), ()))
        near += filed.get(("whole", text), ())
        for length in self._starts:
            near += filed.get(("start", text[:length]), ())
        for length in self._ends:
            near += filed.get(("end", text[-length:]), ())
        if self._has_grams:
            for gram in {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}:
                near += filed.get(("gram", gram), ())
        return near


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
