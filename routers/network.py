"""Connections for posting alerts: resolved once, checked, and bounded in time.

Receivers are written into the rules by many hands, so a destination may point at anything. A
name is resolved once, every address it has must be public, and the connection goes to an address
that was checked: a second look-up could answer otherwise (DNS rebinding). TLS and the Host header
keep the name.

A connection serves one send. Its deadline covers all of it: a peer that drips one byte at a time
satisfies every single timeout.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

import httpcore

from routers.errors import PermanentError, TemporaryError

SEND_LIMIT = timedelta(seconds=15)  # half a lease: look-up, connection, request and whole answer

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last four bytes
# What `is_global` lets pass, in this Python or another, though nobody's public server lives there.
NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # RFC 6890: protocols; a cloud's metadata at .192
        "192.88.99.0/24",  # RFC 7526: 6to4 relays
        "::/96",  # RFC 4291: IPv4-compatible
        "::ffff:0:0:0/96",  # RFC 2765: IPv4-translated
        "64:ff9b:1::/48",  # RFC 8215: a network's own NAT64
        "fec0::/10",  # RFC 3879: site-local
    )
)

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


def lookup(host: str, port: int) -> list[str]:
    """Every address of the host, as the system spells them. [] when there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a label no resolver would take
        return []
    return [str(sockaddr[0]) for *_, sockaddr in found]


def is_public(address: str) -> bool:
    """Whether the address is on the public internet, also when IPv6 wraps an IPv4 one."""
    ip = _unwrapped(ipaddress.ip_address(address))
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in NOT_PUBLIC)


class GuardedBackend(httpcore.NetworkBackend):
    """Raises PermanentError `private_destination`; TemporaryError when nothing can be reached."""

    def __init__(
        self,
        *,
        allow_private: bool,
        limit: timedelta = SEND_LIMIT,
        resolve: Resolve = lookup,
    ) -> None:
        self.allow_private = allow_private
        self._limit = limit
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return self.connect(host, port, ends_at=self.deadline(), timeout=timeout)

    def deadline(self) -> float:
        """When a send that begins now must be over, as `monotonic` has it."""
        return monotonic() + self._limit.total_seconds()

    def connect(
        self, host: str, port: int, *, ends_at: float, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """One connection of a send that may need several: they share its deadline."""
        try:
            left = _left(ends_at, timeout)
        except TimeoutError:
            raise TemporaryError("timeout", "no time was left to connect") from None
        addresses = self._looked_up(host, port, left)
        if not self.allow_private and not all(map(is_public, addresses)):
            raise PermanentError(
                "private_destination",
                "the destination is not on the public internet; "
                "POINTSMAN_ALLOW_PRIVATE_DESTINATIONS=true allows it",
            )
        return _Stream(_connected(addresses, port, ends_at, timeout), ends_at)

    def _looked_up(self, host: str, port: int, timeout: float) -> list[str]:
        # getaddrinfo knows no timeout; a daemon, so that a dead resolver cannot hold up the exit
        answers: SimpleQueue[list[str]] = SimpleQueue()
        Thread(target=lambda: answers.put(self._resolve(host, port)), daemon=True).start()
        try:
            addresses = answers.get(timeout=timeout)
        except Empty:
            raise TemporaryError("unknown_host", "the name was not resolved in time") from None
        if not addresses:
            raise TemporaryError("unknown_host", "the name does not resolve")
        return addresses


class _Stream(httpcore.NetworkStream):
    def __init__(self, connection: socket.socket, ends_at: float) -> None:
        self._socket = connection
        self._ends_at = ends_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _failing_as(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(_left(self._ends_at, timeout))
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _failing_as(httpcore.WriteTimeout, httpcore.WriteError):
            while buffer:
                self._socket.settimeout(_left(self._ends_at, timeout))
                buffer = buffer[self._socket.send(buffer) :]

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(_left(self._ends_at, timeout))
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except TimeoutError:
            self.close()
            raise TemporaryError("timeout", "no TLS handshake in time") from None
        except ssl.SSLError as error:
            self.close()
            raise TemporaryError("tls", f"the TLS handshake failed: {error.reason}") from None
        except OSError:
            self.close()
            raise TemporaryError("connection_lost", "lost in the TLS handshake") from None
        return _Stream(wrapped, self._ends_at)

    def close(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        is_tls = isinstance(self._socket, ssl.SSLSocket)
        return self._socket if info == "ssl_object" and is_tls else None


def _unwrapped(ip: IPAddress) -> IPAddress:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in NAT64:
        return ipaddress.IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour or ip


def _connected(
    addresses: list[str], port: int, ends_at: float, timeout: float | None
) -> socket.socket:
    failure = TemporaryError("unreachable", "no address of the destination can be reached")
    for address in addresses:
        try:
            connection = socket.create_connection((address, port), _left(ends_at, timeout))
        except TimeoutError:
            failure = TemporaryError("timeout", "no connection in time")
        except ConnectionRefusedError:
            failure = TemporaryError("refused", "the connection was refused")
        except OSError:  # no route, a reset: the next address may do
            continue
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise failure from None


def _left(ends_at: float, timeout: float | None) -> float:
    left = ends_at - monotonic()
    if left <= 0:
        raise TimeoutError
    return left if timeout is None else min(left, timeout)


@contextmanager
def _failing_as(timeout: type[Exception], failure: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise timeout from None
    except OSError:
        raise failure from None
