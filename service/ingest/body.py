"""Unpack a request's body, within limits that hold while it is being unpacked.

    TooLargeError   the body, packed or unpacked, is past the limit: answered 413

No decoder ever hands out more than PIECE bytes at once, so a bomb costs its limit and no more.
The codings: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1
Sentry's SDKs mean zlib by `deflate`, and Ruby's sends the header with an empty value.
"""

import asyncio
import zlib
from collections.abc import AsyncIterable, Callable, Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it ships none

from service.ingest.base import InvalidEventError

LIMIT = 20 * 1024 * 1024  # bytes
PIECE = 64 * 1024  # bytes
SECONDS = (
    60.0  # until the whole body is there: a sender that drips holds memory and delays the exit
)
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
    limit: int = LIMIT,
    seconds: float = SECONDS,
) -> bytes:
    """Return the unpacked body; `encoding` is the Content-Encoding header.

    Raises InvalidEventError (unsupported_encoding, bad_encoding, too_slow) or TooLargeError.
    """
    body = _Body(encoding, limit)
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
                body.feed(chunk)
    except TimeoutError:
        raise InvalidEventError("too_slow", f"the body took longer than {seconds:g} s") from None
    return body.finish()


def unpack(packed: bytes, encoding: str, *, limit: int = LIMIT) -> bytes:
    """Return what one packed string holds; the errors are those of read_body."""
    body = _Body(encoding, limit)
    body.feed(packed)
    return body.finish()


class _Decoder(Protocol):
    @property
    def finished(self) -> bool: ...

    def feed(self, chunk: bytes) -> Iterator[bytes]: ...


class _Body:
    def __init__(self, encoding: str | None, limit: int) -> None:
        name = (encoding or "identity").strip().lower() or "identity"
        if name not in DECODERS:
            raise InvalidEventError("unsupported_encoding", "Content-Encoding: gzip, deflate or br")
        self._decoder = DECODERS[name]()
        self._name = name
        self._limit = limit
        self._packed = 0
        self._unpacked = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._packed += len(chunk)
        if self._packed > self._limit:  # also where endless input unpacks to nothing
            raise TooLargeError(self._limit)
        try:
            for piece in self._decoder.feed(chunk):
                self._keep(piece)
        except (zlib.error, brotli.error):
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


DECODERS: dict[str, Callable[[], _Decoder]] = {
    "identity": _Identity,
    "gzip": lambda: _Zlib(GZIP),
    "x-gzip": lambda: _Zlib(GZIP),
    "deflate": _Deflate,
    "br": _Brotli,
}


def looks_like_zlib(head: bytes) -> bool:
    """RFC 1950, 2.2: method 8 in the low nibble, and a checksum over the first two bytes."""
    return len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0
