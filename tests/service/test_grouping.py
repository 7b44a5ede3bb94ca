"""Which group an event comes to, in the database: over an upgrade, and by the rules file."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from matchers.event import Event
from matchers.fingerprint import fingerprint
from service.pipeline import Handled, accept, decide
from service.store.database import migrate, open_database
from service.store.writer import Writer
from tests.builders import an_event, the_rules

RULES = the_rules("teams: {web: {}}\ndefault: web\n")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    engine = open_database(f"sqlite:///{tmp_path / 'grouping.db'}")
    migrate(engine)
    writer = Writer(engine)
    writer.start()
    yield writer
    writer.stop()
    engine.dispose()


def late(id: str, by: str) -> Event:  # noqa: A002 the field's own word
    error = {"type": "Timeout", "value": f"after {by}", "frames": ["app/pay.py"]}
    return an_event(event_id=id * 32, exceptions=[error])


def accepted(writer: Writer, event: Event, *, by_v1: bool = False) -> Handled:
    decided = decide(event, RULES)
    if by_v1:  # as the release before it decided
        former = (fingerprint(event, "v1"),)
        decided = msgspec.structs.replace(decided, fingerprints=former)
    return writer.run(lambda tx: accept(event, decided, tx=tx, public_url=""))


def test_an_upgrade_of_the_recipe_keeps_groups_and_tells_nothing_anew(writer: Writer) -> None:
    before = accepted(writer, late("1", "900ms"), by_v1=True)
    after = [accepted(writer, late("2", "800ms")), accepted(writer, late("3", "1.2s"))]
    assert [one.group for one in after] == [before.group] * 2  # the last is known by v2 alone
    assert [one.outcome for one in (before, *after)] == ["notified", "grouped", "grouped"]
