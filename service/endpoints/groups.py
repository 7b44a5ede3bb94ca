"""Groups: what is failing, whose it is, what was told."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from routers.group import Group
from service import acts
from service.endpoints.base import Admin, Cursor, Limit, found, plain
from service.endpoints.deliveries import delivery_json
from service.runtime import Runtime
from service.store.store import GroupFilter

endpoints = APIRouter(prefix="/api/v1/groups", tags=["groups"])


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
    """One group with its newest event, the decision on it, and what was told."""
    known = found(house.store.group(id), "group")
    newest = house.store.events_of(id, 1)
    deliveries = house.store.deliveries(50, group=id)
    return group_json(known, house) | {
        "event": plain(newest[0].event) if newest else None,
        "ownership": newest[0].decision if newest else None,
        "deliveries": [delivery_json(delivery) for delivery in deliveries.items],
    }


@endpoints.post("/{id}/resolve")
def resolve(house: Admin, id: str) -> dict[str, Any]:  # noqa: A002
    """Mark it as dealt with. Should it come again, whoever was told hears of a regression."""
    return group_json(found(acts.resolve(house, id, by="api"), "group"), house)


def group_json(group: Group, house: Runtime) -> dict[str, Any]:
    shown: dict[str, Any] = plain(group)
    return shown | {
        "project_name": project_name(group.project, house),
        "permalink": f"{house.settings.base_url}/groups/{group.id}",
    }


def project_name(number: str, house: Runtime) -> str:
    rules = house.rules.current()
    known = rules.ruleset.projects.get(number) if rules else None
    return known.slug if known else f"project {number}"
