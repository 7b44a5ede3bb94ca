"""A map's `mappings`: base64 VLQs to sorted numbers, in which a position is found by bisection.

Spec: https://tc39.es/ecma426/#sec-mappings
Lines and columns are counted from 0 here. What the spec lets a reader report is refused.

    SourceMapError    it is no source map; carries the place
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

import msgspec

SEGMENTS = 2_000_000  # of one map: 24 bytes each while it is in use
LARGEST = 2**31 - 1
_LONGEST = 5 * 7  # characters of a segment: five numbers of 32 bits
_KNOWN = 50_000  # segments whose numbers are remembered: most occur again and again
_LINE = 32  # bits below a generated line's number, for the column
_PIECE = 64 * 1024  # bytes of a text that are copied at once
_TOKEN = re.compile(rb"([A-Za-z0-9+/]+),?|(;+)|(.)", re.DOTALL)
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DIGITS = {digit: value for value, digit in enumerate(_BASE64)}
_State = tuple[int, int, int, int]  # source, its line and column, name


class SourceMapError(Exception):
    """`place` is a JSON path, in the words of the spec; "" is the whole."""

    def __init__(self, place: str, detail: str) -> None:
        self.place = place
        self.detail = detail
        super().__init__(f"{place}: {detail}" if place else detail)


class Original(msgspec.Struct, frozen=True):
    """Where a generated position comes from: indices of a source and perhaps of a name."""

    source: int
    line: int
    column: int
    name: int | None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One `mappings` field, and where it stands: a section of an index map begins anywhere."""

    text: memoryview  # of the file's bytes: it may be nearly all of them
    place: str
    line: int = 0
    column: int = 0
    sources: range  # of all sources, those that are this part's
    names: range


class Mappings:
    def __init__(self) -> None:
        self._at = array("q")  # generated line and column in one number
        self._source = array("i")  # -1: what the bundler made itself
        self._line = array("i")
        self._column = array("i")
        self._name = array("i")  # -1: none

    @property
    def size(self) -> int:
        """Bytes."""
        arrays = (self._at, self._source, self._line, self._column, self._name)
        return sum(one.itemsize * len(one) for one in arrays)

    def find(self, line: int, column: int) -> Original | None:
        """Of the last mapping at or before the position, on its line."""
        at = bisect_right(self._at, (line << _LINE) + column) - 1
        if at < 0 or self._at[at] >> _LINE != line or self._source[at] < 0:
            return None
        name = self._name[at]
        original = self._source[at], self._line[at], self._column[at]
        return Original(*original, None if name < 0 else name)

    def add(self, part: Part) -> None:
        """Raises SourceMapError."""
        if len(self._at) + sum(map(_ends, _pieces(part.text))) >= SEGMENTS:
            raise SourceMapError(part.place, f"more than {SEGMENTS:,} segments")
        state = (part.sources.start, 0, 0, part.names.start)
        line, column = part.line, part.column
        for token, deltas in _tokens(part):
            if not deltas:
                line, column = line + len(token[0]), 0
                continue
            column += deltas[0]
            fields = len(deltas)
            if fields > 1:
                state = _moved(state, deltas)
            if not 0 <= column <= LARGEST or not _is_there(state, part, fields):
                raise _refused(part, token, "a line, column, source or name that is not there")
            self._append((line << _LINE) + column, state, fields)

    def sort(self) -> None:
        """By generated position; what stands at the same place keeps its order."""
        if all(before <= after for before, after in pairwise(self._at)):
            return
        order = sorted(range(len(self._at)), key=self._at.__getitem__)
        for name in ("_source", "_line", "_column", "_name", "_at"):
            values = getattr(self, name)
            setattr(self, name, array(values.typecode, map(values.__getitem__, order)))

    def _append(self, at: int, state: _State, fields: int) -> None:
        source, line, column, name = state
        self._at.append(at)
        self._source.append(source if fields > 1 else -1)
        self._line.append(line)
        self._column.append(column)
        self._name.append(name if fields == 5 else -1)


def _at(part: Part, token: re.Match[bytes]) -> str:
    """The character."""
    return bytes(part.text[token.start() :][:4]).decode(errors="replace")[:1]


def _pieces(text: memoryview) -> Iterator[bytes]:
    return (bytes(text[at : at + _PIECE]) for at in range(0, len(text), _PIECE))


def _ends(text: bytes) -> int:
    """Of segments and of lines."""
    return text.count(b",") + text.count(b";")


def _tokens(part: Part) -> Iterator[tuple[re.Match[bytes], tuple[int, ...]]]:
    """Each segment with its numbers; with none: as many ends of lines as it has characters."""
    known: dict[bytes, tuple[int, ...]] = {}
    for token in _TOKEN.finditer(part.text):
        segment = token[1]
        if segment is None:
            if token[3]:
                raise _refused(part, token, f"{_at(part, token)!r} is no base64 digit")
            yield token, ()
            continue
        deltas = known.get(segment)
        if deltas is None:
            deltas = _decode(segment, part, token)
            if len(known) < _KNOWN:
                known[segment] = deltas
        yield token, deltas


def _moved(state: _State, deltas: tuple[int, ...]) -> _State:
    source, line, column, name = state
    named = deltas[4] if len(deltas) == 5 else 0
    return source + deltas[1], line + deltas[2], column + deltas[3], name + named


def _is_there(state: _State, part: Part, fields: int) -> bool:
    source, line, column, name = state
    original = source in part.sources and 0 <= line <= LARGEST and 0 <= column <= LARGEST
    return fields == 1 or (original and (fields == 4 or name in part.names))


def _decode(segment: bytes, part: Part, token: re.Match[bytes]) -> tuple[int, ...]:
    """The numbers of one segment: 1, 4 or 5, each of at most 32 bits."""
    numbers: list[int] = []
    value = shift = 0
    for digit in segment[: _LONGEST + 1]:
        bits = _DIGITS[digit]
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(segment) > _LONGEST or len(numbers) not in (1, 4, 5):
        raise _refused(part, token, "a segment is 1, 4 or 5 numbers")
    if max(map(abs, numbers)) > LARGEST:
        raise _refused(part, token, "a number of more than 32 bits")
    return tuple(numbers)


def _refused(part: Part, token: re.Match[bytes], detail: str) -> SourceMapError:
    return SourceMapError(part.place, f"character {token.start() + 1}: {detail}")
