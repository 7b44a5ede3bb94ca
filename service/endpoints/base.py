"""What all endpoints share: the runtime, the admin's door, problem JSON.

Spec: https://www.rfc-editor.org/rfc/rfc9457
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import Depends, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response

from routers.rules import Rules
from service.acts import BY
from service.auth import COOKIE
from service.ingest.body import read_body
from service.ingest.limits import BODY
from service.runtime import Runtime

PROBLEM = "application/problem+json"
OURS = "internal_error: our own mistake; the log names it by this request's id"
Limit = Annotated[int, Query(ge=1, le=200, description="How many, at most.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]

By = Annotated[str, Query(min_length=1, max_length=BY, description="Who does it.")]


def runtime(request: Request) -> Runtime:
    found: Runtime = request.app.state.runtime
    return found


def admin(request: Request) -> Runtime:
    """The runtime, for whoever may look and act."""
    found = runtime(request)
    found.auth.admit(
        request.headers,
        request.cookies.get(COOKIE),
        changes=request.method not in ("GET", "HEAD"),
        csrf=request.headers.get("x-csrf-token"),
    )
    return found


Open = Annotated[Runtime, Depends(runtime)]
Admin = Annotated[Runtime, Depends(admin)]


def any_of(*media_types: str) -> dict[str, Any]:
    """A body as the OpenAPI document has it where the service reads it itself, and leniently."""
    return {"content": {kind: {"schema": {}} for kind in media_types}, "required": True}


async def body_of(
    request: Request, limit: int = BODY, enter: Callable[[], Awaitable[None]] | None = None
) -> bytes:
    """The framework would read a body of any size, and before it asks who sends it."""
    encoding = request.headers.get("content-encoding")
    return await read_body(request.stream(), encoding, limit=limit, enter=enter)


def rules_of(house: Runtime) -> Rules:
    rules = house.rules.current()
    if rules is None:
        raise HTTPException(503, "no rules have loaded yet; GET /api/v1/rules says why")
    return rules


def problem(status: int, detail: str, **more: Any) -> Response:
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail} | more
    return JSONResponse(body, status, media_type=PROBLEM)


def found(item: Any, noun: str) -> Any:
    if item is None:
        raise HTTPException(404, f"there is no such {noun}")
    return item


def plain(record: Any) -> Any:
    """A record as JSON values; moments in RFC 3339."""
    return msgspec.to_builtins(record)
