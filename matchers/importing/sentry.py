"""Sentry's ownership rules → a starting rules file.

Spec: https://docs.sentry.io/product/issues/ownership-rules/ and `ownership/grammar.py` of
getsentry/sentry. A line is `type:pattern owner…`; the type is path, module, url or tags.NAME, and
path where there is none. Sentry's globs cross `/` and let case aside; what of that can be said in
CODEOWNERS patterns is, the rest is listed. `url` and `tags` look at the event, so they stand under
`rules:` in their order, and under `fallbacks:` for events without frames of ours.
"""

import itertools
import re

from matchers.errors import Origin
from matchers.importing.starting import Start
from matchers.patterns import PatternError, parse_pattern
from matchers.sources.owner_lines import Line, read_lines

_LINE = re.compile(
    r"""(?:(?P<type>path|module|url|codeowners|tags\.[^\s:"]+):)?
    (?P<pattern>"(?:\\.|[^"\\])*"|\S+)(?P<owners>(?:\s.*)?)""",
    re.VERBOSE,
)
_BRACES = re.compile(r"\{([^{}]*)\}")
_ONCE = {
    "path": "Sentry asks every frame, in-app or not, and lets case aside; here the in-app frame "
    "nearest the raise decides, and case counts. `strategy: sentry` comes nearer",
    "module": "Sentry asks every frame and lets case aside; here case counts",
    "url": "Sentry lets case aside; here case counts, and the query is left out",
}


def import_sentry(raw: bytes, file: str) -> Start:
    start = Start(file)
    said: set[str] = set()
    for line in read_lines(raw, file, start.site()):
        _rule(line, start, said)
    return start


def _rule(line: Line, start: Start, said: set[str]) -> None:
    found = _LINE.fullmatch(line.text)
    names = found["owners"].split() if found else []
    if found is None or not names:
        start.leave_out(line.origin, "no rule: `type:pattern owner…`")
        return
    kind = found["type"] or "path"
    if kind in _ONCE and kind not in said:
        said.add(kind)
        start.leave_out(line.origin, f"{kind}: {_ONCE[kind]}")
    conditions = _conditions(kind, _unquoted(found["pattern"]), line.origin, start)
    if conditions is None:
        return
    slugs = [start.team(name, name.removeprefix("#")) for name in names]
    rule = conditions | start.owners(list(dict.fromkeys(slugs)))
    start.rules.append(rule)
    if kind == "url" or kind.startswith("tags."):
        start.fallbacks.append(rule)


def _unquoted(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern[1:-1]) if pattern[0] == '"' else pattern


def _conditions(kind: str, pattern: str, origin: Origin, start: Start) -> dict[str, object] | None:
    if kind == "codeowners":
        start.leave_out(origin, "codeowners: import the CODEOWNERS file itself")
        return None
    if "[" in pattern:
        start.leave_out(origin, f'"{pattern}": there are no [ranges] here')
        return None
    globs = _without_braces(pattern)
    if not all(globs) or any(re.search(r"[{}]", glob) for glob in globs):
        start.leave_out(origin, f'"{pattern}": braces within braces, or nothing in them')
        return None
    if kind == "path":
        return _paths(globs, origin, start)
    name = kind.removeprefix("tags.")
    if name == kind:
        return {kind: _one(globs)}
    if name.startswith("user."):
        start.leave_out(origin, f"{kind}: Sentry looks into the user first; here at the tag alone")
    return {"tags": {name: _one(globs)}}


def _paths(globs: list[str], origin: Origin, start: Start) -> dict[str, object] | None:
    patterns = [_path(glob, origin, start) for glob in globs]
    try:
        for pattern in patterns:
            parse_pattern(pattern)
    except PatternError as error:
        start.leave_out(origin, str(error))
        return None
    return {"path": _one(patterns)}


def _one(texts: list[str]) -> str | list[str]:
    texts = list(dict.fromkeys(texts))
    return texts[0] if len(texts) == 1 else texts


def _without_braces(pattern: str) -> list[str]:
    """`{a,b}.py` → a.py, b.py."""
    pieces = _BRACES.split(pattern)  # what stands in braces is at odd places
    choices = [piece.split(",") if at % 2 else [piece] for at, piece in enumerate(pieces)]
    return ["".join(chosen) for chosen in itertools.islice(itertools.product(*choices), 100)]


def _path(glob: str, origin: Origin, start: Start) -> str:
    """A glob whose stars cross slashes, as a CODEOWNERS pattern.

    A star at an end of a segment crosses where `**` stands before or behind it. A star inside
    does not, nor does `?`: these are listed.
    """
    glob = re.sub(r"\*+", "*", glob.replace("\\", "/"))
    segments = glob.strip("/").split("/")
    if any("*" in segment[1:-1] for segment in segments) or "?" in glob:
        start.leave_out(origin, f'"{glob}": inside a name, `*` and `?` cross no `/` here')
    if "." not in segments[-1] and segments[-1][-1:] != "*":  # with a dot it is no directory
        said = f'"{glob}" is a file to Sentry; here all below such a directory too'
        start.leave_out(origin, said)
    if segments == ["*"]:
        return "*"
    crossing: list[str] = []
    for at, segment in enumerate(segments):
        if segment == "*":
            crossing += ["**"] if at == 0 else [""] if at == len(segments) - 1 else ["*", "**"]
            continue
        crossing += ["**", segment] if segment[0:1] == "*" else [segment]
        crossing += ["**"] if segment[-1:] == "*" and at < len(segments) - 1 else []
    text = re.sub(r"\*\*(/\*\*)+", "**", "/".join(crossing))
    if segments[0][:1] != "*":
        return f"/{text}"
    name = text.removeprefix("**/")
    return text if "/" in name[:-1] else name
