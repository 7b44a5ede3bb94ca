"""The sections of a rules file, before they are compiled: what can be used of them."""

import re
from typing import Any

from pydantic import ValidationError

from matchers.sources.checker import Checker
from matchers.sources.document import Path
from matchers.sources.schema import SLUG, FileEntry, TeamEntry


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
    known = {key: data[key] for key in FileEntry.model_fields if key in data}
    return FileEntry(**_valid(known | {"version": 1}))


def _valid(sections: dict[str, Any]) -> dict[str, Any]:
    try:
        FileEntry.model_validate(sections)
    except ValidationError as error:
        mistaken = {detail["loc"][0] for detail in error.errors()}
        return {key: value for key, value in sections.items() if key not in mistaken}
    return sections


def check_teams(entry: FileEntry, checker: Checker) -> dict[str, TeamEntry]:
    """Slug → team. A team with a mistake stays a team, so that its rules hold."""
    teams = {}
    for slug, value in checker.mapping(entry.teams, ("teams",)).items():
        path: Path = ("teams", slug)
        if not re.fullmatch(SLUG, slug):
            checker.problem(path, f'"{slug}" is no slug: letters, digits, . _ -', key=True)
        teams[slug] = checker.model(TeamEntry, value or {}, path) or TeamEntry()
    return teams
