"""What a person does to a group: the one door for the API, the pages and Slack's buttons.

    ActError    it cannot be done as asked; holds every problem with its place

Each act, what it queues and its entry in the audit trail are one transaction. `by` is whoever did
it, in free text: "page", "api", "slack:U123 Jane". None: there is no such group.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from matchers.errors import did_you_mean
from matchers.event import Event
from matchers.ownership import Ownership
from matchers.text import clean
from routers import verdicts
from routers.group import Group, Until
from routers.notification import Notification
from routers.postable import LONGEST
from routers.route import route
from routers.rules import Rules
from service.incidents import close_incidents
from service.overview import recalled
from service.runtime import Runtime
from service.said import done_by
from service.store.audit import Audited
from service.store.rows import new_id
from service.store.transaction import Transaction

BY = 200  # characters of whoever did it
Change = Callable[[Group, datetime], Group]
# What follows from it in the same transaction: what was queued.
Follow = Callable[[Transaction, Group, datetime], list[Notification]]


class ActError(Exception):
    """problems: where (`team`, `until`; "": the whole), and what is wrong there."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{at}: {said}" if at else said for at, said in self.problems))


def resolve(house: Runtime, id: str, *, by: str, release: str | None = None) -> Group | None:  # noqa: A002
    """Dealt with: the incidents that were opened for it are closed.

    release: events of it, and of older ones, do not reopen it. None: any event does.
    """
    rules, fixed = house.rules.current(), clean(release)

    def close(tx: Transaction, group: Group, now: datetime) -> list[Notification]:
        return close_incidents(tx, group.id, rules, now=now)

    change = partial(verdicts.resolved, release=fixed)
    return _act(house, id, by, "resolve", {"release": fixed}, change, close)


def unresolve(house: Runtime, id: str, *, by: str) -> Group | None:  # noqa: A002
    """Take a resolve back, or an ignore."""
    return _act(house, id, by, "unresolve", {}, lambda group, _now: verdicts.unresolved(group))


def ignore(house: Runtime, id: str, *, by: str, until: Until) -> Group | None:  # noqa: A002
    """Nobody is told of it until then. Raises ActError where that can never be, or is past."""
    if problems := list(_mistakes(until, house)):
        raise ActError(problems)
    if until.moment is not None:
        until = msgspec.structs.replace(until, moment=until.moment.astimezone(UTC))
    said = msgspec.to_builtins(until)
    return _act(house, id, by, "ignore", said, partial(verdicts.ignored, until=until))


def assign(house: Runtime, id: str, team: str | None, *, by: str) -> Group | None:  # noqa: A002
    """Give it to a team, whoever the rules name; None or "": to whoever they name again.

    The team is told at once where others knew of it, or nobody did; others' incidents are closed.
    team: its slug or one of its aliases. Raises ActError where the rules know no such team.
    """
    rules = house.rules.current() or Rules.empty()
    slug, group = _known(rules, team) if team else None, house.store.group(id)
    if group is None:
        return None
    event, decided = house.store.evidence(group.id, group.last_event_id)
    ownership = recalled(decided) if decided else None
    owner = ownership.owner if ownership else group.team

    def hand_over(tx: Transaction, group: Group, now: datetime) -> list[Notification]:
        if event is None or ownership is None or group.moved_at != now:
            return []
        return _handed_over(tx, group, event, ownership, rules=rules, house=house, now=now)

    change = partial(verdicts.assigned, team=slug, decided=owner)
    return _act(house, id, by, "assign", {"team": slug}, change, hand_over)


def audited(now: datetime, by: str, act: str, subject: str, **detail: Any) -> Audited:
    return Audited(
        id=new_id(), at=now, by=clean(by, BY) or "", act=act, subject=subject, detail=detail
    )


def _act(
    house: Runtime,
    id: str,  # noqa: A002
    by: str,
    act: str,
    detail: dict[str, Any],
    change: Change,
    follow: Follow = lambda _tx, _group, _now: [],
) -> Group | None:
    now = house.clock()

    def work(tx: Transaction) -> tuple[Group | None, list[Notification]]:
        group = tx.groups.change(id, lambda group: change(group, now))
        if group is None:
            return None, []
        entry = audited(now, by, act, id, **detail)
        tx.audit(entry)
        tx.threads.revise(id, done_by(act, entry.by, **detail), now)
        queued = follow(tx, group, now)
        return tx.groups.by_id(id), queued

    group, queued = house.writer.run(work)
    for told in queued:
        house.telemetry.queued(told)
    return group


def _handed_over(
    tx: Transaction,
    group: Group,
    event: Event,
    decided: Ownership,
    *,
    rules: Rules,
    house: Runtime,
    now: datetime,
) -> list[Notification]:
    """By its newest event; in other environments its new team is told with the next one."""
    ownership = verdicts.given(decided, group, rules)
    keeps = ownership.told if ownership.assigned else ownership.owners or (None,)
    closed = close_incidents(tx, group.id, rules, now=now, kept_by=keeps, reason="owner_changed")
    routing = route(
        event,
        ownership,
        group,
        rules=rules,
        public_url=house.settings.base_url,
        now=now,
        silences=tx.silences(now),
        came=0,
    )
    told = [one for one in routing.notifications if one.reason in ("owner_changed", "first_seen")]
    if told:
        tx.groups.tell(group, routing.audiences)
    for one in told:
        tx.queue(one, now)
    return [*closed, *told]


def _known(rules: Rules, team: str) -> str:
    names = rules.ruleset.names
    if team not in names:
        raise ActError([("team", f'there is no team "{team[:100]}"{did_you_mean(team, names)}')])
    return names[team]


def _mistakes(until: Until, house: Runtime) -> Iterator[tuple[str, str]]:
    rules = house.rules.current() or Rules.empty()
    if until.moment is not None and until.moment <= house.clock():
        yield "until", "it is past"
    if until.moment is not None and until.moment - house.clock() > LONGEST:
        yield "until", "it is more than a year from now"
    if until.times is not None and until.times < 1:
        yield "times", "it is 1 at the least"
    if until.escalation and not rules.policy.notify.escalation:
        yield "escalation", "policy.notify.escalation names no threshold: it would never end"
