"""CODEOWNERS patterns in GitLab's dialect: File.fnmatch? with FNM_PATHNAME and FNM_DOTMATCH.

Spec: https://docs.gitlab.com/user/project/codeowners/advanced/#pattern-matching
A pattern that starts with no slash may start in any directory, even with a slash in its middle;
`dir` is a file of that name and nothing below it, `dir/` all that is below; `**` stands for
directories only before a slash, so `dir/**` is one level; `[ranges]` work, `{braces}` do not.
Asked of a path without its leading slash. Cases: conformance/patterns.yaml, its gitlab column.
"""

import re
from collections.abc import Iterator

from matchers.globs import compile_runs
from matchers.patterns import ANY_DIRECTORIES, Pattern, PatternError, Segment

_TOKEN = re.compile(
    r"""\\(?P<escaped>[^/]) | (?P<range>\[[!^]?(?:\\.|[^\]\\])*\]) | (?P<wild>\*+|\?)
    | (?P<slash>\\?/) | (?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
_RANGE_MEMBER = re.compile(r"(?:\\(.)|(.))(?:-(?:\\(.)|([^\]\\])))?", re.DOTALL)
_SPACE = re.compile(r"\\\s+")
_NOTHING = "(?!)"
_Token = tuple[str, str]  # what it is, and its text


def normal_gitlab_pattern(text: str) -> str:
    """As GitLab remembers it: two spellings of one pattern are one entry."""
    if text == "*":
        return "/**/*"
    text = _SPACE.sub(" ", text.replace("\\#", "#", 1) if text.startswith("\\#") else text)
    text = text if text.startswith("/") else f"/**/{text}"
    return f"{text}**/*" if text.endswith("/") else text


def parse_gitlab_pattern(text: str) -> Pattern:
    """Raises PatternError."""
    if not text.strip():
        raise PatternError("an empty pattern; `*` owns everything")
    *folders, last = _split(normal_gitlab_pattern(text)[1:])
    folders = [segment for at, segment in enumerate(folders) if not _repeats(folders, at)]
    if len(folders) and _is_deep(folders[-1]) and last == [("wild", "*")] and text[-1] == "/":
        return Pattern(tuple(map(_segment, folders[:-1])), "below")
    # a last `**` has no slash behind it, and is a `*` like any other
    return Pattern((*map(_segment, folders), _glob(last)), "leaf")


def _split(text: str) -> list[list[_Token]]:
    segments: list[list[_Token]] = [[]]
    for token in _TOKEN.finditer(text):
        kind = str(token.lastgroup)
        if kind == "slash":
            segments.append([])
        elif token[0] == "[":
            raise PatternError(r"a range that does not end matches nothing; a bracket is `\[`")
        else:
            segments[-1].append((kind, token[kind]))
    return segments


def _repeats(segments: list[list[_Token]], at: int) -> bool:
    return at > 0 and _is_deep(segments[at]) and _is_deep(segments[at - 1])


def _is_deep(segment: list[_Token]) -> bool:
    return segment == [("wild", ANY_DIRECTORIES)]


def _segment(tokens: list[_Token]) -> Segment:
    return ANY_DIRECTORIES if _is_deep(tokens) else _glob(tokens)


def _glob(tokens: list[_Token]) -> Segment:
    if any(kind == "range" for kind, _ in tokens):
        return compile_runs(_runs(tokens))
    return "".join(_plain(kind, text) for kind, text in tokens)


def _plain(kind: str, text: str) -> str:
    """As GitHub's dialect spells it."""
    if kind == "wild":
        return text[0]
    return f"\\{text}" if text in "*?\\" else text


def _runs(tokens: list[_Token]) -> Iterator[str]:
    run = ""
    for kind, text in tokens:
        if kind == "wild" and text != "?":
            yield run
            run = ""
        elif kind == "range":
            run += _range(text)
        else:
            run += "." if kind == "wild" else re.escape(text)
    yield run


def _range(text: str) -> str:
    """One character of the range, as Ruby has it: `[]` is none, `[!]` any."""
    inner = text[1:-1]
    negated = inner[:1] in ("!", "^")
    members = "".join(map(_member, _RANGE_MEMBER.finditer(inner[negated:])))
    if not members:
        return "." if negated else _NOTHING
    return f"[{'^' if negated else ''}{members}]"


def _member(found: re.Match[str]) -> str:
    first, last = found[1] or found[2], found[3] or found[4]
    if last is None:
        return re.escape(first)
    between = f"{re.escape(first)}-{re.escape(last)}" if first <= last else ""
    return f"{re.escape(first)}{re.escape(last)}{between}"  # backwards, `[z-a]` is its two ends
