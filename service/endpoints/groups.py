"""Groups: what is failing, whose it is, what was told; and what people do about them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from routers.group import Group, Until
from service import acts
from service.asked import (
    ASSIGN,
    IGNORE,
    RESOLVE,
    UNRESOLVE,
    Assigning,
    Ignoring,
    Resolving,
    Said,
    read_asked,
)
from service.endpoints.base import Admin, Cursor, Limit, body_of, found, plain
from service.endpoints.deliveries import delivery_json
from service.explain import permanent
from service.runtime import Runtime
from service.store.store import GroupFilter, Kept

BODY_LIMIT = 2**16  # bytes
endpoints = APIRouter(prefix="/api/v1/groups", tags=["groups"])


async def posted(_house: Admin, request: Request) -> bytes:
    return await body_of(request, BODY_LIMIT)


Body = Annotated[bytes, Depends(posted)]


@endpoints.get("")
def groups(
    house: Admin,
    team: str | None = None,
    status: Literal["unresolved", "resolved", "ignored"] | None = None,
    environment: str | None = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The most recently seen first."""
    wanted = GroupFilter(team=team, status=status, environment=environment, q=q)
    page = house.store.groups(wanted, limit, cursor)
    return {"groups": [group_json(group, house) for group in page.items], "next": page.next}


@endpoints.get("/{id}")
def group(house: Admin, id: str) -> dict[str, Any]:  # noqa: A002 the path's own word
    """One group with its newest event that is kept, the decision on it, and what was told."""
    known = found(house.store.group(id), "group")
    newest = next(iter(house.store.events_of(id, 1)), None)
    deliveries = house.store.deliveries(50, group=id)
    return group_json(known, house) | {
        "event": plain(newest.event) if newest else None,
        "events_kept": house.store.bodies_of(id),
        "ownership": newest.decision if newest else None,
        "permanent": entry_for(known, newest, house),
        "deliveries": [delivery_json(delivery) for delivery in deliveries.items],
    }


@endpoints.post("/{id}/resolve", openapi_extra=RESOLVE)
def resolve(house: Admin, id: str, body: Body) -> dict[str, Any]:  # noqa: A002
    """Dealt with. Should it come again, in a newer release where one is named, it is told again."""
    asked = read_asked(body, Resolving)
    release = asked.release
    if asked.newest_release:
        release = _newest_release(house, found(house.store.group(id), "group"))
    return _answer(acts.resolve(house, id, by=asked.by, release=release), house)


@endpoints.post("/{id}/ignore", openapi_extra=IGNORE)
def ignore(house: Admin, id: str, body: Body) -> dict[str, Any]:  # noqa: A002
    """Nobody is told of it: until a moment, so many times, an escalation; or for ever."""
    asked = read_asked(body, Ignoring)
    until = Until(moment=asked.until, times=asked.times, escalation=asked.escalation)
    return _answer(acts.ignore(house, id, by=asked.by, until=until), house)


@endpoints.post("/{id}/unresolve", openapi_extra=UNRESOLVE)
def unresolve(house: Admin, id: str, body: Body) -> dict[str, Any]:  # noqa: A002
    """Take a resolve back, or an ignore."""
    return _answer(acts.unresolve(house, id, by=read_asked(body, Said).by), house)


@endpoints.post("/{id}/assign", openapi_extra=ASSIGN)
def assign(house: Admin, id: str, body: Body) -> dict[str, Any]:  # noqa: A002
    """Give it to a team, whoever the rules name; to null: to whoever they name again."""
    asked = read_asked(body, Assigning)
    return _answer(acts.assign(house, id, asked.team, by=asked.by), house)


def group_json(group: Group, house: Runtime) -> dict[str, Any]:
    shown: dict[str, Any] = plain(group)
    return shown | {
        "project_name": project_name(group.project, house),
        "permalink": f"{house.settings.base_url}/groups/{group.id}",
    }


def entry_for(group: Group, newest: Kept | None, house: Runtime) -> dict[str, Any] | None:
    """The entry in the rules that would do what its assignment does; None: there is none to do."""
    rules = house.rules.current()
    if rules is None or newest is None:
        return None
    team = rules.ruleset.names.get(group.assigned or "")
    return permanent(newest.event, rules, team) if team else None


def project_name(number: str, house: Runtime) -> str:
    rules = house.rules.current()
    known = rules.ruleset.projects.get(number) if rules else None
    return known.slug if known else f"project {number}"


def _answer(changed: Group | None, house: Runtime) -> dict[str, Any]:
    group: Group = found(changed, "group")
    newest = next(iter(house.store.events_of(group.id, 1)), None) if group.assigned else None
    return group_json(group, house) | {"permanent": entry_for(group, newest, house)}


def _newest_release(house: Runtime, group: Group) -> str:
    newest = house.writer.run(lambda tx: tx.releases.newest(group.project))
    if newest is None:
        raise acts.ActError([("newest_release", "no event of its project named a release")])
    return newest
