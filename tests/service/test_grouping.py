"""Which group an event comes to, in the database: over an upgrade, and by the rules file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from matchers.event import Event
from matchers.fingerprint import fingerprint
from matchers.grouping import Grouped
from service.pipeline import Handled, accept, decide
from service.store.database import migrate, open_database
from service.store.writer import Writer
from tests.builders import an_event, the_rules
from tests.service.conftest import settled

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
        former = Grouped((fingerprint(event, "v1"),))
        decided = msgspec.structs.replace(decided, grouped=former)
    return writer.run(lambda tx: accept(event, decided, tx=tx, public_url=""))


def test_an_upgrade_of_the_recipe_keeps_groups_and_tells_nothing_anew(writer: Writer) -> None:
    before = accepted(writer, late("1", "900ms"), by_v1=True)
    after = [accepted(writer, late("2", "800ms")), accepted(writer, late("3", "1.2s"))]
    assert [one.group for one in after] == [before.group] * 2  # the last is known by v2 alone
    assert [one.outcome for one in (before, *after)] == ["notified", "grouped", "grouped"]


BY_THE_FILE = """version: 1
teams: {web: {receivers: [{channel: log}]}}
default: web
grouping:
  - {exception: "*Timeout", fingerprint: [down], title: "{{ tags.pool }} is down: {{ value }}"}
"""


def sent(client: TestClient, type: str, **more: object) -> str:  # noqa: A002 the field's own word
    error = {"type": type, "value": "by ann@acme.example", "frames": ["app/a.py"]}
    event = {"exceptions": [error], "tags": {"pool": "db", "plan": "gold"}}
    (answer,) = client.post("/api/v1/events", json=event | more).json()["events"]
    return str(answer["group"])


def test_two_errors_are_one_group_by_a_rule_and_called_as_it_says(
    start: Callable[..., TestClient], capfd: pytest.CaptureFixture[str]
) -> None:
    client = start(BY_THE_FILE)
    one, other, none = (sent(client, one) for one in ("PoolTimeout", "ReadTimeout", "KeyError"))
    assert one == other != none
    group = client.get(f"/api/v1/groups/{one}").json()
    assert (group["title"], group["times_seen"]) == ("db is down: by [masked: e-mail]", 2)
    settled(client)
    assert "db is down: by [masked: e-mail]" in capfd.readouterr().out


def test_explain_says_by_what_an_event_is_grouped(start: Callable[..., TestClient]) -> None:
    client = start(BY_THE_FILE)
    event = {"exceptions": [{"type": "PoolTimeout", "value": "x"}], "tags": {"pool": "db"}}
    shown = client.post("/api/v1/explain", json=event).json()["grouping"]
    assert shown["fingerprint"].startswith("v2:")
    assert (shown["by"], shown["title"], shown["entry"]["line"]) == ("rules", "db is down: x", 5)
    other = {"exceptions": [{"type": "KeyError"}], "fingerprint": ["mine"]}
    shown = client.post("/api/v1/explain", json=other).json()["grouping"]
    assert (shown["by"], shown["title"], shown["entry"]) == ("sdk", "KeyError", None)
