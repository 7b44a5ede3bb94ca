"""The doors for events: one endpoint, shared by every adapter in the table."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import URL, QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from matchers.event import Event
from matchers.text import clean
from matchers.visible import NOTHING
from service.auth import RefusedError, ingest_key, sentry_keys
from service.endpoints.base import OURS, any_of, runtime
from service.endpoints.doors import Answered, Door
from service.ingest import ADAPTERS
from service.ingest import base as wire
from service.ingest.body import TooLargeError, receive_body
from service.ingest.limits import BODY, EVENT, LARGE, LARGE_BODY
from service.ingest.truncation import trimmed
from service.memory import trim
from service.origins import PREFLIGHT
from service.pipeline import Handled
from service.runtime import Runtime
from service.spool import SpoolFullError
from service.store.writer import StoreUnavailableError

LOG = logging.getLogger(__name__)
STATUSES = {"too_large": 413, "unsupported_media_type": 415}  # of what is refused; 400: the others


def doors(house: Runtime) -> list[tuple[str, Door]]:
    """By path template; of two that fit a path, the first."""
    return [
        (path, door)
        for adapter in ADAPTERS
        for door in [_door(adapter, house)]
        for path in _paths(adapter)
    ]


def ingest_endpoints() -> APIRouter:
    """The same for the OpenAPI document, and for browsers that ask first."""
    endpoints = APIRouter(tags=["ingest"])
    for adapter in ADAPTERS:
        for path in adapter.paths:
            endpoints.add_api_route(
                path,
                _behind,
                methods=["POST"],
                name=adapter.name,
                summary=adapter.name,
                openapi_extra={"requestBody": any_of(*adapter.takes)},
            )
        for path in _paths(adapter):
            endpoints.add_api_route(path, _preflight, methods=["OPTIONS"], include_in_schema=False)
    return endpoints


def _paths(adapter: wire.Adapter) -> list[str]:
    return [one for path in adapter.paths for one in (path, *_also(path, adapter))]


def _also(path: str, adapter: wire.Adapter) -> list[str]:
    """The path with or without its last slash; and behind a proxy that serves us below its own."""
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    return (
        [other, f"/{{prefix:path}}{path}", f"/{{prefix:path}}{other}"] if adapter.dsn else [other]
    )


async def _behind() -> Response:
    raise NotImplementedError("a door stands before this")


async def _preflight(request: Request) -> Response:
    """A browser asks whether a page may send what it is about to send."""
    origins, origin = runtime(request).origins, request.headers.get("origin")
    allowed = PREFLIGHT if origins.allow(origin) else {}
    return Response(status_code=204, headers={**origins.headers(origin), **allowed})


def _door(adapter: wire.Adapter, house: Runtime) -> Door:
    async def receive(scope: Scope, receive: Receive) -> Answered:
        headers = _headers(scope)
        answer = await _answer(adapter, Asked(scope, headers), receive, house)
        return _answered(answer, house.origins.headers(headers.get("origin")))

    return receive


class Asked(NamedTuple):
    """What a door knows of a request before its body."""

    scope: Scope
    headers: Mapping[str, str]

    @property
    def query(self) -> Mapping[str, str]:
        said = self.scope["query_string"]
        return QueryParams(said) if said else {}

    @property
    def project(self) -> str | None:
        return clean(self.scope["path_params"].get("project"), wire.PROJECT)


def _headers(scope: Scope) -> dict[str, str]:
    """By name, in lower case, decoded once: they are asked often. Of several the first counts."""
    return {
        name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"][::-1]
    }


async def _answer(
    adapter: wire.Adapter, asked: Asked, receive: Receive, house: Runtime
) -> wire.Answer:
    about = _about(asked, house)

    def refuse(status: int, reason: str, detail: str) -> wire.Answer:
        house.telemetry.rejected(reason)
        LOG.info("refused", extra={"adapter": adapter.name, "reason": reason})
        return adapter.refuse(status, detail, about)

    try:
        if not house.origins.allow(asked.headers.get("origin")):
            return refuse(403, "refused_origin", "pages of this origin may not send events")
        return await _receive(adapter, asked, about, receive, house)
    except wire.InvalidEventError as error:
        return refuse(STATUSES.get(error.code, 400), error.code, str(error))
    except TooLargeError as error:
        return refuse(413, "too_large", str(error))
    except ClientDisconnect:  # nobody hears this; it is counted
        return refuse(400, "disconnected", "the body ended too early")
    except RefusedError as error:
        return refuse(error.status, "unauthorized", error.detail)
    except SpoolFullError as error:
        said = f"spool_full: the database is away and the spool takes nothing: {error}"
        return refuse(503, "spool_full", said)
    except StoreUnavailableError:
        said = "store_unavailable: the event was not kept; send it again"
        return refuse(503, "store_unavailable", said)
    except Exception:  # whatever we did not think of
        LOG.exception("request_failed", extra={"adapter": adapter.name})
        return refuse(500, "internal_error", OURS)


async def _receive(
    adapter: wire.Adapter, asked: Asked, about: wire.Request, receive: Receive, house: Runtime
) -> wire.Answer:
    key = ingest_key(about.headers, asked.query)
    if adapter.genuine:
        house.auth.expect_signed()
    elif key or not adapter.keyed_body:  # before a byte of the body is read
        project = _project(adapter, asked, house, key)
        if project != about.project:
            about = msgspec.structs.replace(about, project=project)
    with house.hall.door() as enter:
        limit = BODY if key or not house.auth.has_keys else LARGE_BODY
        encoding = about.headers.get("content-encoding")
        body = await receive_body(receive, encoding, limit=limit, enter=enter)
        if adapter.genuine:
            house.auth.admit_signed(adapter.genuine, about.headers, body)
        parsed = await _parse(adapter, body, about, house)
        del body  # what it holds may be as large again, until it is committed
        events: Sequence[Event] = parsed.events
        sender = (about.project, adapter.name)
        if not adapter.genuine:
            project = _project(adapter, asked, house, key, parsed.key)
            events, sender = _of_project(parsed, project, house), (project, key or parsed.key or "")
        handled = await house.take(events, adapter.name, sender, parsed.onward)
    if parsed.dropped:
        house.telemetry.dropped(adapter.name, sum(parsed.dropped.values()))
        house.telemetry.discarded(parsed.lost)
    for refused in parsed.problems:
        house.telemetry.rejected(refused.code)
    return adapter.reply(parsed, tuple(map(_said, handled)), about)


async def _parse(
    adapter: wire.Adapter, body: bytes, about: wire.Request, house: Runtime
) -> wire.Parsed:
    if len(body) <= LARGE:
        return adapter.parse(body, about)
    async with house.hall.reading:
        # not run_in_threadpool: its thread keeps what was raised, and so the body, for long
        return await asyncio.to_thread(_trimmed, adapter, body, about)


def _trimmed(adapter: wire.Adapter, body: bytes, about: wire.Request) -> wire.Parsed:
    if len(body) <= EVENT:
        return adapter.parse(body, about)
    trim()  # what the one before left
    parsed = adapter.parse(body, about)
    return msgspec.structs.replace(parsed, events=tuple(map(trimmed, parsed.events)))


def _project(
    adapter: wire.Adapter,
    asked: Asked,
    house: Runtime,
    key: str | None,
    in_body: str | None = None,
) -> str:
    """The project that the key may send to. Raises RefusedError."""
    named = asked.project
    if not adapter.dsn:
        return house.auth.project(key or in_body, named)
    try:
        if house.auth.has_keys and len(_keys(asked, in_body)) > 1:
            raise RefusedError(403, "header, query and envelope name different keys")
        return house.auth.project(key or in_body, named)
    except RefusedError as error:
        dsn = _dsn(asked.scope, key or in_body, named)
        raise RefusedError(error.status, f"{error.detail}. As it came: {dsn}") from None


def _keys(asked: Asked, in_body: str | None) -> set[str]:
    """All that a Sentry SDK named."""
    said = sentry_keys(asked.headers, asked.query)
    return said | {in_body} if in_body else said


def _dsn(scope: Scope, key: str | None, project: str | None) -> str:
    """What the sender's DSN must have been, for whoever has to find what is wrong with it."""
    shown = f"{key[: min(4, len(key) // 2)]}..." if key else "(no key)"
    prefix, url = scope["path_params"].get("prefix", "").strip("/"), URL(scope=scope)
    place = "/".join(filter(None, (url.netloc, prefix, project)))
    return clean(f"{url.scheme}://{shown}@{place}") or ""


def _about(asked: Asked, house: Runtime) -> wire.Request:
    rules = house.rules.current()
    return wire.Request(
        content_type=asked.headers.get("content-type", "").partition(";")[0].strip().lower(),
        project=asked.project or "1",
        received_at=house.clock(),
        headers=asked.headers,
        visible=rules.visible if rules else NOTHING,
        wants_all=house.forwarder is not None,
        rate_limits=house.rate_limits(),
    )


def _of_project(parsed: wire.Parsed, project: str, house: Runtime) -> Sequence[Event]:
    """A key is for one project: an event that names another goes to the key's all the same."""
    if not house.auth.has_keys or all(event.project == project for event in parsed.events):
        return parsed.events
    return [msgspec.structs.replace(event, project=project) for event in parsed.events]


def _answered(answer: wire.Answer, for_browsers: Mapping[str, str]) -> Answered:
    if isinstance(answer.body, bytes):
        return Answered(answer.status, {**for_browsers, **answer.headers}, answer.body)
    headers = {"Content-Type": "application/json", **for_browsers, **answer.headers}
    return Answered(answer.status, headers, msgspec.json.encode(answer.body))


def _said(handled: Handled) -> wire.Handled:
    ownership = handled.ownership
    return wire.Handled(
        id=handled.event_id,
        group=handled.group,
        owner=ownership.owner if ownership else None,
        step=ownership.step if ownership else None,
    )
