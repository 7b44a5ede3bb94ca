"""Of a list of files: what is owned, by whom, through which rule; and which rules do nothing.

A rule that asks for more (a function, an exception, an environment, …) owns no file for sure: it
is never counted as the owner, and nothing is called shadowed because of it.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from matchers.ruleset import Rule, Ruleset, always


class Owned(msgspec.Struct, frozen=True):
    path: str
    rule: Rule | None  # None: no rule owns it; one that is `unowned` leaves it so on purpose


class Shadowed(msgspec.Struct, frozen=True):
    """A rule that matches files, and wins none of them."""

    rule: Rule
    by: Rule  # the rule that beats it on most of its files
    files: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    files: tuple[Owned, ...]  # in the order given
    dead: tuple[Rule, ...]  # match no file
    shadowed: tuple[Shadowed, ...]

    @property
    def owned(self) -> int:
        return sum(1 for one in self.files if one.rule is not None and one.rule.owners)

    @property
    def on_purpose(self) -> int:
        """Files that a rule leaves unowned."""
        return sum(1 for one in self.files if one.rule is not None and one.rule.unowned)

    @property
    def share(self) -> float:
        """Percent of the files that are owned, those unowned on purpose left out; 100 for none."""
        asked = len(self.files) - self.on_purpose
        return 100 * self.owned / asked if asked else 100.0


def cover(paths: Iterable[str], ruleset: Ruleset) -> Coverage:
    """Paths are relative to the repository's root."""
    files: list[Owned] = []
    met: Counter[int] = Counter()  # files that a rule matches, by the rule's identity
    won: set[int] = set()
    beaten: dict[int, Counter[int]] = {}  # by which rules, on how many files
    for path in paths:
        winner: Rule | None = None
        for rule in ruleset.possible(path):  # the last rule first
            met[id(rule)] += 1
            if winner is None:
                won.add(id(rule))
                winner = rule if _is_certain(rule) else None
            else:
                beaten.setdefault(id(rule), Counter())[id(winner)] += 1
        files.append(Owned(path, winner))
    by_id = {id(rule): rule for rule in ruleset.rules}
    on_paths = [rule for rule in ruleset.rules if rule.paths]
    return Coverage(
        files=tuple(files),
        dead=tuple(rule for rule in on_paths if not met[id(rule)]),
        shadowed=tuple(
            Shadowed(rule, by_id[beaten[id(rule)].most_common(1)[0][0]], met[id(rule)])
            for rule in on_paths
            if met[id(rule)] and id(rule) not in won
        ),
    )


def _is_certain(rule: Rule) -> bool:
    """Whether it owns a file whatever the event and the call."""
    return rule.holds_for_event is always and not rule.asks_of_calls
