"""A Sentry that only records: what was posted, unpacked, and the header that said who posted it."""

import gzip
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import msgspec

from service.ingest.sentry_envelope import Item, read_envelope


class Posted(NamedTuple):
    path: str
    key: str
    body: bytes

    def items(self) -> list[Item]:
        return list(read_envelope(self.body)[1])

    def events(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(item.payload) for item in self.items() if item.type == "event"]


class Recorder:
    """Takes everything while it is up; its port stays its own."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.dsn = f"http://theirkey@127.0.0.1:{self.port}/7"
        self.posted: list[Posted] = []
        self.answer: tuple[int, Mapping[str, str]] = (200, {})
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        recorder = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                recorder.posted.append(Posted(self.path, self.headers["X-Sentry-Auth"], body))
                status, headers = recorder.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Door)
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def events(self) -> dict[str, dict[str, Any]]:
        """By id, as they arrived last."""
        found = [event for one in list(self.posted) for event in one.events()]
        return {event["event_id"]: event for event in found}
