"""A CODEOWNERS file → a starting rules file: a team for each owner, a rule for each line.

GitLab's sections add up, and its patterns mean something else: what has an equal here is
translated, the rest is listed. An entry `codeowners:` of `rules:` reads such a file as it is.
"""

import re

from matchers.gitlab_patterns import normal_gitlab_pattern
from matchers.importing.starting import Start
from matchers.sources.codeowners import read_entry
from matchers.sources.gitlab import Entry, Heading, read_entries
from matchers.sources.owner_lines import Dialect, read_lines

_STARS = re.compile(r"\*{2,}")
_RANGE = re.compile(r"(?<!\\)\[")


def import_codeowners(raw: bytes, file: str, dialect: Dialect) -> Start:
    start = Start(file)
    site = start.site()
    lines = read_lines(raw, file, site)
    if dialect == "gitlab":
        _gitlab(list(read_entries(lines, site)), file, start)
        return start
    for line in lines:
        entry = read_entry(line, dialect, site)
        if entry is not None:
            pattern, names = entry
            start.rules.append({"path": pattern} | _owners(names, start))
    return start


def _owners(names: list[str], start: Start) -> dict[str, object]:
    slugs = [start.team(name, *_called(name)) for name in names]
    return start.owners(list(dict.fromkeys(slugs)))


def _called(name: str) -> list[str]:
    """`@acme/payments` is best called payments; the rest as it stands."""
    return [name.rpartition("/")[2]] if "/" in name else []


def _gitlab(read: list[tuple[Entry, Heading]], file: str, start: Start) -> None:
    several = len({entry.section for entry, _ in read}) > 1
    entries: dict[tuple[int, str], Entry] = {}
    for entry, heading in read:
        if several and heading.line is not None:
            start.leave_out(heading.line.origin, _ADDS_UP.format(file=file))
        entries[entry.section, normal_gitlab_pattern(entry.pattern)] = entry
    start.left_out = list(dict.fromkeys(start.left_out))
    excluded = [entry for entry in entries.values() if entry.excludes]
    for entry in entries.values():
        if not entry.excludes and (pattern := _pattern(entry, start)):
            start.rules.append({"path": pattern} | _owners(list(entry.names), start))
    for entry in excluded:
        if several:
            said = "an exclusion of one section among several has no equal here"
            start.leave_out(entry.line.origin, said)
        elif pattern := _pattern(entry, start):  # last, for nothing wins over it
            start.rules.append({"path": pattern, "unowned": True})


_ADDS_UP = (
    "GitLab adds up the owners of all sections; here the last rule that matches decides. "
    "`- {{codeowners: {file}, dialect: gitlab}}` under `rules:` reads the file as it is"
)


def _pattern(entry: Entry, start: Start) -> str | None:
    """GitLab's pattern as GitHub spells it; None: there is no such."""
    origin = entry.line.origin
    text = entry.pattern[1:] if entry.pattern.startswith("\\#") else entry.pattern
    if _RANGE.search(text):
        start.leave_out(origin, f'"{text}": there are no [ranges] here')
        return None
    if not text.strip("/"):
        return "*"
    segments = text.replace("\\[", "[").replace("\\]", "]").split("/")
    last = len(segments) - 1
    segments = [
        segment if segment == "**" and at < last else _STARS.sub("*", segment)
        for at, segment in enumerate(segments)
    ]
    if segments[-1] not in ("", "*") and "." not in segments[-1]:  # with a dot it is no directory
        said = f'"{text}" is a file of that name to GitLab; here all below such a directory too'
        start.leave_out(origin, said)
    unanchored = segments[0] != "" and "/" in text[:-1] and segments[0] != "**"
    return "/".join(["**", *segments] if unanchored else segments)
