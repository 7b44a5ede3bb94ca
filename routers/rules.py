"""The whole rules file: who decides (matchers) and who is told (teams, channels, policy)."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from matchers.errors import Problem, did_you_mean
from matchers.files import RepositoryFiles
from matchers.ruleset import Ruleset
from matchers.sources.cases import Case, read_cases
from matchers.sources.checker import Checker
from matchers.sources.document import Path, read_document
from matchers.sources.rules import check_file, check_teams, compile_ruleset, team_names
from matchers.sources.schema import FileEntry, Strict
from routers.channels import CHANNELS
from routers.channels.base import Channel
from routers.policy import Policy
from routers.secrets import UnsetError, is_reference, resolve
from routers.teams import Receiver, ReceiverEntry, Team, receiver

LOG = "log"  # the channel that every rules file has: the console
NOT_KEPT = "$A_SECRET_WRITTEN_IN_THE_RULES_FILE_IS_NOT_KEPT"  # stands for it in the database


class Unconfigured(msgspec.Struct, frozen=True):
    """A channel whose secret is not set. Its alerts go to the fallback."""

    kind: str
    reason: str


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot of everything the rules file says. Swapped whole on reload."""

    ruleset: Ruleset
    teams: Mapping[str, Team] = {}
    channels: Mapping[str, Channel | Unconfigured] = {}
    unowned: tuple[Receiver, ...] = ()
    policy: Policy = Policy()
    cases: tuple[Case, ...] = ()
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
    keepable: bytes  # the file, fit for the database: secrets that it spells out are replaced


class _UnownedEntry(Strict):
    receivers: Any = None


def load_rules(
    raw: bytes,
    file: str,
    environ: Mapping[str, str],
    *,
    revision: str | None = None,
    files: RepositoryFiles | None = None,
) -> Loaded:
    """Never raises: an unreadable file gives empty rules and the problems that say why.

    revision: None names it by the file's content. files: the repository's, where they are known.
    """
    document = read_document(raw, file)
    checker = Checker(document)
    entry = check_file(checker)
    team_entries = check_teams(entry, checker)
    names = team_names(team_entries, checker)
    revision = revision or blake2b(raw, digest_size=6).hexdigest()
    ruleset = compile_ruleset(entry, checker, names, revision, files)
    channels = _Channels(checker, environ)
    channels.read(entry.channels)
    rules = Rules(
        ruleset=ruleset,
        teams={
            slug: Team(
                slug=slug,
                name=team.name or slug,
                aliases=tuple(team.aliases),
                receivers=channels.receivers(team.receivers, ("teams", slug, "receivers")),
            )
            for slug, team in team_entries.items()
        },
        channels=channels.built,
        unowned=_unowned(entry, checker, channels),
        policy=_policy(entry, checker, channels),
        cases=tuple(read_cases(entry.tests, checker, names)),
    )
    return Loaded(rules, tuple(sorted(set(checker.problems))), channels.keepable())


def always(channel: str) -> Receiver:
    return Receiver(channel, lambda _severity, _environment: True)


class _Channels:
    """Reads `channels:`, and everything that names one."""

    def __init__(self, checker: Checker, environ: Mapping[str, str]) -> None:
        self.checker = checker
        self.environ = environ
        self.built: dict[str, Channel | Unconfigured] = {LOG: CHANNELS[LOG]()}
        self.named: set[str] = {LOG}
        self.literal_secrets: list[Path] = []

    def read(self, section: object) -> None:
        for name, value in self.checker.mapping(section, ("channels",)).items():
            path: Path = ("channels", name)
            self.named.add(name)
            if not isinstance(value, dict) or len(value) != 1:
                said = f"expected one kind of channel: {', '.join(CHANNELS)}"
                self.checker.problem(path, said)
                continue
            ((kind, settings),) = value.items()
            if kind not in CHANNELS:
                said = f'unknown kind of channel "{kind}"{did_you_mean(kind, CHANNELS)}'
                self.checker.problem((*path, kind), said, key=True)
                continue
            built = self._build(kind, settings, (*path, kind))
            if built is not None:
                self.built[name] = built

    def _build(self, kind: str, settings: object, path: Path) -> Channel | Unconfigured | None:
        model = CHANNELS[kind]
        written = self.checker.mapping(settings, path)
        resolved, unset = dict(written), []
        for key, value in written.items():
            if not isinstance(value, str):
                continue
            try:
                resolved[key] = resolve(value, self.environ)
            except UnsetError as error:
                unset.append(str(error))
                resolved[key] = "https://unset.invalid/"  # so that the other settings are checked
            field = model.model_fields.get(key)
            if field and "SecretStr" in str(field.annotation) and not is_reference(value):
                self.literal_secrets.append((*path, key))
        built = self.checker.model(model, resolved, path)
        return Unconfigured(kind, "; ".join(unset)) if unset and built else built

    def receivers(self, section: object, path: Path) -> tuple[Receiver, ...] | None:
        if section is None:
            return None
        receivers = []
        for index, value in enumerate(self.checker.listing(section, path)):
            entry = self.checker.model(ReceiverEntry, value, (*path, index))
            if entry is not None and self.known(entry.channel, (*path, index, "channel")):
                receivers.append(receiver(entry))
        return tuple(receivers)

    def known(self, name: str, path: Path) -> bool:
        if name not in self.named:
            self.checker.unknown(path, name, "channel", self.named)
        return name in self.named

    def keepable(self) -> bytes:
        document = self.checker.document
        text = document.text
        places = [document.places[path] for path in self.literal_secrets]
        for place in sorted(places, key=lambda place: place.start, reverse=True):
            text = f'{text[: place.start]}"{NOT_KEPT}"{text[place.end :]}'
        return text.encode()


def _unowned(entry: FileEntry, checker: Checker, channels: _Channels) -> tuple[Receiver, ...]:
    if entry.unowned is None:
        return ()
    section = checker.model(_UnownedEntry, entry.unowned, ("unowned",))
    receivers = section and channels.receivers(section.receivers, ("unowned", "receivers"))
    return receivers or ()


def _policy(entry: FileEntry, checker: Checker, channels: _Channels) -> Policy:
    path: Path = ("policy",)
    policy = checker.model(Policy, entry.policy or {}, path) or Policy()
    for index, name in enumerate(policy.fallback_receivers):
        channels.known(name, (*path, "fallback_receivers", index))
    return policy
