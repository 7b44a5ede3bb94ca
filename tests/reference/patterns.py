"""The slow, obvious reference for `path:` patterns: each one alone, as one regular expression.

Spec: https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
A pattern with a slash before its end is anchored to the root; `*` and `?` stay inside a directory,
`**` does not; a directory owns all below it, but a trailing `/*` only its direct children.
Not in this dialect: `!`, `[ranges]`, `{braces}`, `\\#`. Cases: conformance/patterns.yaml.
"""

import re
from collections.abc import Callable

_ANY_DIRECTORIES = "(?:[^/]*/)*?"
_ESCAPED = re.compile(r"\\([^#])")


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    regex = re.compile(pattern_regex(pattern), re.DOTALL)
    return lambda path: regex.match(path) is not None


def pattern_regex(pattern: str) -> str:
    anchored = "/" in pattern[:-1]
    segments = pattern.strip("/").split("/") if pattern != "/" else []
    if not anchored and segments[0] != "**":
        segments.insert(0, "**")
    runs: list[list[str]] = [[]]
    for segment in segments:
        if segment == "**":
            runs.append([])
        else:
            runs[-1].append(_segment(segment))
    first, *rest = ["/".join(run) for run in runs]
    return _join(first, rest, _end(pattern))


def _join(first: str, rest: list[str], end: str) -> str:
    """`**` between two runs: the leftmost place of a run is never tried again, but for the last."""
    if not rest:
        return f"{first}{end}"
    head = f"{first}/" if first else ""
    *middle, last = rest
    jumps = "".join(f"(?>{_ANY_DIRECTORIES}{run}/)" for run in middle if run)
    tail = f"{_ANY_DIRECTORIES}{last}{end}" if last else ".+"
    return head + jumps + tail


def _end(pattern: str) -> str:
    if pattern.endswith("/"):
        return "/"
    return r"\Z" if pattern.endswith("/*") else r"(?:/|\Z)"


def _segment(segment: str) -> str:
    if segment == "*":
        return "[^/]+"
    literals: list[str] = []  # escaped characters stand aside while the stars are read

    def aside(escaped: re.Match[str]) -> str:
        literals.append(escaped[1])
        return f"\x00{len(literals) - 1}\x00"

    regex = glob_regex(_ESCAPED.sub(aside, segment), any_character="[^/]", any_run="[^/]*")
    return re.sub("\x00(\\d+)\x00", lambda at: re.escape(literals[int(at[1])]), regex)


def glob_regex(pattern: str, *, any_character: str, any_run: str) -> str:
    """The regular expression of one glob; `any_run` is what a star matches, greedily."""
    first, *rest = [_literal(piece, any_character) for piece in re.split(r"\*+", pattern)]
    if not rest:
        return first
    middle = "".join(f"(?>{any_run}?{piece})" for piece in rest[:-1])
    return f"{first}{middle}{any_run}{rest[-1]}"


def _literal(piece: str, any_character: str) -> str:
    return any_character.join(map(re.escape, piece.split("?")))
