"""The sections of a rules file, before they are compiled: what can be used of them."""

import re

from matchers.sources.checker import Checker
from matchers.sources.document import Path
from matchers.sources.schema import SLUG, FileEntry, TeamEntry

_OPTIONS = ("strategy", "exceptions")


def check_file(checker: Checker) -> FileEntry:
    """The file's top level. A section that cannot be used is a problem; the others still count."""
    data = checker.document.data
    if not isinstance(data, dict):
        if not checker.problems:
            checker.problem((), "expected a rules file: `version: 1` and sections below it")
        return FileEntry(version=1)
    entry = checker.model(FileEntry, data, ())
    if entry is not None:
        return entry
    known = FileEntry.model_fields.keys() - {"version", *_OPTIONS}
    return FileEntry(version=1, **{key: data[key] for key in data if key in known})


def check_teams(entry: FileEntry, checker: Checker) -> dict[str, TeamEntry]:
    """Slug → team. A team with a mistake stays a team, so that its rules hold."""
    teams = {}
    for slug, value in checker.mapping(entry.teams, ("teams",)).items():
        path: Path = ("teams", slug)
        if not re.fullmatch(SLUG, slug):
            checker.problem(path, f'"{slug}" is no slug: letters, digits, . _ -', key=True)
        teams[slug] = checker.model(TeamEntry, value or {}, path) or TeamEntry()
    return teams
