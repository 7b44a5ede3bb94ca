"""What a person does to a group: the one door for the API, the pages and Slack's buttons.

    ActError    it cannot be done as asked; holds every problem with its place

Each act and its entry in the audit trail are one transaction. `by` is whoever did it, in free
text: "page", "api", "slack:U123 Jane". None: there is no such group.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from matchers.errors import did_you_mean
from matchers.text import clean
from routers import verdicts
from routers.group import Group, Until
from service.runtime import Runtime
from service.store.audit import Audited
from service.store.rows import new_id
from service.store.transaction import Transaction

BY = 200  # characters of whoever did it


class ActError(Exception):
    """problems: where (`team`, `until`; "": the whole), and what is wrong there."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{at}: {said}" if at else said for at, said in self.problems))


def resolve(house: Runtime, id: str, *, by: str, release: str | None = None) -> Group | None:  # noqa: A002
    """Dealt with: incidents that were opened for it are closed.

    release: events of it, and of older ones, do not reopen it. None: any event does.
    """
    return _act(
        house,
        id,
        by,
        "resolve",
        {"release": release},
        lambda group, now: verdicts.resolved(group, now, release),
    )


def unresolve(house: Runtime, id: str, *, by: str) -> Group | None:  # noqa: A002
    """Take a resolve back, or an ignore."""
    return _act(house, id, by, "unresolve", {}, lambda group, _now: verdicts.unresolved(group))


def ignore(house: Runtime, id: str, *, by: str, until: Until) -> Group | None:  # noqa: A002
    """Nobody is told of it until then. Raises ActError where that can never be."""
    return _act(house, id, by, "ignore", {}, lambda group, now: verdicts.ignored(group, now, until))


def assign(house: Runtime, id: str, team: str | None, *, by: str) -> Group | None:  # noqa: A002
    """Give it to a team, whoever the rules name; None or "": to whoever they name again.

    team: its slug or one of its aliases. Raises ActError where the rules know no such team.
    """
    slug = _known(house, team) if team else None
    return _act(
        house,
        id,
        by,
        "assign",
        {"team": slug},
        lambda group, now: verdicts.assigned(group, now, slug, None),
    )


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
    change: Callable[[Group, datetime], Group],
) -> Group | None:
    now = house.clock()

    def work(tx: Transaction) -> Group | None:
        group = tx.groups.change(id, lambda group: change(group, now))
        if group is not None:
            tx.audit(audited(now, by, act, id, **detail))
        return group

    return house.writer.run(work)


def _known(house: Runtime, team: str) -> str:
    rules = house.rules.current()
    names = rules.ruleset.names if rules else {}
    if team not in names:
        raise ActError([("team", f'there is no team "{team[:100]}"{did_you_mean(team, names)}')])
    return names[team]
