"""Silences from end to end: made, hiding, counting, ending; on a clock that is moved by hand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from routers.silences import Matcher, Silence
from service.runtime import Runtime
from service.silence_form import notation, posted_by
from service.store.database import migrate, open_database
from service.store.silences import REFRESH, SilenceStore
from service.store.transaction import Transaction
from service.store.writer import Writer
from tests.builders import NOW
from tests.databases import url_of
from tests.service.house import Clock, running

pytestmark = pytest.mark.usefixtures("either")

HOUR = timedelta(hours=1)
OF_PAYMENTS = {"name": "team", "value": "payments", "isRegex": False, "isEqual": True}
UNKNOWN = "01a2079d-b25f-7d96-b235-1b4605a0fa43"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(tmp_path: Path, clock: Clock) -> Iterator[TestClient]:
    with running(tmp_path, clock) as client:
        yield client


def in_rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def silence(client: TestClient, starts: datetime, ends: datetime, **more: Any) -> str:
    body = {
        "matchers": [OF_PAYMENTS],
        "startsAt": in_rfc3339(starts),
        "endsAt": in_rfc3339(ends),
        "createdBy": "ada",
        "comment": "the bank is down",
    }
    answer = client.post("/api/v1/silences", json=body | more)
    assert answer.status_code == 200, answer.text
    made: str = answer.json()["silenceID"]
    return made


def fail(client: TestClient, path: str = "billing/tax.py") -> dict[str, Any]:
    found: dict[str, Any] = client.post("/api/v1/events", json={"frames": [path]}).json()
    return found


def books(client: TestClient) -> tuple[dict[str, int], int]:
    found = client.get("/api/v1/accounting").json()
    return found["outcomes"], found["unaccounted"]


def told(client: TestClient) -> list[tuple[str, str]]:
    """The oldest first."""
    shown = client.get("/api/v1/deliveries").json()["deliveries"]
    return [(one["notification"]["team"], one["notification"]["reason"]) for one in shown[::-1]]


def listed(client: TestClient, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/v1/silences{query}").json()["silences"]
    return found


def states(client: TestClient) -> dict[str, str]:
    return {one["id"]: one["status"]["state"] for one in listed(client)}


def inside(client: TestClient) -> Runtime:
    runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    return runtime


def test_a_silence_is_shown_in_alertmanagers_shape(client: TestClient) -> None:
    made = silence(client, NOW, NOW + HOUR)
    assert listed(client) == [
        {
            "id": made,
            "status": {"state": "active"},
            "matchers": [OF_PAYMENTS],
            "startsAt": in_rfc3339(NOW),
            "endsAt": in_rfc3339(NOW + HOUR),
            "updatedAt": in_rfc3339(NOW),
            "createdBy": "ada",
            "comment": "the bank is down",
            "hidden": 0,
            "hiddenAt": None,
        }
    ]


def test_a_day_with_a_silence(client: TestClient, clock: Clock) -> None:
    """It starts later, hides, counts and ends; then the next event is told."""
    made = silence(client, NOW + HOUR, NOW + 2 * HOUR)
    fail(client, "billing/before.py")
    clock.move(HOUR)
    fail(client, "billing/before.py")
    fail(client, "billing/during.py")
    fail(client, "billing/during.py")
    fail(client, "search/during.py")
    (shown,) = listed(client)
    assert (shown["status"]["state"], shown["hidden"]) == ("active", 2)
    assert shown["hiddenAt"] == in_rfc3339(clock.now)
    assert told(client) == [("payments", "first_seen"), ("search", "first_seen")]
    clock.move(HOUR)
    assert states(client) == {made: "expired"}
    fail(client, "billing/during.py")
    assert told(client)[2:] == [("payments", "first_seen")]
    assert books(client) == ({"grouped": 1, "notified": 3, "silenced": 2}, 0)


def test_an_event_is_told_at_the_first_microsecond_after_the_end(
    client: TestClient, clock: Clock
) -> None:
    silence(client, NOW, NOW + HOUR)
    clock.move(HOUR - timedelta(microseconds=1))
    fail(client)
    assert told(client) == []
    clock.move(timedelta(microseconds=1))
    fail(client)
    assert told(client) == [("payments", "first_seen")]


def test_a_silence_that_is_expired_by_hand_hides_nothing_more(client: TestClient) -> None:
    made = silence(client, NOW, NOW + HOUR)
    fail(client)
    ended = client.delete(f"/api/v1/silences/{made}")
    assert (ended.status_code, ended.json()["status"]["state"]) == (200, "expired")
    fail(client)
    assert told(client) == [("payments", "first_seen")]
    assert listed(client)[0]["hidden"] == 1


def test_a_silence_that_has_ended_stays_as_it_is(client: TestClient, clock: Clock) -> None:
    made = silence(client, NOW, NOW + HOUR)
    clock.move(2 * HOUR)
    assert client.delete(f"/api/v1/silences/{made}").json()["endsAt"] == in_rfc3339(NOW + HOUR)


def test_one_that_never_began_has_no_past(client: TestClient) -> None:
    made = silence(client, NOW + HOUR, NOW + 2 * HOUR)
    shown = client.delete(f"/api/v1/silences/{made}").json()
    assert (shown["startsAt"], shown["endsAt"]) == (in_rfc3339(NOW), in_rfc3339(NOW))


def test_a_change_expires_the_old_and_makes_a_new(client: TestClient, clock: Clock) -> None:
    old = silence(client, NOW, NOW + HOUR)
    clock.move(HOUR / 2)
    shown = listed(client)[0]
    longer = shown | {"endsAt": in_rfc3339(NOW + 3 * HOUR), "comment": "still down"}
    new = client.post("/api/v1/silences", json=longer).json()["silenceID"]
    assert states(client) == {new: "active", old: "expired"}
    clock.move(HOUR)
    fail(client)
    assert (told(client), listed(client)[0]["hidden"]) == ([], 1)


def test_two_silences_both_count_what_both_hide(client: TestClient) -> None:
    silence(client, NOW, NOW + HOUR)
    silence(client, NOW, NOW + HOUR)
    fail(client)
    assert [one["hidden"] for one in listed(client)] == [1, 1]
    assert books(client) == ({"silenced": 1}, 0)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("DELETE", f"/api/v1/silences/{UNKNOWN}", None, 404),
        ("POST", "/api/v1/silences", {"matchers": []}, 422),
        ("GET", "/api/v1/silences?state=past", None, 422),
        ("GET", "/api/v1/silences?cursor=x", None, 400),
        ("GET", "/api/v1/silences?limit=201", None, 422),
    ],
)
def test_a_refusal_is_a_problem_document(
    client: TestClient, method: str, path: str, body: object, status: int
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_each_problem_of_a_body_has_its_place(client: TestClient) -> None:
    body = {"matchers": [{"name": "tem", "value": "x"}], "endsAt": in_rfc3339(NOW + HOUR)}
    errors = client.post("/api/v1/silences", json=body).json()["errors"]
    assert [one["place"] for one in errors] == ["matchers.0.name", "createdBy", "comment"]


def test_a_change_of_what_is_not_there_makes_nothing(client: TestClient) -> None:
    body = {
        "id": UNKNOWN,
        "matchers": [OF_PAYMENTS],
        "endsAt": in_rfc3339(NOW + HOUR),
        "createdBy": "ada",
        "comment": "x",
    }
    assert client.post("/api/v1/silences", json=body).status_code == 404
    assert listed(client) == []


def test_lists_go_on_by_their_cursor_and_are_filtered_by_state(
    client: TestClient, clock: Clock
) -> None:
    made = [silence(client, NOW + n * HOUR, NOW + (n + 1) * HOUR) for n in range(3)]
    clock.move(HOUR)
    first = client.get("/api/v1/silences?limit=2").json()
    rest = client.get(f"/api/v1/silences?limit=2&cursor={first['next']}").json()
    assert [one["id"] for one in first["silences"] + rest["silences"]] == made[::-1]
    assert rest["next"] is None
    by_state = {
        state: [one["id"] for one in listed(client, f"?state={state}")]
        for state in ("expired", "active", "pending")
    }
    assert list(by_state.values()) == [[made[0]], [made[1]], [made[2]]]


def test_the_metrics_count_active_silences_and_what_they_suppressed(client: TestClient) -> None:
    silence(client, NOW, NOW + HOUR)
    silence(client, NOW + HOUR, NOW + 2 * HOUR)
    fail(client)
    shown = client.get("/metrics").text
    assert "pointsman_silences_active 1.0" in shown
    assert 'pointsman_notifications_suppressed_total{reason="silenced"} 1.0' in shown


def test_silences_and_their_counts_outlive_a_restart(tmp_path: Path, clock: Clock) -> None:
    with running(tmp_path, clock) as client:
        silence(client, NOW, NOW + HOUR)
        fail(client)
    with running(tmp_path, clock) as client:
        fail(client)
        assert (listed(client)[0]["hidden"], told(client)) == (2, [])
        clock.move(HOUR)
        fail(client)
        assert told(client) == [("payments", "first_seen")]
        assert books(client) == ({"notified": 1, "silenced": 2}, 0)


@pytest.mark.parametrize("either", ["sqlite"], indirect=True)
def test_an_event_asks_the_database_of_no_silence(client: TestClient) -> None:
    fail(client)
    asked: list[str] = []
    inside(client).writer.run(lambda tx: tx._cursor.connection.set_trace_callback(asked.append))
    for _ in range(5):
        fail(client)
    assert len(asked) > 5
    assert [one for one in asked if "silences" in one] == []


def look(client: TestClient) -> list[dict[str, Any]]:
    """Every warning that is queued by now, after one more look."""
    inside(client).silence_watch.look()
    shown = [one["notification"] for one in client.get("/api/v1/deliveries").json()["deliveries"]]
    return [one for one in shown if one["reason"] == "digest"]


def test_who_is_silenced_is_warned_once_before_a_silence_ends_that_still_hides(
    client: TestClient, clock: Clock
) -> None:
    silence(client, NOW, NOW + 2 * HOUR)
    clock.move(HOUR)
    fail(client)
    clock.move(timedelta(minutes=44))
    assert look(client) == []
    clock.move(timedelta(minutes=2))
    (warned,) = look(client)
    assert look(client) == [warned]
    assert (warned["team"], warned["receiver"], warned["severity"]) == ("payments", "log", "info")
    assert warned["title"].startswith("A silence ends in 14 min and still hides ")
    assert warned["why"] == "hid 1 by ada: the bank is down"
    assert warned["permalink"].endswith("/silences")
    assert books(client) == ({"silenced": 1}, 0)


def test_a_warning_is_not_repeated_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    for _ in range(2):
        with running(tmp_path, clock) as client:
            if clock.now == NOW:
                silence(client, NOW, NOW + HOUR)
                fail(client)
                clock.move(timedelta(minutes=50))
            assert len(look(client)) == 1


def test_a_silence_that_hid_nothing_lately_ends_without_a_word(
    client: TestClient, clock: Clock
) -> None:
    silence(client, NOW, NOW + 3 * HOUR)
    silence(client, NOW, NOW + 3 * HOUR, matchers=[{"name": "team", "value": "search"}])
    fail(client)
    clock.move(3 * HOUR - timedelta(minutes=5))
    assert look(client) == []


def test_a_warning_does_not_count_as_told(client: TestClient, clock: Clock) -> None:
    silence(client, NOW, NOW + HOUR)
    clock.move(timedelta(minutes=50))
    fail(client)
    look(client)
    clock.move(timedelta(minutes=10))
    fail(client)
    assert told(client) == [("payments", "digest"), ("payments", "first_seen")]


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[list[Writer]]:
    """Of two services on one database."""
    engines = [open_database(url_of(tmp_path)) for _ in range(2)]
    migrate(engines[0])
    writers = [Writer(engine) for engine in engines]
    for writer in writers:
        writer.start()
    yield writers
    for writer in writers:
        writer.stop()
    for engine in engines:
        engine.dispose()


def of_payments(id: str = "s1") -> Silence:  # noqa: A002
    return Silence(
        id=id,
        matchers=(Matcher("team", "payments"),),
        starts_at=NOW,
        ends_at=NOW + HOUR,
        created_by="ada",
        comment="x",
    )


def active(writer: Writer, now: datetime) -> list[str]:
    return [one.id for one in writer.run(lambda tx: tx.silences(now))]


def test_what_another_service_silences_holds_within_seconds(writers: list[Writer]) -> None:
    ours, other = writers
    assert active(ours, NOW) == []
    other.run(lambda tx: tx.put_silence(of_payments(), NOW))
    assert active(other, NOW) == ["s1"]
    assert active(ours, NOW + REFRESH) == ["s1"]


def test_a_silence_that_was_not_committed_never_held(writers: list[Writer]) -> None:
    def broken(tx: Transaction) -> None:
        tx.put_silence(of_payments(), NOW)
        assert [one.id for one in tx.silences(NOW)] == ["s1"]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        writers[0].run(broken)
    assert active(writers[0], NOW) == []


def test_an_event_that_waited_is_judged_by_when_it_came(writers: list[Writer]) -> None:
    writer = writers[0]
    writer.run(lambda tx: tx.put_silence(of_payments(), NOW))
    after = NOW + 2 * HOUR
    assert [active(writer, moment) for moment in (after, NOW, NOW - HOUR, after)] == [
        [],
        ["s1"],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('team="payments"', 'team="payments"'),
        ("team=payments", 'team="payments"'),
        (' title =~ "Time.*\\\\d" ', 'title=~"Time.*\\\\d"'),
        (r"title=~Time.*\d", 'title=~"Time.*\\\\d"'),
        (r'title="say \"a=b\""', r'title="say \"a=b\""'),
        ("environment!=staging", 'environment!="staging"'),
        ('environment=""', 'environment=""'),
    ],
)
def test_matchers_are_written_as_alertmanager_has_them(
    client: TestClient, line: str, shown: str
) -> None:
    form = {"matchers": f"{line}\nlevel=error\n", "for": "1 h", "createdBy": "ada", "comment": "x"}
    body = posted_by(form, NOW)
    client.post("/api/v1/silences", content=body)
    (kept,) = SilenceStore(inside(client).engine).page(1, now=NOW).items
    assert notation(kept.silence.matchers[0]) == shown
