"""The doors for events: one endpoint, shared by every adapter in the table."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from matchers.event import Event
from matchers.text import clean
from matchers.visible import NOTHING
from service.auth import RefusedError, ingest_key
from service.endpoints.base import body_of, runtime
from service.ingest import ADAPTERS
from service.ingest import base as wire
from service.ingest.body import TooLargeError
from service.pipeline import Handled
from service.runtime import Runtime
from service.store.writer import StoreUnavailableError

LARGE = 256 * 1024  # bytes; what takes longer to read than other senders should wait
STATUSES = {"too_large": 413, "unsupported_media_type": 415}  # of what is refused; 400: the others


def ingest_endpoints() -> APIRouter:
    endpoints = APIRouter(tags=["ingest"])
    for adapter in ADAPTERS:
        for path in adapter.paths:
            endpoints.add_api_route(
                path, _door(adapter), methods=["POST"], name=adapter.name, summary=adapter.name
            )
            endpoints.add_api_route(
                path.rstrip("/") if path.endswith("/") else f"{path}/",
                _door(adapter),
                methods=["POST"],
                include_in_schema=False,
            )
    return endpoints


def _door(adapter: wire.Adapter) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        house = runtime(request)
        about = _about(request, house)

        def refuse(status: int, reason: str, detail: str) -> Response:
            house.telemetry.rejected(reason)
            return _respond(adapter.refuse(status, detail, about))

        try:
            return _respond(await _receive(adapter, request, about, house))
        except wire.InvalidEventError as error:
            return refuse(STATUSES.get(error.code, 400), error.code, str(error))
        except TooLargeError as error:
            return refuse(413, "too_large", str(error))
        except ClientDisconnect:  # nobody hears this; it is counted
            return refuse(400, "disconnected", "the body ended too early")
        except RefusedError as error:
            return refuse(error.status, "unauthorized", error.detail)
        except StoreUnavailableError:
            said = "store_unavailable: the event was not kept; send it again"
            return refuse(503, "store_unavailable", said)

    return receive


async def _receive(
    adapter: wire.Adapter, request: Request, about: wire.Request, house: Runtime
) -> wire.Answer:
    named = clean(request.path_params.get("project"), wire.PROJECT)
    key = ingest_key(request.headers, request.query_params)
    if key or not adapter.keyed_body:  # before a byte of the body is read
        about = msgspec.structs.replace(about, project=house.auth.project(key, named))
    body = await body_of(request)
    if len(body) > LARGE:
        parsed = await run_in_threadpool(adapter.parse, body, about)
    else:
        parsed = adapter.parse(body, about)
    project = house.auth.project(key or parsed.key, named)
    handled = await house.intake.take(
        _of_project(parsed, project, house),
        adapter.name,
        (project, key or parsed.key or ""),
        parsed.onward,
    )
    house.telemetry.dropped(adapter.name, sum(parsed.dropped.values()))
    for refused in parsed.problems:
        house.telemetry.rejected(refused.code)
    return adapter.reply(parsed, tuple(map(_said, handled)), about)


def _about(request: Request, house: Runtime) -> wire.Request:
    rules = house.rules.current()
    return wire.Request(
        content_type=request.headers.get("content-type", "").partition(";")[0].strip().lower(),
        project=clean(request.path_params.get("project"), wire.PROJECT) or "1",
        received_at=house.clock(),
        headers=request.headers,
        visible=rules.visible if rules else NOTHING,
    )


def _of_project(parsed: wire.Parsed, project: str, house: Runtime) -> Sequence[Event]:
    """A key is for one project: an event that names another goes to the key's all the same."""
    if not house.auth.has_keys:
        return parsed.events
    return [msgspec.structs.replace(event, project=project) for event in parsed.events]


def _respond(answer: wire.Answer) -> Response:
    headers = dict(answer.headers)
    if isinstance(answer.body, bytes):
        return Response(answer.body, answer.status, headers)
    return JSONResponse(answer.body, answer.status, headers)


def _said(handled: Handled) -> wire.Handled:
    ownership = handled.ownership
    return wire.Handled(
        id=handled.event_id,
        group=handled.group,
        owner=ownership.owner if ownership else None,
        step=ownership.step if ownership else None,
    )
