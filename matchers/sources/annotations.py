"""Owners named in the code itself, as code_ownership has them: in its first line, or beside it.

https://github.com/rubyatscale/code_ownership: a file's first line is `# @team Payments` (or in
another comment); a `.codeowner` file holds a team's name and owns its directory, the deepest wins.
Only first lines are looked at: a file that is no text simply has no annotation.
Cases: tests/matchers/test_annotations.py.
"""

import re
from collections.abc import Iterator

from matchers.errors import Origin
from matchers.patterns import below, exactly
from matchers.ruleset import Rule
from matchers.sources.base import Site, TreeError, within

NAME = ".codeowner"
LINE_LIMIT = 1024  # bytes; a longer first line is none of ours
_ANNOTATION = re.compile(
    r"(?:\#|//|--)[ \t]*@team[ \t]+(?P<plain>.*\S)\s*"
    r"|<!--[ \t]*@team[ \t]+(?P<markup>.*\S)\s*-->\s*"
    r"|<%\#[ \t]*@team[ \t]+(?P<template>.*?\S)\s*-?%>\s*"
)


def read_annotations(pattern: str, site: Site, origin: Origin) -> list[Rule]:
    """A rule for each file that fits and names its team in its first line."""
    return list(_annotated(site.files(pattern, origin), site))


def read_codeowner_files(folder: str, site: Site, origin: Origin) -> list[Rule]:
    """A rule for each `.codeowner` file in the folder and below, those further up first."""
    return list(_directories(site.named(NAME, within(site.folder, folder), origin), site))


def _annotated(paths: list[str], site: Site) -> Iterator[Rule]:
    for path in paths:
        try:
            line = _first_line(site.tree.read(path) or b"")
        except TreeError:
            continue  # a file as large as that is no code
        found = line and "@team" in line and _ANNOTATION.fullmatch(line)
        if not line or not found:
            continue
        name = found["plain"] or found["markup"] or found["template"]
        at = Origin(site.shown(path), 1, line.index(name, line.index("@team") + 5) + 1)
        if slug := site.slug(name, at):
            text = f"@team {name}"
            yield Rule(origin=at, text=text, owners=(slug,), paths=(exactly(path),))


def _directories(paths: list[str], site: Site) -> Iterator[Rule]:
    for path in paths:
        raw = site.read(path)
        if raw is None:
            continue
        at = Origin(site.shown(path), 1)
        name = (_first_line(raw) or "").strip()
        if not name:
            site.problem(at, "expected the name of a team in the first line")
        elif slug := site.slug(name, at):
            pattern = below(path.rpartition("/")[0])
            yield Rule(origin=at, text=f"path: {pattern}", owners=(slug,), paths=(pattern,))


def _first_line(raw: bytes) -> str | None:
    """None: it is no text, or longer than any annotation."""
    line, _, _ = raw[: LINE_LIMIT + 1].partition(b"\n")
    if len(line) > LINE_LIMIT:
        return None
    try:
        return line.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError:
        return None
