"""What waits for the upstream, while it takes, refuses, limits, and is down."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from service.store.database import migrate, open_database
from service.store.store import Store
from service.store.writer import Writer
from service.telemetry import Telemetry
from service.upstream.address import parse_dsn
from service.upstream.forwarder import Forwarder
from service.upstream.limits import NOT_ERRORS, RateLimits
from service.upstream.seal import Seal
from tests.builders import NOW
from tests.running import wait_for
from tests.service.house import Clock

KEY = "a key of sixteen characters"


class Upstream:
    """Remembers what it took; answers as it is told to."""

    def __init__(self) -> None:
        self.took: list[bytes] = []
        self.asking = b""
        self.asked = 0
        self.answer: Callable[[], httpx.Response] = lambda: httpx.Response(200)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        asking = self.asking = gzip.decompress(request.content)
        answer = self.answer()
        if answer.is_success:
            self.took.append(asking)  # another thread may be asking by now
        return answer

    def breaks(self) -> httpx.Response:
        raise httpx.ConnectError("no route to http://secret@host/")


class Sending:
    def __init__(
        self, folder: Path, upstream: Upstream, key: str = KEY, capacity: int = 99
    ) -> None:
        engine = open_database(f"sqlite:///{folder}/db")
        migrate(engine)
        self.clock, self.telemetry = Clock(), Telemetry()
        self.store, self.writer = Store(engine), Writer(engine)
        self.forwarder = Forwarder(
            parse_dsn("http://k@upstream/1"),
            Seal([key]),
            RateLimits(NOT_ERRORS),
            writer=self.writer,
            store=self.store,
            telemetry=self.telemetry,
            clock=self.clock,
            client=httpx.Client(transport=httpx.MockTransport(upstream)),
            capacity=capacity,
        )

    def give(self, *envelopes: bytes, error: bool = True) -> None:
        for envelope in envelopes:
            waiting = self.forwarder.waiting(envelope, self.clock(), error=error)
            if waiting:
                self.writer.run(lambda tx, waiting=waiting: tx.forward(waiting))
        self.forwarder.wake()

    def waiting(self) -> int:
        return self.store.waiting_envelopes()[0]

    def counted(self, outcome: str) -> bool:
        said = f'pointsman_upstream_envelopes_total{{outcome="{outcome}"}} 1.0'
        return said in self.telemetry.exposition().decode()


@contextmanager
def sending(folder: Path, upstream: Upstream, **more: object) -> Iterator[Sending]:
    one = Sending(folder, upstream, **more)  # type: ignore[arg-type]
    one.writer.start()
    one.forwarder.start()
    try:
        yield one
    finally:
        one.forwarder.stop()
        one.writer.stop()


def test_what_the_upstream_takes_waits_no_more(tmp_path: Path) -> None:
    upstream = Upstream()
    with sending(tmp_path, upstream) as one:
        one.give(b"{}\nfirst", b"{}\nsecond")
        wait_for(lambda: one.waiting() == 0)
    assert sorted(upstream.took) == [b"{}\nfirst", b"{}\nsecond"]


def test_what_came_while_it_was_down_goes_on_once_it_is_back(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.answer = upstream.breaks
    with sending(tmp_path, upstream) as one:
        one.give(*(b"{}\n%d" % number for number in range(20)))
        wait_for(lambda: one.forwarder.standing.problem == "no answer: ConnectError")
        upstream.answer = lambda: httpx.Response(200)
        one.clock.move(timedelta(minutes=2))
        wait_for(lambda: one.waiting() == 0)
        assert one.forwarder.standing.problem is None
    assert len(set(upstream.took)) == len(upstream.took) == 20


def test_what_waits_is_kept_over_a_restart(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.answer = upstream.breaks
    with sending(tmp_path, upstream) as one:
        one.give(b"{}\nkept")
        wait_for(lambda: upstream.asked)
    upstream.answer = lambda: httpx.Response(200)
    with sending(tmp_path, upstream) as one:
        one.clock.move(timedelta(minutes=2))
        wait_for(lambda: one.waiting() == 0)
    assert upstream.took == [b"{}\nkept"]


@pytest.mark.parametrize(
    ("status", "error", "outcome", "left"),
    [
        (400, True, "refused", 0),
        (413, True, "refused", 0),
        (429, False, "limited", 0),
        (429, True, "waits", 1),
        (403, True, "waits", 1),
        (404, True, "waits", 1),
        (500, False, "waits", 1),
    ],
)
def test_an_answer_decides(
    tmp_path: Path, status: int, error: bool, outcome: str, left: int
) -> None:
    upstream = Upstream()
    upstream.answer = lambda: httpx.Response(status)
    with sending(tmp_path, upstream) as one:
        one.give(b"{}\n", error=error)
        wait_for(lambda: one.counted(outcome))
        wait_for(lambda: one.forwarder.standing.problem == f"it answered {status}")
        wait_for(lambda: one.waiting() == left)  # which is committed after it is said


def test_a_poisoned_envelope_holds_up_no_other(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.answer = lambda: httpx.Response(500 if upstream.asking.endswith(b"poison") else 200)
    with sending(tmp_path, upstream) as one:
        one.give(b"{}\npoison")
        wait_for(lambda: upstream.asked)
        one.give(b"{}\nanother")
        one.clock.move(timedelta(seconds=2))
        wait_for(lambda: upstream.took == [b"{}\nanother"])
        wait_for(lambda: one.waiting() == 1)


def test_a_limit_is_heeded_for_as_long_as_it_asks(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.answer = lambda: httpx.Response(429, headers={"Retry-After": "600"})
    with sending(tmp_path, upstream) as one:
        one.give(b"{}\n")
        wait_for(lambda: one.forwarder.standing.problem)
        one.clock.move(timedelta(seconds=599))
        one.give(b"{}\n")
        assert upstream.asked == 1
        one.clock.move(timedelta(seconds=2))
        wait_for(lambda: upstream.asked == 2)


def test_what_another_key_sealed_waits_for_that_key(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.answer = upstream.breaks
    with sending(tmp_path, upstream) as one:
        one.give(b"{}\n")
        wait_for(lambda: upstream.asked)
    with sending(tmp_path, upstream, key="another key altogether") as one:
        one.clock.move(timedelta(minutes=2))
        wait_for(lambda: one.counted("unreadable"))
        assert one.waiting() == 1


def test_beyond_the_capacity_only_errors_are_kept(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.answer = upstream.breaks
    with sending(tmp_path, upstream, capacity=10) as one:
        one.give(b"{}\n")
        wait_for(lambda: one.forwarder.standing.size > 10)
        one.give(b"{}\n", error=False)
        one.give(b"{}\n")
        assert one.counted("dropped")
        assert one.waiting() == 2


def test_the_senders_clock_is_told_that_it_waited(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.answer = upstream.breaks
    with sending(tmp_path, upstream) as one:
        one.give(b'{"sent_at":"%s"}\n' % NOW.isoformat().encode())
        wait_for(lambda: upstream.asked)
        upstream.answer = lambda: httpx.Response(200)
        one.clock.move(timedelta(hours=1))
        wait_for(lambda: one.waiting() == 0)
    assert (NOW + timedelta(hours=1)).isoformat().encode() in upstream.took[0]


def test_no_reason_repeats_an_address(tmp_path: Path) -> None:
    upstream = Upstream()
    upstream.answer = upstream.breaks
    with sending(tmp_path, upstream) as one:
        one.give(b"{}\n")
        problem = wait_for(lambda: one.forwarder.standing.problem)
        assert "secret" not in str(problem)
