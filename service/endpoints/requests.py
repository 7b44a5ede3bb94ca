"""Every request has an id: the sender's `X-Request-Id`, else one of ours.

The answer names it, and so does each log line on its way. What a stop cuts short is answered 503
and named in the log; and so is what fails by our own mistake, as 500.
"""

import asyncio
import itertools
import logging
import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.endpoints.base import problem
from service.endpoints.doors import Answered, Doors
from service.logs import REQUEST

LOG = logging.getLogger(__name__)
_HEADER = b"x-request-id"
_READABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class Requests:
    """ASGI middleware, the outermost. What comes to a door is answered here."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors
        # told apart from those of other processes; no request pays for randomness
        self._started = secrets.token_hex(4)
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id = _sent(scope) or f"{self._started}-{next(self._count):x}"  # noqa: A001
        header = (_HEADER, id.encode())
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        request = REQUEST.set(id)
        try:
            if door := self._doors.find(scope):
                answered = await door(scope, receive)
                begun = True
                await _send(answered, header, send)
            else:
                await self._app(scope, receive, answer)
        except asyncio.CancelledError:  # the server's patience with its last requests is over
            LOG.warning("request_cut", extra=_about(scope) | {"answered": begun})
            if not begun:
                await problem(503, "the service is stopping")(scope, receive, answer)
        except Exception:  # whatever we did not think of
            LOG.exception("request_failed", extra=_about(scope))
        finally:
            REQUEST.reset(request)


async def _send(answered: Answered, header: tuple[bytes, bytes], send: Send) -> None:
    status, told, body = answered
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in told.items()]
    headers += (b"content-length", b"%d" % len(body)), header
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _sent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _HEADER:
            return value.decode() if _READABLE.fullmatch(value) else None
    return None


def _about(scope: Scope) -> dict[str, str]:
    """Without its query, which may hold a key."""
    host = (scope.get("client") or ("unknown",))[0]
    return {"client": host, "method": scope["method"], "path": scope["path"][:200]}
