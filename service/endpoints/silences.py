"""Silences, in the shape of Alertmanager's API.

Spec: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Request

from routers.postable import PostableSilence, read_silence
from service.acts import audited
from service.endpoints.base import Admin, By, Cursor, Limit, body_of, found, plain
from service.runtime import Runtime
from service.store.rows import new_id
from service.store.silences import KeptSilence
from service.store.transaction import Transaction

BODY_LIMIT = 2**20  # bytes
endpoints = APIRouter(prefix="/api/v1/silences", tags=["silences"])
_SCHEMA = PostableSilence.model_json_schema()
_SCHEMA["properties"]["matchers"]["items"] = _SCHEMA.pop("$defs")["PostableMatcher"]
_BODY = {"content": {"application/json": {"schema": _SCHEMA}}, "required": True}


async def posted(_house: Admin, request: Request) -> bytes:
    return await body_of(request, BODY_LIMIT)


@endpoints.get("")
def silences(
    house: Admin,
    state: Literal["active", "pending", "expired"] | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """Those that end last first, so the expired ones are at the end."""
    page = house.silence_store.page(limit, cursor, state=state, now=house.clock())
    return {"silences": [silence_json(one, house) for one in page.items], "next": page.next}


@endpoints.post("", openapi_extra={"requestBody": _BODY})
def silence(house: Admin, body: Annotated[bytes, Depends(posted)]) -> dict[str, str]:
    """Make a silence. With an `id` it takes the place of that one, which expires."""
    return {"silenceID": found(make_silence(house, body), "silence")}


@endpoints.delete("/{id}")
def expire(house: Admin, id: str, by: By = "api") -> dict[str, Any]:  # noqa: A002 the path's own word
    """End it now. One that has ended stays as it is."""
    return silence_json(found(expire_silence(house, id, by=by), "silence"), house)


def make_silence(house: Runtime, body: bytes) -> str | None:
    """Its id. None: there is none of the id that it is to replace. Raises SilenceError."""
    now = house.clock()
    silence, replaced = read_silence(body, id=new_id(), now=now)

    def work(tx: Transaction) -> str | None:
        if replaced is not None and tx.end_silence(replaced, now) is None:
            return None
        tx.put_silence(silence, now)
        said = {"comment": silence.comment, "replaces": replaced}
        tx.audit(audited(now, silence.created_by, "silence", silence.id, **said))
        return silence.id

    return house.writer.run(work)


def expire_silence(house: Runtime, id: str, *, by: str) -> KeptSilence | None:  # noqa: A002
    """As it then is. None: there is no such silence."""
    now = house.clock()

    def work(tx: Transaction) -> KeptSilence | None:
        ended = tx.end_silence(id, now)
        if ended is not None and ended.updated_at == now:  # else it had ended before
            tx.audit(audited(now, by, "expire", id))
        return ended

    return house.writer.run(work)


def silence_json(kept: KeptSilence, house: Runtime) -> dict[str, Any]:
    silence = kept.silence
    return {
        "id": silence.id,
        "status": {"state": silence.state(house.clock())},
        "matchers": [msgspec.to_builtins(one) for one in silence.matchers],
        "startsAt": plain(silence.starts_at),
        "endsAt": plain(silence.ends_at),
        "updatedAt": plain(kept.updated_at),
        "createdBy": silence.created_by,
        "comment": silence.comment,
        "hidden": kept.hidden,
        "hiddenAt": plain(kept.hidden_at),
    }
