"""Every request has an id: the sender's `X-Request-Id`, else one of ours.

The answer names it, and so does each log line on its way. What a stop cuts short is answered 503
and named in the log.
"""

import asyncio
import itertools
import logging
import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.endpoints.base import problem
from service.logs import REQUEST

LOG = logging.getLogger(__name__)
_HEADER = b"x-request-id"
_READABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class Requests:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # told apart from those of other processes; no request pays for randomness
        self._started = secrets.token_hex(4)
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id = _sent(scope) or f"{self._started}-{next(self._count):x}"  # noqa: A001
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message.get("headers", ()), (_HEADER, id.encode())]
            await send(message)

        request = REQUEST.set(id)
        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:  # the server's patience with its last requests is over
            LOG.warning("request_cut", extra=_about(scope) | {"answered": begun})
            if not begun:
                await problem(503, "the service is stopping")(scope, receive, answer)
        finally:
            REQUEST.reset(request)


def _sent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _HEADER:
            return value.decode() if _READABLE.fullmatch(value) else None
    return None


def _about(scope: Scope) -> dict[str, str]:
    """Without its query, which may hold a key."""
    host = (scope.get("client") or ("unknown",))[0]
    return {"client": host, "method": scope["method"], "path": scope["path"][:200]}
