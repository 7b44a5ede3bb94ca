"""Real peers on a local socket, each doing exactly what a test needs of it."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

CERTIFICATE = Path(__file__).parent.parent / "data" / "hooks.test.pem"  # for the name hooks.test

Talk = Callable[[socket.socket], None]


@contextmanager
def a_peer(talk: Talk) -> Iterator[int]:
    """The port of a server that has this talk with everyone who connects, one after another."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_serve, args=(listener, talk))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def answering(answer: bytes, requests: list[bytes] | None = None) -> Talk:
    def talk(connection: socket.socket) -> None:
        request = connection.recv(65_536)
        if requests is not None:
            requests.append(request)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):  # to close with anything unread would be a reset
            pass

    return talk


def in_tls(talk: Talk) -> Talk:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    def talk_in_tls(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            talk(wrapped)

    return talk_in_tls


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _serve(listener: socket.socket, talk: Talk) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # shut down
            return
        connection.settimeout(5)
        with connection, suppress(OSError):  # the client may leave first
            talk(connection)
