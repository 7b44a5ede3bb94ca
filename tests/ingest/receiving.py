"""A body as a server hands it on."""

from collections.abc import AsyncIterator

from starlette.types import Message, Receive


def receiving(chunks: AsyncIterator[bytes], *, leaves: bool = False) -> Receive:
    """leaves: its sender goes away before the end."""

    async def receive() -> Message:
        async for chunk in chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        if leaves:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


def received(body: bytes) -> Receive:
    """All at once, as small ones come."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
