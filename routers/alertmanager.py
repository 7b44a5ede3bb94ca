"""alertmanager.yml → a starting rules file: teams, their receivers, channels.

Spec: https://prometheus.io/docs/alerting/latest/configuration/
A route's team is the value of its label `team` or `owner`, else the receiver it leads to. Labels
`severity` and `environment` (or `env`) become `when:`, and so do its time intervals. Whatever else
a route asks has no place here, and is listed. Secrets are never copied: a `$NAME` stands for each.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError

from matchers.importing.starting import Start
from matchers.sources.document import Document, Path, read_document
from routers.alertmanager_channels import KINDS, channel_of
from routers.notification import Severity
from routers.times import NamedIntervals

_TEAM = ("team", "owner")
_WHERE = ("environment", "env")
_MATCHER = re.compile(r"""([\w:]+)\s*(=~|!=|!~|=)\s*("(?:\\.|[^"\\])*"|'[^']*'|[^,{}\s]+)""")
_ALTERNATIVES = re.compile(r"\^?\(?(?:\?:)?([\w.-]+(?:\|[\w.-]+)*)\)?\$?")
_NOT_HERE = ("group_by", "group_wait", "group_interval", "repeat_interval")
_DEFINED = ("time_intervals", "mute_time_intervals")  # the second is the older name
_INTERVALS = ("mute_time_intervals", "active_time_intervals")  # of a route
_FALLS_THROUGH = (
    "while it sleeps the team's other receivers are told; Alertmanager then tells nobody"
)
Asked = dict[str, list[str]]  # label → the values that it may have


def import_alertmanager(raw: bytes, file: str) -> Start:
    document = read_document(raw, file)
    importing = _Importing(document, Start(file))
    importing.start.left_out.extend(document.problems)
    root = document.data if isinstance(document.data, dict) else {}
    importing.receivers(root)
    importing.intervals(root)
    importing.routes(root)
    for key in root.keys() - {"global", "route", "receivers", *_DEFINED}:
        importing.leave_out((key,), f"`{key}` has no place here")
    return importing.start


class _Importing:
    def __init__(self, document: Document, start: Start) -> None:
        self.document = document
        self.start = start
        self.channels: dict[str, list[str]] = {}  # a receiver → its channels
        self.default: str | None = None  # the receiver of the root
        self.named: set[str] = set()  # time intervals

    def leave_out(self, path: Path, message: str) -> None:
        self.start.leave_out(self.document.origin(path, key=True), message)

    def receivers(self, root: dict[str, Any]) -> None:
        for at, receiver in enumerate(_mappings(root.get("receivers"))):
            name = str(receiver.get("name", f"receiver-{at + 1}"))
            self.channels[name] = []
            for key, configs in receiver.items():
                path: Path = ("receivers", at, key)
                if key in KINDS:
                    for number, config in enumerate(_mappings(configs)):
                        self._channel(name, key, config, (*path, number), root)
                elif key != "name":
                    self.leave_out(path, f"no channel is made of `{key}` of {name}")

    def _channel(
        self, receiver: str, key: str, config: dict[str, Any], path: Path, root: dict[str, Any]
    ) -> None:
        kind = KINDS[key]
        channel = self._name(f"{receiver}-{kind.name}")
        shared = root["global"] if isinstance(root.get("global"), dict) else {}
        secret = _worded(f"{channel}-{kind.noun}", "_").upper()
        made = channel_of(kind, config, shared, secret)
        if made is None:
            self.leave_out(path, f"no `{kind.theirs}`: no channel is made of it")
            return
        self.start.channels[channel] = {kind.name: made.settings}
        self.channels[receiver].append(channel)
        for setting in config.keys() - made.carried:
            self.leave_out((*path, setting), f"`{setting}` is not carried over to {channel}")

    def _name(self, wanted: str) -> str:
        """No two share one, even in upper case, as the names of secrets are."""
        taken = {name.upper() for name in (*self.start.channels, "log")}
        wanted = _worded(wanted, "-")
        names = itertools.chain([wanted], (f"{wanted}-{number}" for number in itertools.count(2)))
        return next(name for name in names if name.upper() not in taken)

    def intervals(self, root: dict[str, Any]) -> None:
        """Ours have the same form; only what it takes is carried over."""
        listed = [(key, at, one) for key in _DEFINED for at, one in enumerate(_listed(root, key))]
        for key, at, one in listed:
            try:
                name = NamedIntervals.model_validate(one).name
            except ValidationError as error:
                said = error.errors()[0]["msg"].removeprefix("Value error, ")
                self.leave_out((key, at), f"{said}: left out")
                continue
            if name in self.named:
                self.leave_out((key, at), f'another time interval is called "{name}": left out')
                continue
            self.named.add(name)
            self.start.policy.setdefault("mute_time_intervals", []).append(one)

    def routes(self, root: dict[str, Any]) -> None:
        route = root.get("route")
        if not isinstance(route, dict):
            return
        self.default = str(route.get("receiver", ""))
        self.start.unowned = [{"channel": name} for name in self.channels.get(self.default, [])]
        self._walk(route, ("route",), self.default, {})

    def _walk(self, route: dict[str, Any], path: Path, receiver: str, asked: Asked) -> None:
        """Children are asked before the route itself, as Alertmanager does."""
        receiver = str(route.get("receiver", receiver))
        asked = asked | self._asked(route, path)
        is_root = path == ("route",)
        for key in (*_NOT_HERE, *(_INTERVALS if is_root else ())):
            if key in route:
                self.leave_out((*path, key), f"`{key}` of a route has no place here")
        for at, child in enumerate(_mappings(route.get("routes"))):
            self._walk(child, (*path, "routes", at), receiver, asked)
        if not is_root:
            self._tell(
                receiver, asked, self._times(route, path), path, route.get("continue") is True
            )

    def _times(self, route: dict[str, Any], path: Path) -> dict[str, list[str]]:
        """A route's own: they are not handed down to its children."""
        times: dict[str, list[str]] = {}
        for key in _INTERVALS:
            for name in map(str, _listed(route, key)):
                if name in self.named:
                    times.setdefault(key, []).append(name)
                else:
                    self.leave_out((*path, key), f'no time interval "{name}"')
        return times

    def _tell(
        self, receiver: str, asked: Asked, times: dict[str, list[str]], path: Path, goes_on: bool
    ) -> None:
        named = [name for label in _TEAM for name in asked.get(label, ())]
        for label in asked.keys() - {*_TEAM, *_WHERE, "severity"}:
            self.leave_out(path, f"the label `{label}` has no place here: say it with a rule")
        if not named and receiver == self.default:
            self.leave_out(path, f"leads to {receiver} as everything does, and names no team")
            return
        when = self._when(asked, path)
        if when is None:
            return
        when |= times
        if times:
            self.leave_out(path, _FALLS_THROUGH)
        channels = self.channels.get(receiver, [])
        for name in named or [receiver]:
            team = self.start.teams[self.start.team(name)]
            for at, channel in enumerate(channels):
                more = {"continue": True} if goes_on or at < len(channels) - 1 else {}
                told = {"channel": channel} | ({"when": when} if when else {}) | more
                team["receivers"] = [*team.get("receivers", []), told]

    def _when(self, asked: Asked, path: Path) -> dict[str, Any] | None:
        """None: no alert here could be so."""
        when: dict[str, Any] = {}
        if "severity" in asked:
            ours = [one for one in asked["severity"] if one in get_args(Severity)]
            if len(ours) < len(asked["severity"]):
                known = ", ".join(get_args(Severity))
                self.leave_out(path, f"a severity is one of {known}; the others are left out")
            if not ours:
                return None
            when["severity"] = ours
        where = [value for label in _WHERE for value in asked.get(label, ())]
        return when | ({"environment": where} if where else {})

    def _asked(self, route: dict[str, Any], path: Path) -> Asked:
        asked: Asked = {}
        for label, operator, value in _matchers(route):
            one_of = _ALTERNATIVES.fullmatch(value) if operator == "=~" else None
            if operator == "=":
                asked[label] = [value]
            elif one_of:
                asked[label] = one_of[1].split("|")
            else:
                self.leave_out(path, f"`{label}{operator}{value}` has no place here")
        return asked


def _matchers(route: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, operator in (("match", "="), ("match_re", "=~")):
        pairs = route.get(key)
        for label, value in (pairs if isinstance(pairs, dict) else {}).items():
            yield label, operator, str(value)
    written = route.get("matchers")
    for text in written if isinstance(written, list) else [written] if written else []:
        for label, operator, value in _MATCHER.findall(str(text)):
            yield label, operator, value[1:-1] if value[0] in "\"'" else value


def _listed(mapping: dict[str, Any], key: str) -> list[Any]:
    value = mapping.get(key)
    return value if isinstance(value, list) else []


def _mappings(value: object) -> list[dict[str, Any]]:
    listed = value if isinstance(value, list) else []
    return [one if isinstance(one, dict) else {} for one in listed]


def _worded(text: str, between: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", between, text).strip(between) or "receiver"
