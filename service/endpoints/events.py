"""The events that are kept, and which of them hold some words."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from service.endpoints.base import Admin, Cursor, Limit, plain
from service.store.search import EventFilter, Found

endpoints = APIRouter(prefix="/api/v1/events", tags=["events"])


@endpoints.get("")
def events(
    house: Admin,
    q: Annotated[str | None, Query(max_length=200, description="Words, in any order.")] = None,
    group: Annotated[str | None, Query(max_length=100)] = None,
    project: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """Those that were kept last first."""
    wanted = EventFilter(q=q, group=group, project=project)
    page = house.search_store.events(wanted, limit, cursor)
    return {"events": [event_json(one) for one in page.items], "next": page.next}


def event_json(found: Found) -> dict[str, Any]:
    return {
        "id": found.event.event_id,
        "group": found.group,
        "outcome": found.outcome,
        "event": plain(found.event),
        "ownership": found.decision,
    }
