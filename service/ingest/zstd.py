"""The zstd coding.

Spec: https://www.rfc-editor.org/rfc/rfc8878
"""

from collections.abc import Iterator

from zstandard import ZstdDecompressor, ZstdError

from service.ingest.limits import MEMBERS, WINDOW


class Zstd:
    """Frames of RFC 8878, one after the other.

    The library bounds its input only. A block of 4 bytes may hold 128 KiB, so it is given few.
    """

    CORRUPT = ZstdError
    SIP = 64  # bytes

    def __init__(self) -> None:
        self._decoder = ZstdDecompressor(max_window_size=WINDOW)
        self._stream = self._decoder.decompressobj()
        self._frames = 1

    @property
    def finished(self) -> bool:
        return self._stream.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        for start in range(0, len(chunk), self.SIP):
            sip = chunk[start : start + self.SIP]
            while sip:
                if self._stream.eof:
                    self._next_frame()
                yield self._stream.decompress(sip)
                sip = self._stream.unused_data

    def _next_frame(self) -> None:
        self._frames += 1
        if self._frames > MEMBERS:
            raise ZstdError("more frames than any sender needs")
        self._stream = self._decoder.decompressobj()
