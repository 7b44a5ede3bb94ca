"""What the service stands beside: apps that take a body and do nothing, on the same server.

    python -m benchmarks.bare asgi|pydantic|least PORT [FILE]

least: see benchmarks/least.py; FILE is its database.
"""

import socket
import sys
from functools import reduce
from operator import or_
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, create_model
from starlette.types import Receive, Scope, Send

from benchmarks.least import Least
from service.ingest.sentry_shapes import SentryEvent

ANSWER = b'{"id":"0123456789abcdef0123456789abcdef"}'


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body and answers."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def _model(shape: type[msgspec.Struct], made: dict[object, type[BaseModel]]) -> type[BaseModel]:
    """The same fields, which pydantic reads then."""
    if shape not in made:
        fields: dict[str, Any] = {
            field.name: (_type(field.type, made), None) for field in msgspec.structs.fields(shape)
        }
        made[shape] = create_model(shape.__name__, **fields)
    return made[shape]


def _type(hint: Any, made: dict[object, type[BaseModel]]) -> Any:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _model(hint, made)
    kind, parts = get_origin(hint), tuple(_type(part, made) for part in get_args(hint))
    if not parts:
        return hint
    return reduce(or_, parts) if kind is UnionType else kind[parts]


def pydantic() -> FastAPI:
    """Takes an event as the service reads it, and does nothing with it."""
    app, Event = FastAPI(), _model(SentryEvent, {})  # noqa: N806

    @app.post("/api/1/store/")
    async def take(event: Event) -> dict[str, str]:  # type: ignore[valid-type]
        return {"id": event.event_id}  # type: ignore[attr-defined]

    return app


def main() -> None:
    kind, port, *files = sys.argv[1:]
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", int(port)))  # as the service does: uvicorn listens
    app = asgi if kind == "asgi" else pydantic() if kind == "pydantic" else Least(Path(files[0]))
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
