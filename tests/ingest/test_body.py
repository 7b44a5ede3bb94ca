"""Codings, and bombs that must stop at their limit."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Message

from service.ingest.base import InvalidEventError
from service.ingest.body import Hall, TooLargeError, read_body, receive_body
from service.ingest.codecs import DECODERS
from service.ingest.limits import LARGE_BODIES, LARGE_BODY, MEMBERS, WINDOW
from tests.ingest.receiving import received, receiving

ROOT = Path(__file__).parents[2]
TEXT = b'{"message": "disk almost full"}' * 5_000  # more than one piece
MEGABYTE = 1024 * 1024


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = [
    (None, TEXT),
    ("", TEXT),
    ("identity", TEXT),
    ("gzip", gzip.compress(TEXT)),
    (" GZIP ", gzip.compress(TEXT)),
    ("gzip", gzip.compress(TEXT[:7]) + gzip.compress(TEXT[7:])),
    ("gzip", gzip.compress(TEXT) + b"\0" * 16),
    ("deflate", zlib.compress(TEXT)),
    ("deflate", raw_deflate(TEXT)),
    ("br", brotli.compress(TEXT, quality=4)),
    ("zstd", zstandard.compress(TEXT)),
    ("zstd", zstandard.compress(TEXT[:7]) + zstandard.compress(TEXT[7:])),
]
PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


async def in_chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def read(data: bytes, encoding: str | None, *, size: int = 4096, limit: int = MEGABYTE) -> bytes:
    return asyncio.run(read_body(in_chunks(data, size), encoding, limit=limit))


@pytest.mark.parametrize("size", [1, 7, MEGABYTE])
@pytest.mark.parametrize(("encoding", "packed"), PACKED)
def test_a_body_is_unpacked_however_it_is_cut(
    encoding: str | None, packed: bytes, size: int
) -> None:
    assert read(packed, encoding, size=size) == TEXT


@pytest.mark.parametrize(("encoding", "packed"), PACKED)
def test_a_body_that_came_whole_is_unpacked(encoding: str | None, packed: bytes) -> None:
    assert asyncio.run(receive_body(received(packed), encoding)) == TEXT


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_a_body_that_came_whole_has_its_limit(encoding: str | None) -> None:
    packed = gzip.compress(TEXT) if encoding else TEXT
    with pytest.raises(TooLargeError):
        asyncio.run(receive_body(received(packed), encoding, limit=len(TEXT) - 1))


@pytest.mark.parametrize("packed", [b"", TEXT])
def test_a_sender_that_goes_away_sent_no_body(packed: bytes) -> None:
    with pytest.raises(ClientDisconnect):
        asyncio.run(receive_body(receiving(in_chunks(packed, 4096), leaves=True), None))


@pytest.mark.parametrize("encoding", [None, *PACKERS])
def test_no_body_at_all_is_an_empty_one(encoding: str | None) -> None:
    assert read(b"", encoding) == b""


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_of_exactly_the_limit_is_read(encoding: str) -> None:
    assert len(read(PACKERS[encoding](TEXT), encoding, limit=len(TEXT))) == len(TEXT)


@pytest.mark.parametrize("encoding", PACKERS)
def test_one_byte_past_the_limit_is_refused(encoding: str) -> None:
    with pytest.raises(TooLargeError):
        read(PACKERS[encoding](TEXT), encoding, limit=len(TEXT) - 1)


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_bomb_costs_its_limit_and_no_more(encoding: str) -> None:
    bomb = PACKERS[encoding](b"\0" * (64 * MEGABYTE))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            read(bomb, encoding, size=len(bomb))
        assert tracemalloc.get_traced_memory()[1] < 6 * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_what_unpacks_to_nothing_is_bounded_too(encoding: str) -> None:
    nothing = PACKERS[encoding](b"")
    assert read(nothing * MEMBERS, encoding) == b""
    with pytest.raises(InvalidEventError) as caught:
        read(nothing * (MEMBERS + 1), encoding)
    assert caught.value.code == "bad_encoding"


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("spoil", [lambda b: b[:-5], lambda b: b"?" * 9 + b, lambda b: b + b"tail"])
def test_a_spoilt_body_is_a_bad_encoding(encoding: str, spoil) -> None:
    with pytest.raises(InvalidEventError) as caught:
        read(spoil(PACKERS[encoding](TEXT)), encoding)
    assert caught.value.code == "bad_encoding"


@pytest.mark.parametrize("encoding", ["lz4", "gzip, br", "aws-chunked"])
def test_an_unknown_encoding_is_named_so(encoding: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        read(b"x", encoding)
    assert caught.value.code == "unsupported_encoding"
    assert all(known in caught.value.detail for known in DECODERS)


def test_zstd_may_not_look_back_further_than_a_window() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=(2 * WINDOW).bit_length() - 1)
    stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    with pytest.raises(InvalidEventError) as caught:
        read(stream.compress(TEXT) + stream.flush(), "zstd")
    assert caught.value.code == "bad_encoding"


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=200), st.data())
def test_no_bytes_unpack_to_anything_but_a_body_or_a_refusal(
    encoding: str, body: bytes, data: st.DataObject
) -> None:
    packed = PACKERS[encoding](body)
    at = data.draw(st.integers(0, len(packed)))
    spoilt = packed[:at] + data.draw(st.binary(max_size=3)) + packed[at + 1 :]
    with suppress(InvalidEventError, TooLargeError):
        read(spoilt, encoding, size=7)


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_large_body_waits_before_it_grows(encoding: str) -> None:
    async def story() -> int:
        hall, inside = Hall(), 0
        bodies = [PACKERS[encoding](b"\0" * 2 * LARGE_BODY)] * (LARGE_BODIES + 2)
        most = 0

        async def send(packed: bytes) -> None:
            nonlocal inside, most
            with hall.door() as enter:
                await read_body(in_chunks(packed, 4096), encoding, enter=enter)
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.01)
                inside -= 1

        await asyncio.gather(*map(send, bodies))
        return most

    assert asyncio.run(story()) == LARGE_BODIES


def test_a_small_body_waits_for_nobody() -> None:
    async def story() -> bytes:
        hall = Hall()
        with hall.door() as one, hall.door() as other:
            await one()
            await other()
            with hall.door() as enter:
                return await read_body(in_chunks(TEXT, 4096), None, enter=enter)

    assert len(TEXT) < LARGE_BODY
    assert asyncio.run(story()) == TEXT


def test_a_body_that_begins_late_is_read_whole() -> None:
    async def late() -> AsyncIterator[bytes]:
        for half in (TEXT[:99], TEXT[99:]):
            await asyncio.sleep(0.01)
            yield half

    async def story() -> bytes:
        messages: asyncio.Queue[Message] = asyncio.Queue()

        async def feed() -> None:
            receive = receiving(late())
            while (message := await receive())["more_body"]:
                await messages.put(message)
            await messages.put(message)

        body, _ = await asyncio.gather(receive_body(messages.get, None), feed())
        return body

    assert asyncio.run(story()) == TEXT


def test_a_body_that_drips_is_not_waited_for() -> None:
    async def drips() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.001)

    with pytest.raises(InvalidEventError) as caught:
        asyncio.run(read_body(drips(), None, seconds=0.05))
    assert caught.value.code == "too_slow"
