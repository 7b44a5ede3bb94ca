"""Silences: who is not told for a while, by the labels of what would be told. Pure.

Spec: https://prometheus.io/docs/alerting/latest/alertmanager/#silences
A silence is a list of matchers that must all hold, from `starts_at` until just before `ends_at`.
A label that an event does not have is "", as in Alertmanager. Matchers cost at most the length of a
label's value (VALUE) times what a pattern stands for: routers/regex.py.
Cases: tests/data/silences.yaml.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from matchers.event import Event
from matchers.ownership import Ownership
from routers.group import Group
from routers.notification import Severity
from routers.regex import compile_regex

VALUE = 2000  # characters of a label's value that are looked at
State = Literal["pending", "active", "expired"]


class Subject(msgspec.Struct, frozen=True):
    """What would be told, and to whom."""

    event: Event
    ownership: Ownership
    group: Group
    severity: Severity
    team: str | None = None  # that would be told; None: the receivers of what nobody owns


# What a matcher can name, and what it then is; "" where there is none.
LABELS: dict[str, Callable[[Subject], str | None]] = {
    "team": lambda it: it.team,
    "project": lambda it: it.event.project_slug or it.event.project,
    "environment": lambda it: it.event.environment,
    "level": lambda it: it.event.level,
    "severity": lambda it: it.severity,
    "feature": lambda it: it.ownership.rule.feature if it.ownership.rule else None,
    "criticality": lambda it: it.ownership.rule.criticality if it.ownership.rule else None,
    "step": lambda it: it.ownership.step,
    "rule_file": lambda it: it.ownership.rule.origin.file if it.ownership.rule else None,
    "exception": lambda it: it.event.exceptions[-1].type if it.event.exceptions else None,
    "title": lambda it: it.group.title,
    "culprit": lambda it: it.group.culprit,
    "group": lambda it: it.group.id,
    "logger": lambda it: it.event.logger,
    "transaction": lambda it: it.event.transaction,
    "release": lambda it: it.event.release,
    "platform": lambda it: it.event.platform,
    "server": lambda it: it.event.server_name,
}


class Matcher(msgspec.Struct, frozen=True, rename="camel"):
    """In JSON as Alertmanager has it: name, value, isRegex, isEqual."""

    name: str  # one of LABELS
    value: str
    is_regex: bool = False
    is_equal: bool = True  # False: it holds where the label is otherwise

    def holds(self, label: str) -> bool:
        same = compile_regex(self.value).fits(label) if self.is_regex else label == self.value
        return same is self.is_equal


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    id: str  # UUIDv7
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str

    def state(self, now: datetime) -> State:
        if now < self.starts_at:
            return "pending"
        return "active" if now < self.ends_at else "expired"

    def holds(self, subject: Subject) -> bool:
        return all(one.holds(_label(one.name, subject)) for one in self.matchers)


class Hidden(msgspec.Struct, frozen=True):
    """One silence that kept one team from being told of one event."""

    silence: str
    team: str | None


def hiding(silences: Sequence[Silence], subject: Subject, team: str | None) -> tuple[Hidden, ...]:
    """By which of these, all of them active, the team is not told; (): by none."""
    if not silences:
        return ()
    told = msgspec.structs.replace(subject, team=team)
    return tuple(Hidden(silence.id, team) for silence in silences if silence.holds(told))


def _label(name: str, subject: Subject) -> str:
    label = LABELS.get(name)  # None: kept by a version that knew more; as what is not there
    return (label(subject) or "" if label else "")[:VALUE]
