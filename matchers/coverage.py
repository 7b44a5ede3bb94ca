"""Of a list of files: what is owned, by whom, through which rule; and which rules do nothing.

A rule that asks for more (a function, an exception, an environment, …) owns no file for sure: it
is never counted as the owner, and nothing is called shadowed because of it.
A rule that stands for many, a tree of owners.yaml, counts as one.
"""

from collections import Counter
from collections.abc import Iterable, Set

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


class Contested(msgspec.Struct, frozen=True):
    """Paths that the rules of two team files claim."""

    winner: Rule  # of one file; for the first of the paths
    loser: Rule  # of the other
    paths: tuple[str, ...]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    files: tuple[Owned, ...]  # in the order given
    dead: tuple[Rule, ...]  # match no file
    shadowed: tuple[Shadowed, ...]
    contested: tuple[Contested, ...]  # by two team files, in the order they were met

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


def cover(paths: Iterable[str], ruleset: Ruleset, team_files: Set[str] = frozenset()) -> Coverage:
    """Paths are relative to the repository's root. team_files: as their rules' origins name them.

    Where a rule of no team file wins, what team files claim is settled, and not contested.
    """
    files: list[Owned] = []
    met: Counter[int] = Counter()  # files that a rule matches, by the rule's identity
    won: set[int] = set()
    contests = _Contests(team_files)
    beaten: dict[int, Counter[int]] = {}  # by which rules, on how many files
    for path in paths:
        winner: Rule | None = None
        losers: list[Rule] = []
        for rule in ruleset.possible(path):  # the last rule first
            counted = id(rule.within or rule)
            met[counted] += 1
            if winner is None:
                won.add(counted)
                winner = rule if _is_certain(rule) else None
            else:
                losers.append(rule)
                beaten.setdefault(counted, Counter())[id(winner.within or winner)] += 1
        files.append(Owned(path, winner))
        if winner is not None and winner.origin.file in team_files:
            contests.add(path, winner, losers)
    by_id = {id(rule): rule for rule in ruleset.rules}
    on_paths = [rule for rule in ruleset.rules if rule.paths or rule.resolve]
    return Coverage(
        files=tuple(files),
        dead=tuple(rule for rule in on_paths if not met[id(rule)]),
        shadowed=tuple(
            Shadowed(rule, by_id[beaten[id(rule)].most_common(1)[0][0]], met[id(rule)])
            for rule in on_paths
            if met[id(rule)] and id(rule) not in won
        ),
        contested=contests.found(),
    )


def owner_of(rule: Rule | None) -> str | None:
    """The primary owner; None: nobody's, on purpose or not."""
    return rule.owners[0] if rule and rule.owners else None


class _Contests:
    """What two team files claim, by the two."""

    def __init__(self, team_files: Set[str]) -> None:
        self._team_files = team_files
        self._rules: dict[tuple[str, str], tuple[Rule, Rule]] = {}  # of the first path
        self._paths: dict[tuple[str, str], list[str]] = {}

    def add(self, path: str, winner: Rule, losers: Iterable[Rule]) -> None:
        here = winner.origin.file
        others: dict[str, Rule] = {}
        for rule in losers:
            file = rule.origin.file
            if file != here and file in self._team_files and _is_certain(rule):
                others.setdefault(file, rule)
        for file, rule in others.items():
            self._rules.setdefault((here, file), (winner, rule))
            self._paths.setdefault((here, file), []).append(path)

    def found(self) -> tuple[Contested, ...]:
        return tuple(
            Contested(winner, loser, tuple(self._paths[files]))
            for files, (winner, loser) in self._rules.items()
        )


def _is_certain(rule: Rule) -> bool:
    """Whether it owns a file whatever the event and the call."""
    return rule.holds_for_event is always and not rule.asks_of_calls
