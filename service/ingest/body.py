"""Unpack a request's body, within limits that hold while it is being unpacked.

    TooLargeError   the body, packed or unpacked, is past the limit: answered 413

No decoder hands out more than PIECE bytes at once (zstd: 2 MiB), so a bomb costs its limit and no
more; and of large bodies only a few are in memory at once, however many come.
The codings: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1
Sentry's SDKs mean zlib by `deflate`, and Ruby's sends the header with an empty value.
"""

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it ships none

from service.ingest.base import InvalidEventError
from service.ingest.limits import (
    BODY,
    BODY_SECONDS,
    LARGE_BODIES,
    LARGE_BODY,
    PIECE,
    WINDOW,
)

try:
    import zstandard
except ImportError:  # an extra; without it a zstd body is an unsupported one
    zstandard = None  # type: ignore[assignment]

# What a decoder says of a stream that is none.
CORRUPT: tuple[type[Exception], ...] = (zlib.error, brotli.error)
if zstandard:
    CORRUPT += (zstandard.ZstdError,)
# zlib's wbits: which wrapping the stream has
GZIP, ZLIB, RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class TooLargeError(Exception):
    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the body is larger than {limit} bytes")


async def read_body(
    chunks: AsyncIterable[bytes],
    encoding: str | None,
    *,
    limit: int = BODY,
    seconds: float = BODY_SECONDS,
    enter: Callable[[], Awaitable[None]] | None = None,
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

    @asynccontextmanager
    async def door(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Gives what a body that grows large is to wait for; the place is free again afterwards."""
        inside = False

        async def enter() -> None:
            nonlocal inside
            if inside:
                await asyncio.sleep(0)  # others have their turn between the pieces
            else:
                await self._places.acquire()
                inside = True

        try:
            yield enter
        finally:
            if inside:
                self._places.release()


class _Decoder(Protocol):
    @property
    def finished(self) -> bool: ...

    def feed(self, chunk: bytes) -> Iterator[bytes]: ...


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
        self._unpacked = bytearray()

    def feed(self, chunk: bytes) -> Iterator[int]:
        """Gives, piece by piece, how large the body has become."""
        self._packed += len(chunk)
        if self._packed > self._limit:  # also where endless input unpacks to nothing
            raise TooLargeError(self._limit)
        try:
            for piece in self._decoder.feed(chunk):
                self._keep(piece)
                yield len(self._unpacked)
        except CORRUPT:
            raise self._bad("is corrupt") from None

    def finish(self) -> bytes:
        if self._packed and not self._decoder.finished:
            raise self._bad("ends too early")
        return bytes(self._unpacked)

    def _keep(self, piece: bytes) -> None:
        self._unpacked += piece
        if len(self._unpacked) > self._limit:
            raise TooLargeError(self._limit)

    def _bad(self, what: str) -> InvalidEventError:
        return InvalidEventError("bad_encoding", f"the {self._name} body {what}")


class _Identity:
    finished = True  # it ends wherever it ends

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Zlib:
    """One zlib, raw deflate or gzip stream; of gzip also the members that follow."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits)

    @property
    def finished(self) -> bool:
        return self._stream.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._stream.eof:
                chunk = self._next_member(chunk)
                continue
            piece = self._stream.decompress(chunk, PIECE)
            yield piece
            chunk = self._stream.unconsumed_tail or self._stream.unused_data
            if len(piece) == PIECE and not chunk and not self._stream.eof:
                yield from self._held_back()

    def _held_back(self) -> Iterator[bytes]:
        """What zlib still holds when all input is consumed, but the output was cut."""
        while piece := self._stream.decompress(b"", PIECE):
            yield piece

    def _next_member(self, chunk: bytes) -> bytes:
        rest = chunk.lstrip(b"\0")  # padding after the last member, as gzip(1) allows
        if rest and self._wbits != GZIP:
            raise zlib.error("bytes after the end")
        if rest:
            self._stream = zlib.decompressobj(GZIP)
        return rest


class _Deflate:
    """zlib (RFC 1950), as the SDKs mean it, or raw deflate: the first two bytes tell."""

    def __init__(self) -> None:
        self._head = b""
        self._stream: _Zlib | None = None

    @property
    def finished(self) -> bool:
        return self._stream is not None and self._stream.finished

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if self._stream is None:
            self._head += chunk
            if len(self._head) < 2:
                return
            chunk, self._head = self._head, b""
            self._stream = _Zlib(ZLIB if looks_like_zlib(chunk) else RAW)
        yield from self._stream.feed(chunk)


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    @property
    def finished(self) -> bool:
        return bool(self._stream.is_finished())

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if not chunk:
            return
        yield self._stream.process(chunk, output_buffer_limit=PIECE)
        while not self._stream.is_finished():  # what is held back comes without more input
            piece = self._stream.process(b"", output_buffer_limit=PIECE)
            if piece:
                yield piece
            elif self._stream.can_accept_more_data():
                return
            else:  # a stream that neither takes nor gives would spin for ever
                raise brotli.error("no progress")


class _Zstd:
    """Frames of RFC 8878, one after the other.

    The library bounds its input only. A block of 4 bytes may hold 128 KiB, so it is given few.
    """

    SIP = 64  # bytes

    def __init__(self) -> None:
        self._decoder = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        self._stream = self._decoder.decompressobj()

    @property
    def finished(self) -> bool:
        return self._stream.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        for start in range(0, len(chunk), self.SIP):
            sip = chunk[start : start + self.SIP]
            while sip:
                if self._stream.eof:
                    self._stream = self._decoder.decompressobj()
                yield self._stream.decompress(sip)
                sip = self._stream.unused_data


DECODERS: dict[str, Callable[[], _Decoder]] = {
    "identity": _Identity,
    "gzip": lambda: _Zlib(GZIP),
    "x-gzip": lambda: _Zlib(GZIP),
    "deflate": _Deflate,
    "br": _Brotli,
}
if zstandard:
    DECODERS["zstd"] = _Zstd


def looks_like_zlib(head: bytes) -> bool:
    """RFC 1950, 2.2: method 8 in the low nibble, and a checksum over the first two bytes."""
    return len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0
