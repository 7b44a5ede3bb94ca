"""What `pointsman check` finds, beside mistakes: rules that do nothing, claims that clash, teams
that nobody reaches. A list, so that every way of showing it shows the same.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from matchers.coverage import Contested, Coverage, cover
from matchers.errors import Origin
from routers.configured import Unconfigured
from routers.rules import Loaded

EXAMPLES = 2
Kind = Literal[
    "problem",
    "unset_secret",
    "failed_test",
    "dead_rule",
    "shadowed_rule",
    "contested_paths",
    "no_receiver",
]
ERRORS: tuple[Kind, ...] = ("problem", "unset_secret", "failed_test")  # the others are warnings


class Finding(msgspec.Struct, frozen=True):
    kind: Kind
    origin: Origin | None  # None: of no one place
    message: str

    def __str__(self) -> str:
        if self.origin is None:
            return self.message
        return f"{self.origin.file}:{self.origin.line}:{self.origin.column}: {self.message}"


def problems(loaded: Loaded) -> list[Finding]:
    return [Finding("problem", one.origin, one.message) for one in loaded.problems]


def unset_secrets(loaded: Loaded) -> list[Finding]:
    return [
        Finding("unset_secret", None, f'channel "{name}": {channel.reason}')
        for name, channel in loaded.rules.channels.items()
        if isinstance(channel, Unconfigured)
    ]


def in_repository(loaded: Loaded) -> list[Finding]:
    """What only the repository's files show, in the order of places."""
    ruleset = loaded.rules.ruleset
    files = ruleset.files
    found = list(_teams(loaded))
    if files is not None:
        covered = cover(sorted(files.paths), ruleset, frozenset(loaded.team_files))
        found += [*_idle(covered), *map(_contested, covered.contested)]
    return sorted(found, key=lambda one: (one.origin or Origin("", 0), one.message))


def _idle(covered: Coverage) -> Iterator[Finding]:
    for rule in covered.dead:
        yield Finding("dead_rule", rule.origin, f"matches no file: {rule.text}")
    for one in covered.shadowed:
        said = (
            f"matches {_files(one.files)} and wins none: {one.rule.text}"
            f" — beaten by {one.by.origin}  {one.by.text}"
        )
        yield Finding("shadowed_rule", one.rule.origin, said)


def _contested(one: Contested) -> Finding:
    shown = ", ".join(one.paths[:EXAMPLES])
    more = ", …" if len(one.paths) > EXAMPLES else ""
    said = f"takes {_files(len(one.paths))} that {one.loser.origin} claims too: {shown}{more}"
    return Finding("contested_paths", one.winner.origin, said)


def _teams(loaded: Loaded) -> Iterator[Finding]:
    """`receivers: []` says on purpose that nobody is told."""
    for team in loaded.rules.teams.values():
        if team.receivers is None:
            fallback = ", ".join(loaded.rules.policy.fallback_receivers) or "nobody"
            said = f'the team "{team.slug}" names no receivers: {fallback} is told instead'
            yield Finding("no_receiver", team.origin, said)


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"
