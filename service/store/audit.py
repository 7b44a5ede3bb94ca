"""Who did what, and when: entered in the transaction that does it, read newest first."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, select

from service.store.paging import Page, decode, page
from service.store.rows import Row
from service.store.tables import AUDIT, from_us, to_us


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """One act of a person, or of a program in a person's name."""

    id: str  # UUIDv7
    at: datetime
    by: str  # as it was said: "page", "api", a name
    act: str  # resolve, ignore, unresolve, assign, silence, expire, retry, reload
    subject: str  # the id of the group, the silence, the delivery; "rules"
    detail: dict[str, Any]


class AuditStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, limit: int, cursor: str | None = None, *, subject: str | None = None) -> Page:
        """The newest first. Raises CursorError."""
        query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit + 1)
        if cursor:
            query = query.where(AUDIT.c.id < decode(cursor, tuple[str])[0])
        if subject is not None:
            query = query.where(AUDIT.c.subject == subject)
        with self._engine.begin() as connection:
            found = [_audited(row) for row in connection.execute(query).mappings()]
        return page(found, limit, lambda one: [one.id])


def audit_row(entry: Audited) -> dict[str, Any]:
    return msgspec.structs.asdict(entry) | {
        "at": to_us(entry.at),
        "detail": msgspec.json.encode(entry.detail),
    }


def _audited(row: Any) -> Audited:
    shown: Row = row
    return Audited(
        **{**shown, "at": from_us(shown["at"]), "detail": msgspec.json.decode(shown["detail"])}
    )
