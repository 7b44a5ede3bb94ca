"""While the database is away: accepted into the spool, brought in afterwards, each once."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.runtime import Runtime
from service.spool import Batch, Spooled
from service.store.spool_file import Row, SpoolError, SpoolFile
from service.store.tables import to_us
from tests.builders import NOW, an_event
from tests.running import wait_for
from tests.service.house import Clock, running, the_database_away

DOOR = "/api/1/envelope/"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(tmp_path: Path, clock: Clock) -> Iterator[TestClient]:
    with running(tmp_path, clock) as client:
        yield client


@pytest.fixture
def house(client: TestClient) -> Runtime:
    runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    return runtime


def envelope(number: int, **more: Any) -> bytes:
    """Each number is an event and a group of its own."""
    frame = {"filename": f"billing/n{number}.py", "function": "rate"}
    error = {"type": f"Tax{number}Error", "stacktrace": {"frames": [frame]}}
    event = {"event_id": f"{number:032x}", "exception": {"values": [error]}} | more
    return b'{}\n{"type":"event"}\n%s\n' % json.dumps(event).encode()


def send(client: TestClient, *numbers: int) -> list[int]:
    return [client.post(DOOR, content=envelope(number)).status_code for number in numbers]


def books(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/accounting").json()
    return found


def levels(caplog: pytest.LogCaptureFixture, message: str) -> list[str]:
    return [one.levelname for one in caplog.records if one.message == message]


def drained(house: Runtime) -> None:
    wait_for(lambda: house.writer.down is None and house.spool.standing().oldest is None)


def in_the_file(tmp_path: Path) -> bytes:
    with closing(sqlite3.connect(tmp_path / "spool.db")) as connection:
        return b"".join(body for (body,) in connection.execute("SELECT body FROM batches"))


def test_what_comes_while_the_database_is_away_is_there_afterwards_once(
    client: TestClient, house: Runtime, clock: Clock
) -> None:
    assert send(client, 1) == [200]
    with the_database_away(house):
        assert send(client, 2, 3) == [200, 200]
        clock.move(timedelta(microseconds=1))
        assert send(client, 2) == [200]
    drained(house)
    assert send(client, 3) == [200]
    said = books(client)
    assert (said["accepted"], said["outcomes"]) == (5, {"duplicate": 2, "notified": 3})
    assert said["unaccounted"] == 0
    assert [group["times_seen"] for group in client.get("/api/v1/groups").json()["groups"]] == [
        1
    ] * 3


def test_it_keeps_the_moment_at_which_it_came(
    client: TestClient, house: Runtime, clock: Clock
) -> None:
    with the_database_away(house):
        send(client, 1)
        clock.move(timedelta(hours=1))
    drained(house)
    (group,) = client.get("/api/v1/groups").json()["groups"]
    assert group["first_seen"] == group["last_seen"] == "2026-11-23T03:00:00Z"


def test_everything_speaks_of_it_meanwhile(
    client: TestClient, house: Runtime, clock: Clock
) -> None:
    with the_database_away(house):
        send(client, 1, 2)
        clock.move(timedelta(seconds=7))
        ready, metrics = client.get("/readyz"), client.get("/metrics").text
        page = client.get("/", headers={"accept": "text/html"})
    waits = "2 events wait in the spool, since 7 s"
    assert ready.status_code == 200
    assert ready.json()["warnings"] == [
        f"spooled: {waits}",
        "store_unavailable: no such table: ledger",
    ]
    assert (page.status_code, waits in page.text) == (503, True)
    for line in ("spool_events 2.0", "spool_oldest_seconds 7.0", "store_available 0.0"):
        assert f"pointsman_{line}" in metrics
    assert 'pointsman_events_spooled_total{adapter="sentry_envelope"} 2.0' in metrics


def test_what_does_not_need_the_database_is_told_meanwhile_too(tmp_path: Path) -> None:
    with running(tmp_path, quota_per_minute=1) as client:
        house: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
        send(client, 1, 2)
        with the_database_away(house):
            send(client, 3)
            warnings = client.get("/readyz").json()["warnings"]
    assert [one.partition(":")[0] for one in warnings] == [
        "spooled",
        "over_quota",
        "store_unavailable",
    ]


def test_what_is_left_is_on_the_page_of_groups(client: TestClient, house: Runtime) -> None:
    house.drain_watch.stop()
    with the_database_away(house):
        send(client, 1)
    wait_for(lambda: house.writer.down is None)
    assert "1 event waits in the spool" in client.get("/").text
    house.drain_watch.look()


def test_the_api_says_whose_it_is_and_no_group_that_nobody_knows(
    client: TestClient, house: Runtime
) -> None:
    with the_database_away(house):
        event = {"exceptions": [{"type": "E", "frames": ["billing/a.py"]}]}
        answer = client.post("/api/v1/events", json=event)
    said = answer.json()["events"][0]
    assert answer.status_code == 202
    assert (said["group"], said["owner"], said["step"]) == (None, "payments", "frame")


def test_only_what_is_masked_is_spooled(client: TestClient, house: Runtime, tmp_path: Path) -> None:
    with the_database_away(house):
        body = envelope(1, message="password=hunter2", tags={"customer": "Ada"})
        client.post(DOOR, content=body)
        spooled = in_the_file(tmp_path)
    assert b"billing/n1.py" in spooled
    assert (b"hunter2" in spooled, b"Ada" in spooled) == (False, False)


def test_a_group_is_the_one_it_was_of_before_it_was_masked(
    client: TestClient, house: Runtime
) -> None:
    def post(number: int) -> None:
        event = {"event_id": f"{number:032x}", "fingerprint": ["password=hunter2"]}
        client.post("/api/1/store/", json=event | {"message": "no"})

    post(1)
    with the_database_away(house):
        post(2)
    drained(house)
    (group,) = client.get("/api/v1/groups").json()["groups"]
    assert group["times_seen"] == 2


def test_without_rules_it_is_undecided_until_they_load(tmp_path: Path) -> None:
    rules = tmp_path / "none.yaml"
    with running(tmp_path, rules=rules) as client:
        house: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
        with the_database_away(house):
            assert send(client, 1) == [200]
        drained(house)
        assert books(client)["outcomes"] == {"undecided": 1}
        rules.write_text("version: 1\nteams: {web: {}}\ndefault: web\n")
        house.reload_rules()
        assert books(client)["outcomes"] == {"notified": 1}


def test_beyond_the_quota_it_is_counted_afterwards(tmp_path: Path) -> None:
    with running(tmp_path, quota_per_minute=1) as client:
        house: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
        with the_database_away(house):
            assert send(client, 1, 2, 3) == [200, 200, 200]
        drained(house)
        assert books(client)["outcomes"] == {"notified": 1, "over_quota": 2}


def test_a_spool_that_is_full_refuses_loudly_and_takes_again_once_it_is_drained(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path, spool_bytes=900) as client:
        house: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
        with the_database_away(house):
            answers = send(client, 1, 2, 3, 4)
            ready = client.get("/readyz")
            metrics = client.get("/metrics").text
            page = client.get("/", headers={"accept": "text/html"}).text
        assert "900 bytes wait" in page
        accepted = answers.count(200)
        assert answers == [200] * accepted + [503] * (4 - accepted)
        assert 0 < accepted < 4
        assert (ready.status_code, ready.json()["status"]) == (503, "refusing")
        assert "spool_full: 900 bytes wait" in ready.json()["warnings"]
        assert "pointsman_spool_refusing 1.0" in metrics
        assert levels(caplog, "spool_full") == ["ERROR"]
        drained(house)
        assert books(client)["accepted"] == accepted
        assert client.get("/readyz").json() == {"status": "ready", "warnings": []}


def batch(*events: Any, adapter: str = "native") -> Batch:
    return Batch(adapter=adapter, received_at=NOW, events=tuple(map(Spooled, events)))


def put(house: Runtime, *batches: Batch) -> None:
    for one in batches:
        house.spool.put(one).result()


def test_what_was_committed_and_not_deleted_is_known_and_not_counted_again(
    client: TestClient, house: Runtime
) -> None:
    house.drain_watch.stop()
    first = [an_event(event_id=f"{number:032x}") for number in (1, 2)]
    put(house, batch(*first), batch(*first))  # as if the service had died before it deleted it
    later = an_event(event_id=f"{1:032x}", at=NOW + timedelta(seconds=1))
    put(house, batch(later))  # a sender sent it again
    house.drain_watch.look()
    assert (books(client)["accepted"], books(client)["outcomes"]["duplicate"]) == (3, 1)
    assert books(client)["unaccounted"] == 0


def test_a_request_that_names_one_event_twice_loses_nothing_of_its_second_part(
    client: TestClient, house: Runtime
) -> None:
    house.drain_watch.stop()
    one, two = (an_event(event_id=f"{number:032x}") for number in (1, 2))
    put(house, batch(one), batch(one, two))  # the parts of a request have the same moment
    house.drain_watch.look()
    assert books(client)["outcomes"] == {"duplicate": 1, "unowned": 2}


def test_what_cannot_be_read_is_set_aside_and_holds_up_nothing(
    client: TestClient, house: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    SpoolFile(tmp_path / "spool.db").append([Row(to_us(NOW), 1, b"{not json")], 2**20)
    put(house, batch(an_event()))
    drained(house)
    assert books(client)["accepted"] == 1
    warnings = client.get("/readyz").json()["warnings"]
    assert warnings == ["spool_set_aside: 1 batches cannot be brought in"]
    assert [one.levelname for one in caplog.records if one.message == "spool_set_aside"] == [
        "ERROR"
    ]


def test_what_could_not_be_deleted_is_not_brought_in_again_and_deleted_later(
    client: TestClient, house: Runtime, tmp_path: Path
) -> None:
    house.drain_watch.stop()
    put(house, batch(an_event()))
    with closing(sqlite3.connect(tmp_path / "spool.db", isolation_level=None)) as other:
        other.execute(
            "CREATE TRIGGER no BEFORE DELETE ON batches BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
        with pytest.raises(SpoolError, match="no"):
            house.drain_watch.look()
        assert (books(client)["accepted"], house.spool.standing().events) == (1, 1)
        other.execute("DROP TRIGGER no")
    house.drain_watch.look()
    assert (books(client)["accepted"], house.spool.standing().events) == (1, 0)


def test_it_is_brought_in_in_the_order_in_which_it_came(
    client: TestClient, house: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "pointsman")
    with the_database_away(house):
        send(client, *range(1, 251))
    drained(house)
    lines = [vars(one) for one in caplog.records if one.message == "event"]
    said = [(line["reason"], line["event_id"]) for line in lines]
    assert said == [("notified", f"{number:032x}") for number in range(1, 251)]


def test_a_writer_that_is_behind_keeps_nobody_waiting(client: TestClient, house: Runtime) -> None:
    begun, go_on = Event(), Event()
    house.writer.submit(lambda _tx: (begun.set(), go_on.wait(20)))
    begun.wait(20)
    assert send(client, 1) == [200]  # its job waits in the writer too
    otlp = client.post("/v1/logs", json={"resourceLogs": []})
    assert otlp.status_code == 200
    assert house.spool.standing().events == 1
    go_on.set()
    drained(house)
    assert (books(client)["accepted"], books(client)["unaccounted"]) == (1, 0)
    assert (
        'received_total{adapter="sentry_envelope",outcome="notified"} 1.0'
        in client.get("/metrics").text
    )


def test_what_was_spooled_outlives_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        house: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
        house.drain_watch.stop()
        with the_database_away(house):
            send(client, 1)
    with running(tmp_path) as client:
        drained(client.app.state.runtime)  # type: ignore[attr-defined]
        assert books(client)["accepted"] == 1
