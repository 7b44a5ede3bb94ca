"""The intake: who decides what, when, and on which thread."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread, current_thread

import httpx
import msgspec
import pytest

from matchers.event import Event
from routers.rules import Rules
from service.ingest.base import Envelope, Passing
from service.ingest.limits import LARGE
from service.intake import Intake
from service.quota import Quota
from service.store.database import migrate, open_database
from service.store.store import Store
from service.store.writer import Writer
from service.telemetry import Telemetry
from service.upstream.address import parse_dsn
from service.upstream.forwarder import Forwarder
from service.upstream.limits import NOT_ERRORS, RateLimits
from service.upstream.seal import Seal
from tests.builders import raised_in, the_rules

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVENT = Event(event_id="1" * 32, timestamp=NOW, received_at=NOW, message="the gnome is gone")
RULES = the_rules("teams: {web: {}}\ndefault: web\n")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    engine = open_database(f"sqlite:///{tmp_path / 'intake.db'}")
    migrate(engine)
    writer = Writer(engine)
    writer.start()
    yield writer
    writer.stop()
    engine.dispose()


def test_rules_that_load_as_an_event_is_queued_decide_it(writer: Writer) -> None:
    in_force: list[Rules | None] = [RULES, None]  # none when it came in, these at its commit
    intake = Intake(
        writer, in_force.pop, Telemetry(), quota=Quota(0), public_url="http://127.0.0.1"
    )
    (handled,) = asyncio.run(intake.take([EVENT], "native", ("1", "")))
    assert (handled.outcome, handled.reasons) == ("notified", (("log", "first_seen"),))


@pytest.mark.parametrize(
    ("events", "beside"),
    [
        ([raised_in("a.py")], False),
        ([raised_in(*["a.py"] * 501)], True),
        ([EVENT] * 501, True),  # without frames
    ],
)
def test_what_takes_long_to_decide_keeps_no_other_sender_waiting(
    writer: Writer, events: list[Event], beside: bool
) -> None:
    decided_on: list[Thread] = []

    def rules() -> Rules:
        decided_on.append(current_thread())
        return RULES

    intake = Intake(writer, rules, Telemetry(), quota=Quota(0), public_url="http://127.0.0.1")
    asyncio.run(intake.take(events, "native", ("1", "")))
    assert [thread is not current_thread() for thread in decided_on] == [beside]


def test_others_have_their_turn_between_the_parts_of_a_large_request(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'large.db'}")
    migrate(engine)
    commits: list[int] = []
    writer = Writer(engine, on_commit=lambda jobs, _seconds: commits.append(jobs))
    writer.start()
    intake = Intake(writer, lambda: RULES, Telemetry(), quota=Quota(0), public_url="http://x")
    many = [msgspec.structs.replace(EVENT, event_id=f"{number:032x}") for number in range(2500)]
    handled = asyncio.run(intake.take(many, "otlp_logs", ("1", "")))
    writer.stop()  # it tells of a commit after it has answered
    engine.dispose()
    assert [one.event_id for one in handled] == [event.event_id for event in many]
    assert commits == [1, 1, 1]


class NotingSeal(Seal):
    """A seal that remembers on which thread it closed what."""

    def __init__(self) -> None:
        super().__init__(["a key of sixteen characters"])
        self.closed_on: list[Thread] = []

    def close(self, content: bytes, label: str) -> bytes:
        self.closed_on.append(current_thread())
        return super().close(content, label)


@pytest.mark.parametrize(("size", "beside"), [(9, False), (LARGE + 1, True)])
def test_what_takes_long_to_seal_keeps_no_other_sender_waiting(
    writer: Writer, tmp_path: Path, size: int, beside: bool
) -> None:
    seal, telemetry = NotingSeal(), Telemetry()
    forwarder = Forwarder(
        parse_dsn("http://k@upstream/1"),
        seal,
        RateLimits(NOT_ERRORS),
        writer=writer,
        store=Store(open_database(f"sqlite:///{tmp_path / 'intake.db'}")),
        telemetry=telemetry,
        clock=lambda: NOW,
        client=httpx.Client(),
        capacity=99,
    )
    intake = Intake(
        writer, lambda: RULES, telemetry, forwarder, quota=Quota(0), public_url="http://127.0.0.1"
    )
    onward = Envelope(NOW, b"{}", (Passing(b'{"type":"event"}', b" " * size + b"{}"),), (0,))
    asyncio.run(intake.take([EVENT], "sentry_envelope", ("1", ""), onward))
    assert [thread is not current_thread() for thread in seal.closed_on] == [beside]
    forwarder.stop()
