"""Unpack a request's body, within limits that hold while it is being unpacked.

    TooLargeError   the body, packed or unpacked, is past the limit: answered 413

No decoder hands out more than PIECE bytes at once (zstd: 2 MiB), so a bomb costs its limit and no
more; and of large bodies only a few are in memory at once, however many come.
Sentry's SDK for Ruby sends Content-Encoding with an empty value.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from io import BytesIO

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from service.ingest.base import InvalidEventError
from service.ingest.codecs import CORRUPT, DECODERS
from service.ingest.limits import (
    BODY,
    BODY_SECONDS,
    LARGE_BODIES,
    LARGE_BODY,
)

Enter = Callable[[], Awaitable[None]]


class TooLargeError(Exception):
    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the body is larger than {limit} bytes")


async def receive_body(
    receive: Receive, encoding: str | None, *, limit: int = BODY, enter: Enter | None = None
) -> bytes:
    """As read_body, of what a server hands on. Raises ClientDisconnect besides."""
    first = _lying(receive)
    if first and not encoding and first.get("more_body") is False:  # as nearly all are
        whole: bytes = first.get("body", b"")
        if len(whole) <= min(limit, LARGE_BODY):
            return whole
    return await read_body(_chunks(receive, first), encoding, limit=limit, enter=enter)


async def read_body(
    chunks: AsyncIterable[bytes],
    encoding: str | None,
    *,
    limit: int = BODY,
    seconds: float = BODY_SECONDS,
    enter: Enter | None = None,
) -> bytes:
    """Return the unpacked body; `encoding` is the Content-Encoding header.

    enter: waited for before a body grows large; see Hall.
    Raises InvalidEventError (unsupported_encoding, bad_encoding, too_slow) or TooLargeError.
    """
    body = _Body(encoding, limit)
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
                for size in body.feed(chunk):
                    if enter and size > LARGE_BODY:
                        await enter()
    except TimeoutError:
        raise InvalidEventError("too_slow", f"the body took longer than {seconds:g} s") from None
    return body.finish()


def unpack(packed: bytes, encoding: str, *, limit: int = BODY) -> bytes:
    """Return what one packed string holds; the errors are those of read_body."""
    body = _Body(encoding, limit)
    for _ in body.feed(packed):
        pass
    return body.finish()


class Hall:
    """Where large bodies wait for their turn. One of them may take ten times its size to read."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(LARGE_BODIES)
        self.reading = asyncio.Semaphore(1)  # the interpreter reads one at a time anyway

    def door(self) -> "_Door":
        """Gives what a body that grows large is to wait for; the place is free again afterwards."""
        return _Door(self._places)


class _Door:
    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._inside = False

    def __enter__(self) -> Enter:
        return self._enter

    def __exit__(self, *_raised: object) -> None:
        if self._inside:
            self._places.release()

    async def _enter(self) -> None:
        if self._inside:
            await asyncio.sleep(0)  # others have their turn between the pieces
        else:
            await self._places.acquire()
            self._inside = True


def _lying(receive: Receive) -> Message | None:
    """What has come by now; None: nothing, and a receive that was given up took nothing with it.

    A timeout costs as much as reading an event, and most bodies came with their headers.
    """
    coming = receive()
    if not isinstance(coming, Coroutine):
        return None
    try:
        coming.send(None)
    except StopIteration as came:
        message: Message = came.value
        return message
    coming.close()
    return None


async def _chunks(receive: Receive, first: Message | None) -> AsyncIterator[bytes]:
    message = first or await receive()
    while message["type"] != "http.disconnect":
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
        message = await receive()
    raise ClientDisconnect


class _Body:
    def __init__(self, encoding: str | None, limit: int) -> None:
        name = (encoding or "identity").strip().lower() or "identity"
        if name not in DECODERS:
            known = f"Content-Encoding is one of {', '.join(DECODERS)}"
            raise InvalidEventError("unsupported_encoding", known)
        self._decoder = DECODERS[name]()
        self._name = name
        self._limit = limit
        self._packed = 0
        self._unpacked = BytesIO()  # whose value is no copy

    def feed(self, chunk: bytes) -> Iterator[int]:
        """Gives, piece by piece, how large the body has become."""
        self._packed += len(chunk)
        if self._packed > self._limit:  # also where endless input unpacks to nothing
            raise TooLargeError(self._limit)
        try:
            for piece in self._decoder.feed(chunk):
                self._keep(piece)
                yield self._unpacked.tell()
        except CORRUPT:
            raise self._bad("is corrupt") from None

    def finish(self) -> bytes:
        if self._packed and not self._decoder.finished:
            raise self._bad("ends too early")
        return self._unpacked.getvalue()

    def _keep(self, piece: bytes) -> None:
        self._unpacked.write(piece)
        if self._unpacked.tell() > self._limit:
            raise TooLargeError(self._limit)

    def _bad(self, what: str) -> InvalidEventError:
        return InvalidEventError("bad_encoding", f"the {self._name} body {what}")
