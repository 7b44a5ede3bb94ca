"""create_app(runtime): the HTTP face. Importing it starts nothing."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from routers.postable import SilenceError
from service.acts import ActError
from service.auth import RefusedError
from service.endpoints import (
    artifacts,
    audit,
    deliveries,
    events,
    group_pages,
    groups,
    health,
    hooks,
    operations,
    ownership,
    pages,
    rules,
    silence_pages,
    silences,
    slack,
)
from service.endpoints.base import OURS, problem
from service.endpoints.doors import Doors
from service.endpoints.ingest import STATUSES, doors, ingest_endpoints
from service.endpoints.requests import Requests
from service.ingest.base import InvalidEventError
from service.ingest.body import TooLargeError
from service.runtime import Runtime
from service.store.database import reason
from service.store.paging import CursorError
from service.store.writer import StoreUnavailableError

LOG = logging.getLogger(__name__)
_STATIC = Path(__file__).parent / "static"


class _App(FastAPI):
    """With doors that stand before all that FastAPI does for other requests."""

    def __init__(self, doors: Doors, **said: Any) -> None:
        super().__init__(**said)
        self._requests = Requests(super().__call__, doors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._requests(scope, receive, send)


def create_app(runtime: Runtime) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        runtime.start()
        yield
        runtime.stop()

    said = {"title": "Pointsman", "version": "1", "docs_url": None, "redoc_url": None}
    app = _App(Doors(doors(runtime)), lifespan=lifespan, **said)
    app.state.runtime = runtime
    app.include_router(ingest_endpoints())
    rooms = (
        ownership,
        groups,
        events,
        silences,
        deliveries,
        audit,
        operations,
        rules,
        artifacts,
        health,
    )
    for room in rooms:
        app.include_router(room.endpoints)
    for room in (hooks, slack):
        app.include_router(room.endpoints)
    for room in (pages, group_pages, silence_pages):
        app.include_router(room.endpoints)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_api_route("/docs", _docs, include_in_schema=False)
    _answer_errors(app)
    return app


def _docs() -> HTMLResponse:
    """Swagger UI, from here: it works without the internet."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Pointsman: API",
        swagger_js_url="/static/swagger-ui-bundle.js",
        swagger_css_url="/static/swagger-ui.css",
        swagger_favicon_url="/static/favicon.svg",
    )


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return _shown(request, error.status_code, str(error.detail))

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> Response:
        if error.status == 401 and pages.wants_page(request):
            return pages.to_log_in(request)
        return _shown(request, error.status, error.detail)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        where = [
            {"place": ".".join(map(str, one["loc"])), "detail": one["msg"]}
            for one in error.errors()
        ]
        said = "; ".join(f"{one['place']}: {one['detail']}" for one in where)
        return _shown(request, 422, said, errors=where)

    @app.exception_handler(SilenceError)
    async def no_silence(request: Request, error: SilenceError) -> Response:
        where = [{"place": place, "detail": said} for place, said in error.problems]
        return _shown(request, 422, str(error), errors=where)

    @app.exception_handler(ActError)
    async def no_act(request: Request, error: ActError) -> Response:
        where = [{"place": place, "detail": said} for place, said in error.problems]
        return _shown(request, 422, str(error), errors=where)

    @app.exception_handler(InvalidEventError)
    async def no_event(_request: Request, error: InvalidEventError) -> Response:
        return problem(STATUSES.get(error.code, 400), str(error), code=error.code)

    @app.exception_handler(TooLargeError)
    async def too_large(_request: Request, error: TooLargeError) -> Response:
        return problem(413, str(error))

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return problem(400, "the body ended too early")

    @app.exception_handler(CursorError)
    async def no_cursor(request: Request, error: CursorError) -> Response:
        return _shown(request, 400, str(error))

    @app.exception_handler(StoreUnavailableError)
    async def unavailable(request: Request, _error: StoreUnavailableError) -> Response:
        return _unavailable(request)

    @app.exception_handler(Exception)  # answered here, and then named in the log: requests.py
    async def failed(request: Request, _error: Exception) -> Response:
        return _shown(request, 500, OURS, code="internal_error")

    @app.exception_handler(SQLAlchemyError)
    async def unreadable(request: Request, error: SQLAlchemyError) -> Response:
        LOG.error("store_unavailable", extra={"reason": reason(error)})
        return _unavailable(request)


def _unavailable(request: Request) -> Response:
    waits = pages.spooled(request.app.state.runtime)
    said = f"the database cannot be reached{f'; {waits}' if waits else ''}"
    return _shown(request, 503, said, code="store_unavailable")


def _shown(request: Request, status: int, detail: str, **more: Any) -> Response:
    if pages.wants_page(request):
        return pages.error_page(request, status, detail)
    return problem(status, detail, **more)
