"""The intake around the moment at which the first rules load."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from matchers.event import Event
from routers.rules import Rules, load_rules
from service.intake import Intake
from service.store.database import migrate, open_database
from service.store.writer import Writer
from service.telemetry import Telemetry

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVENT = Event(event_id="1" * 32, timestamp=NOW, received_at=NOW, message="the gnome is gone")
RULES = load_rules(b"version: 1\nteams: {web: {}}\ndefault: web\n", "rules.yaml", {}).rules


def test_rules_that_load_as_an_event_is_queued_decide_it(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'intake.db'}")
    migrate(engine)
    writer = Writer(engine)
    writer.start()
    in_force: list[Rules | None] = [RULES, None]  # none when it came in, these at its commit
    intake = Intake(writer, in_force.pop, Telemetry(), public_url="http://127.0.0.1")
    (handled,) = asyncio.run(intake.take([EVENT], "native"))
    writer.stop()
    engine.dispose()
    assert (handled.outcome, handled.reasons) == ("notified", (("log", "first_seen"),))
