"""The doors for events stand in front of FastAPI's router, which costs more than deciding does.

They are FastAPI's routes all the same, so that the OpenAPI document has them; what comes here by
POST never reaches those.
"""

from collections.abc import Awaitable, Callable, Iterable
from re import Pattern

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

Door = Callable[[Request], Awaitable[Response]]


class Doors:
    """ASGI middleware. The first path that fits is the door, as in a router."""

    def __init__(self, app: ASGIApp, doors: Iterable[tuple[str, Door]]) -> None:
        """doors: by path templates, `/api/{project}/store/`."""
        self._app = app
        self._fixed: dict[str, Door] = {}
        self._templates: list[tuple[Pattern[str], Door]] = []
        for path, door in doors:
            if "{" in path:
                self._templates.append((compile_path(path)[0], door))
            else:
                self._fixed.setdefault(path, door)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            path = scope["path"]
            if door := self._fixed.get(path) or self._by_template(path, scope):
                response = await door(Request(scope, receive, send))
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _by_template(self, path: str, scope: Scope) -> Door | None:
        for template, door in self._templates:
            if found := template.match(path):
                scope["path_params"] = found.groupdict()
                return door
        return None
