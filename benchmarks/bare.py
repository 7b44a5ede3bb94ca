"""What the service stands beside: apps that take a body and do nothing, on the same server.

python -m benchmarks.bare asgi|pydantic PORT
"""

import asyncio
import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

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


class Frame(BaseModel):
    filename: str | None = None
    function: str | None = None
    lineno: int | None = None


class Stack(BaseModel):
    frames: list[Frame] = []


class Thrown(BaseModel):
    type: str | None = None
    value: str | None = None
    stacktrace: Stack | None = None


class Exceptions(BaseModel):
    values: list[Thrown] = []


class Event(BaseModel):
    event_id: str
    exception: Exceptions | None = None
    tags: dict[str, Any] | list[Any] | None = None


def pydantic() -> FastAPI:
    app = FastAPI()

    @app.post("/api/1/store/")
    async def take(event: Event) -> dict[str, str]:
        return {"id": event.event_id}

    return app


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2])
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))  # as the service does: uvicorn listens
    config = uvicorn.Config(
        asgi if kind == "asgi" else pydantic(),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    main()
