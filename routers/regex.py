"""Regular expressions in RE2's syntax, compared whole, at a cost linear in the text.

Python's own engine tries one way after the other, and some patterns have it try for years. This one
is Glushkov's automaton (https://en.wikipedia.org/wiki/Glushkov%27s_construction_algorithm): it goes
on from all places of the pattern at once, so a text costs at most its length times the characters
that the pattern stands for (POSITIONS), and no pattern makes it more.
Cases: tests/data/silences.yaml.
"""

import re
from functools import lru_cache

from routers.regex_syntax import Node, RegexError, parse_regex

LENGTH = 1000  # characters of a pattern
POSITIONS = 500  # characters that it stands for, with its counts written out
_STEPS = 2000  # of writing it out: also of what stands for no character at all
_KNOWN_STEPS = 4096  # remembered of one automaton


@lru_cache(maxsize=1024)
def compile_regex(pattern: str) -> "Regex":
    """Raises RegexError."""
    if len(pattern) > LENGTH:
        raise RegexError(f"it is longer than {LENGTH} characters")
    return Regex(parse_regex(pattern))


class Regex:
    """Places are bits of a number; place 0 is before the first character."""

    def __init__(self, root: Node) -> None:
        self._chars: list[re.Pattern[str] | None] = [None]
        self._follow = [0]
        self._steps = 0
        empty, first, last = self._build(root)
        self._follow[0] = first
        self._accepting = last | int(empty)
        self._masks: dict[str, int] = {}  # character → the places that take it
        self._known: dict[tuple[int, str], int] = {}

    def fits(self, text: str) -> bool:
        """The whole text."""
        places = 1
        for char in text:
            known = self._known.get((places, char))
            places = self._step(places, char) if known is None else known
            if not places:
                return False
        return bool(places & self._accepting)

    def _step(self, places: int, char: str) -> int:
        reached = 0
        for place in _bits(places):
            reached |= self._follow[place]
        if len(self._known) >= _KNOWN_STEPS:
            self._known.clear()
            self._masks.clear()
        after = self._known[places, char] = reached & self._mask(char)
        return after

    def _mask(self, char: str) -> int:
        mask = self._masks.get(char)
        if mask is None:
            takes = (at for at, one in enumerate(self._chars) if one and one.fullmatch(char))
            mask = self._masks[char] = sum(1 << at for at in takes)
        return mask

    def _build(self, node: Node) -> tuple[bool, int, int]:
        """Whether it may be empty; the places it may begin and end at."""
        self._steps += 1
        if self._steps > _STEPS or len(self._chars) > POSITIONS:
            raise RegexError(f"it is too large: past {POSITIONS} characters with its counts")
        if node.kind == "char":
            self._chars.append(node.char)
            self._follow.append(0)
            place = 1 << len(self._follow) - 1
            return False, place, place
        if node.kind == "loop":
            empty, first, last = self._build(node.parts[0])
            self._lead(last, first)
            return empty, first, last
        return self._any(node) if node.kind == "any" else self._in_a_row(node)

    def _any(self, node: Node) -> tuple[bool, int, int]:
        empty, first, last = False, 0, 0
        for part in node.parts:
            blank, begins, ends = self._build(part)
            empty, first, last = empty or blank, first | begins, last | ends
        return empty, first, last

    def _in_a_row(self, node: Node) -> tuple[bool, int, int]:
        empty, first, last = True, 0, 0
        for part in node.parts:
            blank, begins, ends = self._build(part)
            self._lead(last, begins)
            first |= begins if empty else 0
            last = ends | (last if blank else 0)
            empty = empty and blank
        return empty, first, last

    def _lead(self, places: int, on: int) -> None:
        if on:
            for place in _bits(places):
                self._follow[place] |= on


def _bits(number: int) -> list[int]:
    found = []
    while number:
        lowest = number & -number
        found.append(lowest.bit_length() - 1)
        number ^= lowest
    return found
