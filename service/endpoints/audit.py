"""The audit trail: who did what to groups, silences, deliveries and rules, and when."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from service.endpoints.base import Admin, Cursor, Limit, plain

endpoints = APIRouter(prefix="/api/v1/audit", tags=["audit"])
Subject = Annotated[str | None, Query(max_length=100, description="The id it was done to.")]


@endpoints.get("")
def audit(
    house: Admin, subject: Subject = None, limit: Limit = 50, cursor: Cursor = None
) -> dict[str, Any]:
    """The newest first."""
    page = house.audit_store.page(limit, cursor, subject=subject)
    return {"audit": [plain(entry) for entry in page.items], "next": page.next}
