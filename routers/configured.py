"""Channels as the rules files configure them, and what names them."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import msgspec

from matchers.errors import did_you_mean
from matchers.sources.checker import Checker
from matchers.sources.document import Path
from routers.channels import CHANNELS
from routers.channels.base import Channel
from routers.secrets import UnsetError, is_reference, resolve
from routers.teams import Intervals, Receiver, ReceiverEntry, receiver
from routers.wording import KEYS, Wording, read_wording

LOG = "log"  # the channel that every rules file has: the console
NOT_KEPT = "$A_SECRET_WRITTEN_IN_THE_RULES_FILE_IS_NOT_KEPT"  # stands for it in the database


class Unconfigured(msgspec.Struct, frozen=True):
    """A channel whose secret is not set. Its alerts go to the fallback."""

    kind: str
    reason: str


class Channels:
    """Reads `channels:` of every file, and everything that names one. Channels first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.built: dict[str, Channel | Unconfigured] = {LOG: CHANNELS[LOG]()}
        self.wordings: dict[str, Wording] = {}
        self.named: set[str] = {LOG}
        self.intervals: Intervals = {}  # of the policy, which is read before any receivers
        self._spelled_out: dict[int, list[Path]] = {}  # secrets, by the checker of their file

    def read(self, section: object, checker: Checker) -> None:
        for name, value in checker.mapping(section, ("channels",)).items():
            path: Path = ("channels", name)
            if name in self.named - {LOG}:
                checker.problem(path, f'the channel "{name}" stands in another file', key=True)
                continue
            self.named.add(name)
            kinds = value.keys() - KEYS.keys() if isinstance(value, dict) else ()
            if len(kinds) != 1:
                said = f"expected one kind of channel: {', '.join(CHANNELS)}"
                checker.problem(path, said)
                continue
            (kind,) = kinds
            settings = value[kind]
            if kind not in CHANNELS:
                said = f'unknown kind of channel "{kind}"{did_you_mean(kind, CHANNELS)}'
                checker.problem((*path, kind), said, key=True)
                continue
            built = self._build(kind, settings, (*path, kind), checker)
            wording = read_wording(value, path, checker)
            if built is not None:
                self.built[name] = built
            if wording is not None:
                self.wordings[name] = wording

    def _build(
        self, kind: str, settings: object, path: Path, checker: Checker
    ) -> Channel | Unconfigured | None:
        model = CHANNELS[kind]
        written = checker.mapping(settings, path)
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        resolved = dict(written)
        unset: dict[str, str] = {}  # by key: why it is not known
        for key, value in written.items():
            try:
                resolved[key] = _resolved(value, self.environ)
            except UnsetError as error:
                unset[key] = str(error)
                del resolved[key]
            field = fields.get(key)
            if field and "SecretStr" in str(field.annotation):
                spelled_out = self._spelled_out.setdefault(id(checker), [])
                spelled_out.extend(_spelled_out(value, (*path, key)))
        built = checker.model(model, resolved, path, unsaid=unset)
        lacks = [*unset.values(), *_missing(model)]
        return Unconfigured(kind, "; ".join(lacks)) if lacks else built

    def receivers(
        self, section: object, path: Path, checker: Checker
    ) -> tuple[Receiver, ...] | None:
        if section is None:
            return None
        receivers = []
        for index, value in enumerate(checker.listing(section, path)):
            entry = checker.model(ReceiverEntry, value, (*path, index))
            here = (*path, index)
            if (
                entry is not None
                and self.known(entry.channel, (*here, "channel"), checker)
                and self._intervals_known(entry, here, checker)
            ):
                receivers.append(receiver(entry, self.intervals))
        return tuple(receivers)

    def _intervals_known(self, entry: ReceiverEntry, path: Path, checker: Checker) -> bool:
        known = True
        for key in ("active_time_intervals", "mute_time_intervals"):
            for name in (entry.when and getattr(entry.when, key)) or ():
                if name not in self.intervals:
                    checker.unknown((*path, "when", key), name, "time interval", self.intervals)
                    known = False
        return known

    def known(self, name: str, path: Path, checker: Checker) -> bool:
        if name not in self.named:
            checker.unknown(path, name, "channel", self.named)
        return name in self.named

    def keepable(self, checker: Checker) -> bytes:
        """The file's text, fit for the database."""
        document = checker.document
        text = document.text
        places = [document.places[path] for path in self._spelled_out.get(id(checker), ())]
        for place in sorted(places, key=lambda place: place.start, reverse=True):
            text = f'{text[: place.start]}"{NOT_KEPT}"{text[place.end :]}'
        return text.encode()


def _missing(model: type[Channel]) -> Iterator[str]:
    if model.needs and find_spec(model.needs) is None:
        yield f"the package {model.needs} is not installed: pip install 'pointsman[{model.needs}]'"


def _resolved(value: Any, environ: Mapping[str, str]) -> Any:
    """A text, or a list of texts. Raises UnsetError."""
    if isinstance(value, list):
        return [_resolved(one, environ) for one in value]
    return resolve(value, environ) if isinstance(value, str) else value


def _spelled_out(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _spelled_out(one, (*path, index))
    elif isinstance(value, str) and not is_reference(value):
        yield path
