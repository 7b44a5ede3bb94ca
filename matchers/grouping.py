"""`grouping:` of the rules file: which entry names an event's group, and how.

The last entry that matches an event wins, whole. Its fingerprint stands in place of the SDK's own;
its title is the group's from when that is made.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from matchers.event import Event, one_line, title
from matchers.fingerprint import GROUPINGS, RECIPES, Grouping, Recipe, hashed, parts, told
from matchers.kinds.base import Sight
from matchers.paths import flags_are_believed
from matchers.ruleset import GroupingEntry, Ruleset
from matchers.template import Kind, Subject, Template


class Grouped(msgspec.Struct, frozen=True):
    fingerprints: tuple[str, ...]  # by each recipe, the newest first
    entry: GroupingEntry | None = None  # of the rules file, where one matches


def group_of(event: Event, ruleset: Ruleset, groupings: Sequence[Grouping] = GROUPINGS) -> Grouped:
    """Pure. The event is complete(). groupings: by which recipes, the newest first."""
    entry = _entry(event, ruleset) if ruleset.grouping else None
    known = told(event)
    subject = _subject(event, ruleset) if entry and entry.fingerprint else None

    def those(recipe: Recipe) -> Iterable[str]:
        usual = parts(known, recipe)
        return _chosen(entry.fingerprint, subject, usual, recipe) if entry and subject else usual

    return Grouped(tuple(hashed(those(RECIPES[one]), one) for one in groupings), entry)


def title_by(entry: GroupingEntry | None, event: Event, ruleset: Ruleset) -> str | None:
    """The entry's, of a masked event; None where it says nothing."""
    if entry is None or entry.title is None:
        return None
    said = entry.title.render(_subject(event, ruleset), _as_it_is, title(event))
    return one_line(said) or None


def _entry(event: Event, ruleset: Ruleset) -> GroupingEntry | None:
    sights: tuple[Sight, ...] | None = None
    for entry in reversed(ruleset.grouping):
        if not entry.holds_for_event(event):
            continue
        if entry.looks_at_frames and sights is None:
            sights = tuple(_ours(event, ruleset))
        if not entry.looks_at_frames or entry.holds_for_frames(sights or ()):
            return entry
    return None


def _ours(event: Event, ruleset: Ruleset) -> Iterator[Sight]:
    """In-app frames; those of what was thrown first, each stack from the raise outwards."""
    believe = flags_are_believed(event)
    for error in reversed(event.exceptions):
        for frame in reversed(error.frames):
            placed = ruleset.place(frame, event.platform, event.project, believe=believe)
            if placed.in_app:
                yield Sight(frame, placed.path)


def _subject(event: Event, ruleset: Ruleset) -> Subject:
    nearest = next(_ours(event, ruleset), None)
    return Subject(event, nearest.frame, nearest.path) if nearest else Subject(event)


def _chosen(
    fingerprint: Iterable[Template], subject: Subject, usual: Iterable[str], recipe: Recipe
) -> Iterator[str]:
    default = tuple(usual)
    for part in fingerprint:
        if part.is_default:
            yield from default
        else:
            yield part.render(subject, recipe.shown, "")


def _as_it_is(_kind: Kind, text: str) -> str:
    return text
