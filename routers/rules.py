"""The whole rules file: who decides (matchers) and who is told (teams, channels, policy)."""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from pydantic import TypeAdapter

from matchers.errors import Problem
from matchers.files import RepositoryFiles
from matchers.kinds.base import Text
from matchers.patterns import PatternError
from matchers.ruleset import Ruleset
from matchers.sources.base import Shown, Tree
from matchers.sources.bundle import Bundle, gather
from matchers.sources.cases import Case, read_cases
from matchers.sources.checker import Checker
from matchers.sources.document import Path
from matchers.sources.rules import compile_ruleset
from matchers.sources.schema import FileEntry, Strict
from matchers.visible import NOTHING, Visible, check_visible
from routers.channels.base import Channel
from routers.configured import Channels, Unconfigured
from routers.policy import Policy
from routers.teams import Receiver, Team

_TEXT: TypeAdapter[Any] = TypeAdapter(Text)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot of everything the rules file says. Swapped whole on reload."""

    ruleset: Ruleset
    teams: Mapping[str, Team] = {}
    channels: Mapping[str, Channel | Unconfigured] = {}
    unowned: tuple[Receiver, ...] = ()
    policy: Policy = Policy()
    cases: tuple[Case, ...] = ()
    visible: Visible = NOTHING
    sequence: int = 0  # orders the revisions that a service has loaded

    @classmethod
    def empty(cls) -> "Rules":
        return cls(ruleset=Ruleset())

    @property
    def revision(self) -> str:
        return self.ruleset.revision

    def receivers_of(self, team: str | None) -> tuple[Receiver, ...]:
        """Those of the team, of what nobody owns (None), or the fallback where it names none."""
        if team is None:
            return self.unowned
        known = self.teams.get(team)
        if known is None or known.receivers is None:
            return tuple(always(name) for name in self.policy.fallback_receivers)
        return known.receivers


class Loaded(msgspec.Struct, frozen=True):
    """What loads, and every problem. With problems, `rules` lacks what they are about."""

    rules: Rules
    problems: tuple[Problem, ...]
    texts: Mapping[str, bytes]  # the files as they were read, by their paths in the tree
    keepable: Mapping[str, bytes]  # the files, by path, without the secrets that they spell out
    team_files: tuple[str, ...] = ()  # what is included, as origins name it


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
    revision = revision or _revision(bundle)
    ruleset = compile_ruleset(bundle, revision, files, restrict=restrict_team_files)
    channels = Channels(environ)
    for part in bundle.parts:
        channels.read(part.entry.channels, part.checker)
    root = bundle.root
    rules = Rules(
        ruleset=ruleset,
        teams=dict(_teams(bundle, channels)),
        channels=channels.built,
        unowned=_unowned(root.entry, root.checker, channels),
        policy=_policy(root.entry, root.checker, channels),
        visible=Visible(_visible(root.entry, root.checker)),
        cases=tuple(
            case
            for part in bundle.parts
            for case in read_cases(part.entry.tests, part.checker, bundle.names)
        ),
    )
    return Loaded(
        rules,
        tuple(sorted(set(bundle.problems()))),
        {part.path: part.raw for part in bundle.parts},
        {part.path: channels.keepable(part.checker) for part in bundle.parts},
        tuple(shown(part.path) for part in bundle.parts[1:]),
    )


def _revision(bundle: Bundle) -> str:
    digest = blake2b(digest_size=6)
    for part in bundle.parts:
        digest.update(b"%d:%s" % (len(part.raw), part.raw))
    return digest.hexdigest()


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
                        origin=part.checker.document.origin(("teams", slug), key=True),
                    ),
                )


def always(channel: str) -> Receiver:
    return Receiver(channel, lambda _severity, _environment: True)


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


def _policy(entry: FileEntry, checker: Checker, channels: Channels) -> Policy:
    path: Path = ("policy",)
    policy = checker.model(Policy, entry.policy or {}, path) or Policy()
    for index, name in enumerate(policy.fallback_receivers):
        channels.known(name, (*path, "fallback_receivers", index), checker)
    return policy
