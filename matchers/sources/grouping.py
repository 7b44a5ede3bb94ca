"""`grouping:` of the rules file → entries, in their order. What has a mistake is left out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from matchers.kinds.base import Sight
from matchers.patterns import PatternError
from matchers.ruleset import GroupingEntry, always
from matchers.sources.checker import Checker
from matchers.sources.conditions import Conditions, holds_all, read_conditions, written
from matchers.sources.document import Path
from matchers.sources.schema import GroupingRule
from matchers.template import DEFAULT, Slot, Template, parse_template


def read_grouping(section: object, checker: Checker) -> Iterator[GroupingEntry]:
    for index, value in enumerate(checker.listing(section, ("grouping",))):
        path: Path = ("grouping", index)
        entry = checker.model(GroupingRule, value, path)
        if entry is None or checker.is_spoiled(path):
            continue
        before = len(checker.problems)
        read = _entry(entry, written(value) or "any event", path, checker)
        if len(checker.problems) == before:
            yield read


def _entry(entry: Any, text: str, path: Path, checker: Checker) -> GroupingEntry:
    if entry.fingerprint is None and entry.title is None:
        checker.problem(path, "write a `fingerprint`, a `title`, or both")
    conditions = read_conditions(entry, path, checker, frames="asked")
    fingerprint = [
        _part(part, (*path, "fingerprint", index), checker)
        for index, part in enumerate(entry.fingerprint or ())
    ]
    title = _template(entry.title, (*path, "title"), checker) if entry.title else None
    templates = [*fingerprint, *([title] if title else [])]
    return GroupingEntry(
        origin=checker.document.origin(path),
        text=text,
        fingerprint=tuple(fingerprint),
        title=title,
        holds_for_event=holds_all(conditions.event),
        holds_for_frames=_frames(conditions),
        tags=(*conditions.tags, *(tag for template in templates for tag in template.tags)),
    )


def _part(text: str, path: Path, checker: Checker) -> Template:
    part = _template(text, path, checker)
    if Slot(DEFAULT) in part.pieces and not part.is_default:
        checker.problem(path, "`{{ default }}` stands for many texts: write it as one of its own")
    return part


def _template(text: str, path: Path, checker: Checker) -> Template:
    try:
        return parse_template(text)
    except PatternError as error:
        checker.problem(path, str(error))
        return Template(())


def _frames(conditions: Conditions) -> Callable[[Sequence[Sight]], bool]:
    """One frame must fit all that is asked, and none what must not match."""
    if not conditions.frame and not conditions.not_frame:
        return always
    fits, refused = holds_all(conditions.frame), conditions.not_frame

    def holds(sights: Sequence[Sight]) -> bool:
        if conditions.frame and not any(map(fits, sights)):
            return False
        return not any(no(sight) for sight in sights for no in refused)

    return holds
