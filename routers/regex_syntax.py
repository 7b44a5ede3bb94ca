"""RE2's syntax of regular expressions, as far as labels ask for it.

    RegexError    what is written is no such expression; says where, and why

Spec: https://github.com/google/re2/wiki/Syntax (Alertmanager's own). Taken are literals, `.` (any
character), `[…]`, `\\d \\w \\s` and their opposites, groups, `|`, `* + ? {n,m}`, and the flags
`(?i)` and `(?s)` at the beginning; `^` and `$` at the ends say what holds anyway.
Cases: tests/data/silences.yaml.
"""

import re
from typing import Literal

import msgspec

_DEPTH = 50  # groups inside of groups
_COUNT = 1000  # RE2's own limit of {n,m}
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_COUNTED = re.compile(r"\{(\d{1,6})(?:(,)(\d{0,6}))?\}", re.ASCII)
_HEX = re.compile(r"\\x([0-9a-fA-F]{2})")
_GROUP = re.compile(r"\(\?(?::|P?<\w+>)")
_FLAGS = re.compile(r"\(\?[is]+\)")


class RegexError(Exception):
    """The message says where: characters from 1."""


class Node(msgspec.Struct, frozen=True):
    """One character, all parts in a row, any one of them, or the one part once or more."""

    kind: Literal["char", "all", "any", "loop"]
    parts: tuple["Node", ...] = ()
    char: re.Pattern[str] | None = None


_NOTHING = Node("all")


def parse_regex(pattern: str) -> Node:
    """Raises RegexError."""
    return _Parser(pattern).parse()


class _Parser:
    def __init__(self, pattern: str) -> None:
        flags = _FLAGS.match(pattern)
        self._ignores_case = bool(flags and "i" in flags[0])
        self._text = pattern
        self._at = flags.end() if flags else 0
        self._depth = 0

    def parse(self) -> Node:
        if self._peek() == "^":
            self._at += 1
        root = self._alternatives()
        if self._peek() == ")":
            raise self._wrong("a `)` closes nothing")
        return root

    def _alternatives(self) -> Node:
        found = [self._row()]
        while self._peek() == "|":
            self._at += 1
            found.append(self._row())
        return Node("any", tuple(found)) if len(found) > 1 else found[0]

    def _row(self) -> Node:
        found = []
        while self._peek() not in ("", "|", ")"):
            if self._text[self._at :] == "$":
                self._at += 1
                break
            found.append(self._repeated(self._one()))
        return Node("all", tuple(found))

    def _repeated(self, one: Node) -> Node:
        char = self._peek()
        counted = _COUNTED.match(self._text, self._at) if char == "{" else None
        if counted:
            found = self._counted(one, counted)
            self._at = counted.end()
        elif char and char in "*+?":
            loop = Node("loop", (one,))
            found = {"+": loop, "*": _maybe(loop), "?": _maybe(one)}[char]
            self._at += 1
        else:
            return one
        if self._peek() == "?":  # as few as may be: the same texts, compared whole
            self._at += 1
        return found

    def _counted(self, one: Node, counted: re.Match[str]) -> Node:
        least, comma, most = counted.groups()
        low = int(least)
        high = low if not comma else int(most) if most else None
        if max(low, high or 0) > _COUNT or (high is not None and high < low):
            raise self._wrong(f"{counted[0]} is no count")
        if high is not None:
            return Node("all", (one,) * low + (_maybe(one),) * (high - low))
        loop = Node("loop", (one,))
        return Node("all", (one,) * (low - 1) + (loop,)) if low else _maybe(loop)

    def _one(self) -> Node:
        char = self._peek()
        if char == "(":
            return self._group()
        if char == "[":
            return self._listed()
        if char == "\\":
            return self._char(self._escape())
        if char in "*+?" or _COUNTED.match(self._text, self._at):
            raise self._wrong("nothing to repeat")
        if char in "^$":
            where = "beginning" if char == "^" else "end"
            raise self._wrong(f"`{char}` stands at the {where} only")
        self._at += 1
        return self._char("." if char == "." else re.escape(char))

    def _group(self) -> Node:
        begin = self._at
        named = _GROUP.match(self._text, begin)
        if not named and self._text.startswith("(?", begin):
            raise self._wrong(f"`{self._text[begin : begin + 3]}` is not taken")
        self._at = named.end() if named else begin + 1
        self._depth += 1
        if self._depth > _DEPTH:
            raise self._wrong(f"more than {_DEPTH} groups inside of each other")
        found = self._alternatives()
        self._depth -= 1
        if self._peek() != ")":
            raise self._wrong("a `(` is not closed", begin)
        self._at += 1
        return found

    def _escape(self) -> str:
        """As Python writes it: one character, or a class of them."""
        char = self._text[self._at + 1 : self._at + 2]
        if number := _HEX.match(self._text, self._at):
            self._at += 4
            return re.escape(chr(int(number[1], 16)))
        if char.lower() in _CLASSES:
            said = f"[{'^' if char.isupper() else ''}{_CLASSES[char.lower()]}]"
        elif char in _CONTROLS:
            said = re.escape(_CONTROLS[char])
        elif not char:
            raise self._wrong("a `\\` stands last")
        elif char.isalnum():
            known = "not in RE2" if char.isdigit() else "not taken"
            raise self._wrong(f"`\\{char}` is {known}")
        else:
            said = re.escape(char)
        self._at += 2
        return said

    def _listed(self) -> Node:
        begin = self._at
        self._at += 1
        negated = self._peek() == "^"
        self._at += negated
        said = [self._range()]  # a `]` that stands first is itself
        while self._peek() != "]":
            if not self._peek():
                raise self._wrong("a `[` is not closed", begin)
            said.append(self._range())
        self._at += 1
        return self._char(f"[{'^' if negated else ''}{''.join(said)}]")

    def _range(self) -> str:
        begin = self._at
        low = self._member()
        rest = self._text[self._at : self._at + 2]
        if low.startswith("[") or not rest.startswith("-") or rest in ("-", "-]"):
            return low.strip("[]") if low.startswith("[") else low
        self._at += 1
        high = self._member()
        if high.startswith("[") or _plain(high) < _plain(low):
            raise self._wrong(f"{self._text[begin : self._at]} is no range", begin)
        return f"{low}-{high}"

    def _member(self) -> str:
        char = self._peek()
        if not char:
            return ""
        if self._text.startswith("[:", self._at):
            raise self._wrong("`[:` is not taken")
        if char == "\\":
            named = self._text[self._at + 1 : self._at + 2]
            if named in ("D", "W", "S"):
                raise self._wrong(f"`\\{named}` is not taken inside of `[…]`")
            return self._escape()
        self._at += 1
        return re.escape(char)

    def _char(self, said: str) -> Node:
        flags = re.DOTALL | (re.IGNORECASE if self._ignores_case else 0)
        return Node("char", char=re.compile(said, flags))

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _wrong(self, message: str, at: int | None = None) -> RegexError:
        return RegexError(f"at {(self._at if at is None else at) + 1}: {message}")


def _maybe(node: Node) -> Node:
    return Node("any", (node, _NOTHING))


def _plain(escaped: str) -> str:
    return escaped[-1]
