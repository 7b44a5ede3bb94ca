"""Content codings, each as a decoder that hands out a body piece by piece.

No piece is larger than PIECE (of zstd: 2 MiB), so that whoever keeps them can stop in time.
The codings: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1
Sentry's SDKs mean zlib by `deflate`.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it ships none

from service.ingest.limits import MEMBERS, PIECE
from service.ingest.zstd import Zstd

# zlib's wbits: which wrapping the stream has
GZIP, ZLIB, RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
# What a decoder says of a stream that is none.
CORRUPT: tuple[type[Exception], ...] = (zlib.error, brotli.error, Zstd.CORRUPT)


class Decoder(Protocol):
    @property
    def finished(self) -> bool: ...

    def feed(self, chunk: bytes) -> Iterator[bytes]: ...


class _Identity:
    finished = True  # it ends wherever it ends

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Zlib:
    """One zlib, raw deflate or gzip stream; of gzip also the members that follow."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits)
        self._members = 1

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
            self._members += 1
            if self._members > MEMBERS:
                raise zlib.error("more members than any sender needs")
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


DECODERS: dict[str, Callable[[], Decoder]] = {
    "identity": _Identity,
    "gzip": lambda: _Zlib(GZIP),
    "x-gzip": lambda: _Zlib(GZIP),
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": Zstd,
}


def looks_like_zlib(head: bytes) -> bool:
    """RFC 1950, 2.2: method 8 in the low nibble, and a checksum over the first two bytes."""
    return len(head) > 1 and head[0] & 15 == 8 and int.from_bytes(head[:2], "big") % 31 == 0
