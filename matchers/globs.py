"""Globs: `*` is any run of characters, `?` any one; compared whole, case counting.

Linear in the text: what stands between two stars is found leftmost and never sought again, which
loses no match because a star follows.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

Value = TypeVar("Value")
MEMO_LIMIT = 4096  # texts that a GlobSet remembers
_GRAM = 3  # characters; what a glob without an end of its own is found by


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

    A glob is found by its literal start or end, the longer of them, else by three characters of
    its longest piece; only then is it compared. Built once, then asked; safe for threads.
    """

    def __init__(self) -> None:
        self._exact: dict[str, list[Value]] = {}
        self._starts: dict[int, dict[str, list[tuple[str, Value]]]] = {}  # by length, then text
        self._ends: dict[int, dict[str, list[tuple[str, Value]]]] = {}
        self._grams: dict[str, list[tuple[str, Value]]] = {}
        self._rest: list[tuple[str, Value]] = []  # nothing to find them by
        self._fitting: list[tuple[Callable[[str], bool], Value]] = []
        self._memo: dict[str, tuple[Value, ...]] = {}

    def add(self, glob: str, value: Value) -> None:
        if "*" not in glob and "?" not in glob:
            self._exact.setdefault(glob, []).append(value)
            return
        pieces = re.split(r"[*?]", glob)
        start, end = pieces[0], pieces[-1]
        longest = max(pieces, key=len)
        if start and len(start) >= len(end):
            self._starts.setdefault(len(start), {}).setdefault(start, []).append((glob, value))
        elif end:
            self._ends.setdefault(len(end), {}).setdefault(end, []).append((glob, value))
        elif len(longest) >= _GRAM:
            self._grams.setdefault(longest[:_GRAM], []).append((glob, value))
        else:
            self._rest.append((glob, value))

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
        near = list(self._rest)
        for length, starts in self._starts.items():
            near += starts.get(text[:length], ())
        for length, ends in self._ends.items():
            near += ends.get(text[-length:], ())
        if self._grams:
            grams = {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}
            for gram in grams:
                near += self._grams.get(gram, ())
        found = list(self._exact.get(text, ()))
        found += [value for fits, value in self._fitting if fits(text)]
        return found + [value for glob, value in near if compile_glob(glob)(text)]
