"""A wire between a client and the service that hands on every byte, and notes what was asked."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import NamedTuple

_ASKED = re.compile(rb"(GET|POST|PUT|OPTIONS) (\S+) HTTP/1\.[01]\r\n((?:[^\r\n]+\r\n)*)\r\n")
_ANSWERED = re.compile(rb"HTTP/1\.1 ([2-5]\d\d) ")  # 100 is no answer yet
_CODING = re.compile(rb"^content-encoding: *(\S*)", re.IGNORECASE | re.MULTILINE)
_ORIGIN = re.compile(rb"^origin: *(\S*)", re.IGNORECASE | re.MULTILINE)


class Request(NamedTuple):
    method: str
    path: str  # without its query, which may hold the key
    coding: str
    origin: str
    status: int


class Tap:
    """One port of its own, for one client."""

    def __init__(self, target: int) -> None:
        self._target = ("127.0.0.1", target)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._conversations: list[tuple[bytearray, bytearray]] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                service = socket.create_connection(self._target)
                said, heard = bytearray(), bytearray()
                self._conversations.append((said, heard))
                for ends in ((client, service, said), (service, client, heard)):
                    Thread(target=_hand_on, args=ends, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def requests(self) -> list[Request]:
        """Those that were answered."""
        return [
            _request(asked, int(answered[1]))
            for said, heard in self._conversations
            for asked, answered in zip(
                _ASKED.finditer(bytes(said)), _ANSWERED.finditer(bytes(heard)), strict=False
            )
        ]


@contextmanager
def a_tap(target: int) -> Iterator[Tap]:
    tap = Tap(target)
    Thread(target=tap.serve, daemon=True).start()
    try:
        yield tap
    finally:
        tap.close()


def _hand_on(source: socket.socket, target: socket.socket, noted: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            noted += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _request(asked: re.Match[bytes], status: int) -> Request:
    def header(name: re.Pattern[bytes]) -> str:
        found = name.search(asked[3])
        return found[1].decode() if found else ""

    path = asked[2].decode().partition("?")[0]
    return Request(asked[1].decode(), path, header(_CODING), header(_ORIGIN), status)
