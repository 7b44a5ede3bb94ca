"""Which files change owner from one ruleset to another."""

from collections.abc import Iterable, Sequence

import msgspec

from matchers.coverage import cover
from matchers.ruleset import Rule, Ruleset

Owners = tuple[str, ...]  # the primary first; empty: nobody


class Change(msgspec.Struct, frozen=True):
    """Files that go the same way."""

    before: Owners
    after: Owners
    paths: tuple[str, ...]  # in the order given


def differ(paths: Sequence[str], before: Ruleset, after: Ruleset) -> list[Change]:
    """The largest change first. Rules that ask for an event besides own no file for sure."""
    changed: dict[tuple[Owners, Owners], list[str]] = {}
    for path, old, new in zip(paths, _owners(paths, before), _owners(paths, after), strict=True):
        if old != new:
            changed.setdefault((old, new), []).append(path)
    found = [Change(old, new, tuple(those)) for (old, new), those in changed.items()]
    return sorted(found, key=lambda one: (-len(one.paths), one.before, one.after))


def _owners(paths: Iterable[str], ruleset: Ruleset) -> list[Owners]:
    return [_of(one.rule) for one in cover(paths, ruleset).files]


def _of(rule: Rule | None) -> Owners:
    return rule.owners if rule else ()
