"""A load client that costs little: so many connections, each sends its next request once answered.

It runs in the process that measures, on a core of its own; what it drives is on another.
"""

import os
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import quantiles
from typing import NamedTuple

CONNECTIONS = 64
_TICK = float(os.sysconf("SC_CLK_TCK"))
_LARGE = 1 << 20  # bytes of an answer that are read at once

Request = Sequence[bytes]  # the pieces of it, as they are to be sent


class Measured(NamedTuple):
    rate: float  # requests a second
    p50: float  # seconds
    p99: float
    cpu: float  # seconds of the server's, a request
    statuses: Counter[bytes]


def drive(
    port: int, pid: int, request: Callable[[], Request], *, seconds: float = 0.0, count: int = 0
) -> Measured:
    """For so long, or until so many are answered. pid: of the server, whose CPU is read."""
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    try:
        return _drive({line.fileno(): line for line in lines}, pid, request, seconds, count)
    finally:
        for line in lines:
            line.close()


def _drive(
    lines: dict[int, socket.socket],
    pid: int,
    request: Callable[[], Request],
    seconds: float,
    count: int,
) -> Measured:
    poll, statuses = select.epoll(), Counter[bytes]()
    sent: dict[int, float] = {}
    took: list[float] = []
    cpu, began = cpu_of(pid), time.perf_counter()
    ends = began + seconds
    for place, line in lines.items():
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(place, select.EPOLLIN)
        sent[place] = time.perf_counter()
        line.sendmsg(request())
    while sent:
        for place, _ in poll.poll():
            answer = lines[place].recv(_LARGE)
            while not _is_whole(answer):
                answer += lines[place].recv(_LARGE)
            now = time.perf_counter()
            took.append(now - sent[place])
            statuses[answer[9:12]] += 1
            if now < ends or len(took) + len(sent) <= count:
                sent[place] = now
                lines[place].sendmsg(request())
            else:
                del sent[place]
    lasted, used = time.perf_counter() - began, cpu_of(pid) - cpu
    percents = quantiles(took, n=100)
    return Measured(len(took) / lasted, percents[49], percents[98], used / len(took), statuses)


def _is_whole(answer: bytes) -> bool:
    if not answer:
        raise ConnectionError("the server closed a connection")
    head, found, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return bool(found) and len(body) >= int(length or 0)


def cpu_of(pid: int) -> float:
    """Seconds, of all its threads."""
    with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 a path's read would cost more
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def rss_of(pid: int) -> int:
    """Bytes in memory."""
    with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
