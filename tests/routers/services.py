"""A service on a local socket that Apprise posts to."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from routers.channels.apprise import AppriseChannel

SECRET = "hush-hush"


class Service:
    """status: what it answers; None: nothing, for a while."""

    def __init__(self, status: int | None, taken: list[Any]) -> None:
        self.taken = taken  # bodies and paths

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                taken.append((content, self.path))
                if status is None:
                    time.sleep(5)
                    return
                self.send_response(status)
                self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/other")  # type: ignore[attr-defined]
                self.end_headers()

            do_GET = do_POST  # noqa: N815 a redirect that is followed

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def channel(self, query: str = "", **settings: Any) -> AppriseChannel:
        url = f"json://127.0.0.1:{self.server.server_port}/{SECRET}{query}"
        return AppriseChannel(url=SecretStr(url), **settings)


@contextmanager
def a_service(status: int | None = 200, taken: list[Any] | None = None) -> Iterator[Service]:
    service = Service(status, [] if taken is None else taken)
    thread = threading.Thread(target=service.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.server.shutdown()
        service.server.server_close()
        thread.join()
