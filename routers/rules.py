"""The whole rules file: who decides (matchers) and who is told (teams, channels, policy)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from pydantic import TypeAdapter

from matchers.errors import Problem
from matchers.files import RepositoryFiles
from matchers.kinds.base import Text
from matchers.patterns import PatternError
from matchers.ruleset import Ruleset
from matchers.sources.base import Notes, Shown, Tree
from matchers.sources.bundle import Bundle, gather
from matchers.sources.cases import Case, read_cases
from matchers.sources.checker import Checker
from matchers.sources.document import Path
from matchers.sources.rules import compile_ruleset
from matchers.sources.schema import FileEntry, Strict
from matchers.visible import NOTHING, Visible, check_visible
from routers.channels import CHANNELS
from routers.channels.base import Channel
from routers.configured import Channels, Unconfigured
from routers.policy import Grading, Policy, grading
from routers.runbooks import runbook_of_team, runbooks_of_features
from routers.teams import Receiver, Team
from routers.times import NamedIntervals
from routers.wording import Wording

_TEXT: TypeAdapter[Any] = TypeAdapter(Text)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot of everything the rules file says. Swapped whole on reload."""

    ruleset: Ruleset
    teams: Mapping[str, Team] = {}
    channels: Mapping[str, Channel | Unconfigured] = {}
    wordings: Mapping[str, Wording] = {}  # by channel
    unowned: tuple[Receiver, ...] = ()
    runbooks: Mapping[str, str] = {}  # by feature
    policy: Policy = Policy()
    severity: Grading = Grading()  # how bad an event is, by the policy
    cases: tuple[Case, ...] = ()
    visible: Visible = NOTHING
    sequence: int = 0  # orders the revisions that a service has loaded

    @classmethod
    def empty(cls) -> "Rules":
        return cls(ruleset=Ruleset())

    @property
    def revision(self) -> str:
        return self.ruleset.revision

    def mode_of(self, team: str | None) -> str:
        """notify or observe: the team's own, else the policy's."""
        known = self.teams.get(team) if team else None
        return (known and known.mode) or self.policy.mode

    def receivers_of(self, team: str | None) -> tuple[Receiver, ...]:
        """Those of the team, of what nobody owns (None), or the fallback where it names none."""
        if team is None:
            return self.unowned
        known = self.teams.get(team)
        if known is None or known.receivers is None:
            return tuple(always(name) for name in self.policy.fallback_receivers)
        return known.receivers

    def opens_no_incident(self, channel: str) -> bool:
        """Whether it may be told what is no error: a digest."""
        known = self.channels.get(channel)
        kind = CHANNELS.get(known.kind) if isinstance(known, Unconfigured) else known
        return kind is not None and kind.merges


class Loaded(msgspec.Struct, frozen=True):
    """What loads, and every problem. With problems, `rules` lacks what they are about."""

    rules: Rules
    problems: tuple[Problem, ...]
    # By their paths in the tree: the rules files, then what else was read and is good.
    texts: Mapping[str, bytes]  # as they were read
    keepable: Mapping[str, bytes]  # without the secrets that they spell out
    files: tuple[str, ...] = ()  # the rules files' paths, the root's first
    team_files: tuple[str, ...] = ()  # what is included, as origins name it
    bad: frozenset[str] = frozenset()  # paths of what else was read and has problems
    lost: tuple[str, ...] = ()  # paths and globs that should find a file, and found none


class _UnownedEntry(Strict):
    receivers: Any = None


def load_rules(
    tree: Tree,
    path: str,
    environ: Mapping[str, str],
    *,
    shown: Shown = str,
    revision: str | None = None,
    files: RepositoryFiles | None = None,
    restrict_team_files: bool = False,
) -> Loaded:
    """Never raises: an unreadable file gives empty rules and the problems that say why.

    path: the root file's, in the tree.
    revision: None names it by the content of all files. files: the repository's, where known.
    """
    bundle = gather(tree, path, shown)
    ruleset = compile_ruleset(bundle, revision, files, restrict=restrict_team_files)
    channels = Channels(environ)
    for part in bundle.parts:
        channels.read(part.entry.channels, part.checker)
    root = bundle.root
    policy = _policy(root.entry, root.checker, channels, bundle.names)
    rules = Rules(
        ruleset=ruleset,
        teams=dict(_teams(bundle, channels)),
        runbooks=runbooks_of_features(bundle.parts),
        channels=channels.built,
        wordings=channels.wordings,
        unowned=_unowned(root.entry, root.checker, channels),
        policy=policy,
        severity=grading(policy.severity),
        visible=Visible(_visible(root.entry, root.checker)),
        cases=tuple(
            case
            for part in bundle.parts
            for case in read_cases(part.entry.tests, part.checker, bundle.names)
        ),
    )
    problems = tuple(sorted(set(bundle.problems())))
    bad = _bad(bundle.notes, problems, shown)
    beside = {path: raw for path, raw in bundle.notes.texts.items() if path not in bad}
    return Loaded(
        rules,
        problems,
        {part.path: part.raw for part in bundle.parts} | beside,
        {part.path: channels.keepable(part.checker) for part in bundle.parts} | beside,
        tuple(part.path for part in bundle.parts),
        tuple(shown(part.path) for part in bundle.parts[1:]),
        bad,
        tuple(bundle.notes.lost),
    )


def _bad(notes: Notes, problems: Iterable[Problem], shown: Shown) -> frozenset[str]:
    """Of what was read beside the rules files; a CODEOWNERS drops its bad lines itself."""
    named = {problem.origin.file for problem in problems}
    return frozenset(path for path in notes.texts.keys() - notes.by_line if shown(path) in named)


def _teams(bundle: Bundle, channels: Channels) -> Iterator[tuple[str, Team]]:
    seen: set[str] = set()
    for part in bundle.parts:
        for slug, team in part.teams.items():
            if slug not in seen:
                seen.add(slug)
                path: Path = ("teams", slug, "receivers")
                receivers = channels.receivers(team.receivers, path, part.checker)
                yield (
                    slug,
                    Team(
                        slug=slug,
                        name=team.name or slug,
                        aliases=tuple(team.aliases),
                        receivers=receivers,
                        mode=team.mode,
                        runbook=runbook_of_team(part, slug),
                        origin=part.checker.document.origin(("teams", slug), key=True),
                    ),
                )


def always(channel: str) -> Receiver:
    return Receiver(channel, lambda _situation: True)


def _unowned(entry: FileEntry, checker: Checker, channels: Channels) -> tuple[Receiver, ...]:
    if entry.unowned is None:
        return ()
    section = checker.model(_UnownedEntry, entry.unowned, ("unowned",))
    receivers = section and channels.receivers(section.receivers, ("unowned", "receivers"), checker)
    return receivers or ()


def _visible(entry: FileEntry, checker: Checker) -> Iterator[str]:
    for index, name in enumerate(checker.listing(entry.visible, ("visible",))):
        path: Path = ("visible", index)
        if checker.value(_TEXT, name, path) is None:
            continue
        try:
            check_visible(name)
        except PatternError as error:
            checker.problem(path, str(error))
        else:
            yield name


def _policy(
    entry: FileEntry, checker: Checker, channels: Channels, names: Mapping[str, str]
) -> Policy:
    path: Path = ("policy",)
    policy = checker.model(Policy, entry.policy or {}, path) or Policy()
    for index, name in enumerate(policy.fallback_receivers):
        channels.known(name, (*path, "fallback_receivers", index), checker)
    for index, source in enumerate(policy.source_went_quiet):
        if source.team not in names:
            place: Path = (*path, "source_went_quiet", index, "team")
            checker.unknown(place, source.team, "team", names)
    named: dict[str, NamedIntervals] = {}
    for index, intervals in enumerate(policy.mute_time_intervals):
        if intervals.name in named:
            said = f'another time interval is called "{intervals.name}" too'
            checker.problem((*path, "mute_time_intervals", index, "name"), said)
        named[intervals.name] = intervals
    channels.intervals = named
    return policy
