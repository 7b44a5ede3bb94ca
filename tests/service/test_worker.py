"""At least once, in the right place: leases, retries, fallbacks."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from service.runtime import Runtime
from service.store.transaction import Transaction
from service.worker import LEASE
from tests.routers.mail import a_mail_server
from tests.service.house import Clock, running

pytestmark = pytest.mark.usefixtures("either")

HOOK = "http://hooks.example/x"
RULES = f"""version: 1
teams: {{payments: {{receivers: [{{channel: hook}}]}}}}
channels:
  hook: {{webhook: {{url: {HOOK}}}}}
  unset: {{webhook: {{url: $NOT_SET}}}}
rules: [{{path: /billing/, owner: payments}}]
"""


class Peer:
    """A destination: answers what it is told to, and remembers what came."""

    def __init__(self, *answers: httpx.Response | type[httpx.TransportError]) -> None:
        self.answers = list(answers)
        self.ids: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if b"cannot be told" in request.content:
            return httpx.Response(200)
        self.ids.append(request.headers["webhook-id"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, type):
            raise answer("no", request=request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=b"")


def answers(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers)


def until(found: Callable[[], Any], seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
    return value


def inside(client: TestClient) -> Runtime:
    runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    return runtime


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


@pytest.fixture
def clock() -> Clock:
    return Clock()


def delivery(client: TestClient, state: str, at: int = 0) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = client.get("/api/v1/deliveries").json()["deliveries"]
        return [one for one in listed if one["state"] == state]

    one: dict[str, Any] = until(found)[at]
    return one


def fail(client: TestClient) -> None:
    client.post("/api/v1/events", json={"frames": ["billing/tax.py"]}).raise_for_status()


def test_a_delivery_that_failed_comes_again_with_the_same_id(folder: Path, clock: Clock) -> None:
    peer = Peer(answers(503), httpx.ConnectError, answers(200))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        for code in ("server_error", "connection_lost"):
            until(lambda code=code: delivery(client, "pending")["last_code"] == code)
            clock.move(timedelta(minutes=6))
        done = delivery(client, "delivered")
    assert (done["attempts"], done["last_error"]) == (3, None)
    assert len(set(peer.ids)) == 1 < len(peer.ids)


def test_retry_after_quiets_the_whole_destination(folder: Path, clock: Clock) -> None:
    peer = Peer(answers(429, **{"Retry-After": "600"}), answers(200))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        until(lambda: delivery(client, "pending")["last_code"] == "rate_limited")
        client.post("/api/v1/events", json={"frames": ["billing/other.py"]})
        time.sleep(1.5)  # longer than the worker's poll
        assert len(peer.ids) == 1
        clock.move(timedelta(seconds=601))
        until(lambda: len(peer.ids) == 3)


@pytest.mark.parametrize(
    ("receiver", "peer", "code", "queued"),
    [  # who hears instead hears of a breaker that opens, too
        ("hook", Peer(answers(410)), "gone", 3),
        ("hook", Peer(answers(404)), "not_found", 3),
        ("unset", Peer(answers(200)), "unconfigured", 2),
    ],
)
def test_what_a_receiver_cannot_be_told_goes_to_the_fallback(
    folder: Path, clock: Clock, receiver: str, peer: Peer, code: str, queued: int
) -> None:
    (folder / "rules.yaml").write_text(RULES.replace("channel: hook", f"channel: {receiver}"))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        dead, told = delivery(client, "dead"), delivery(client, "delivered")
        books = client.get("/api/v1/accounting").json()
        ready = client.get("/readyz").json()
    assert (dead["last_code"], dead["fallback"]) == (code, "log")
    assert told["notification"]["receiver"] == "log"
    assert (books["queued"], books["unaccounted"]) == (queued, 0)
    assert not any("dead_deliveries" in said for said in ready["warnings"])


def test_a_fallback_hears_with_the_same_id_what_may_have_been_told(
    folder: Path, clock: Clock
) -> None:
    spare = RULES.replace("  unset:", f"  spare: {{webhook: {{url: {HOOK}}}}}\n  unset:")
    (folder / "rules.yaml").write_text(spare + "policy: {fallback_receivers: [spare]}\n")
    peer = Peer(httpx.ReadTimeout, answers(410), answers(200))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        until(lambda: delivery(client, "pending")["last_code"] == "timeout")
        clock.move(timedelta(minutes=6))
        until(lambda: len(peer.ids) == 3)
        dead = delivery(client, "dead")
    assert (dead["last_code"], dead["fallback"]) == ("gone", "spare")
    assert peer.ids == [dead["id"]] * 3


def test_a_receiver_that_the_rules_dropped_goes_to_the_fallback(folder: Path, clock: Clock) -> None:
    peer = Peer(answers(503))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        delivery(client, "pending")
        (folder / "rules.yaml").write_text("version: 1")
        client.post("/api/v1/rules/reload")
        clock.move(timedelta(minutes=6))
        assert delivery(client, "dead")["last_code"] == "receiver_gone"


def test_what_no_fallback_takes_is_said_by_readyz_and_can_be_retried(
    folder: Path, clock: Clock
) -> None:
    (folder / "rules.yaml").write_text(RULES + "policy: {fallback_receivers: []}\n")
    peer = Peer(answers(410), answers(200))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        dead = delivery(client, "dead")
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["warnings"][-1]) == (
            200,
            "dead_deliveries: 1 were told nowhere",
        )
        assert client.post(f"/api/v1/deliveries/{dead['id']}/retry").status_code == 200
        assert delivery(client, "delivered")["id"] == dead["id"]
        assert client.post(f"/api/v1/deliveries/{dead['id']}/retry").status_code == 409
        assert client.get("/api/v1/accounting").json()["unaccounted"] == 0


def test_a_message_refused_as_malformed_is_sent_once_more_as_short_text(
    folder: Path, clock: Clock
) -> None:
    peer = Peer(answers(400), answers(200))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        assert delivery(client, "delivered")["plain"] is True


def test_a_dead_workers_delivery_returns_after_its_lease(folder: Path, clock: Clock) -> None:
    peer = Peer(answers(503), answers(200))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        until(lambda: delivery(client, "pending")["last_code"] == "server_error")
        id_ = delivery(client, "pending")["id"]

        def die_with_it(tx: Transaction) -> None:
            leased = tx.delivery(id_)
            assert leased is not None
            tx.put_delivery(leased.leased(until=clock() + LEASE))

        inside(client).writer.run(die_with_it)
        clock.move(LEASE - timedelta(seconds=1))
        time.sleep(1.5)
        assert delivery(client, "pending")["attempts"] == 2
        clock.move(timedelta(seconds=2))
        assert delivery(client, "delivered")["attempts"] == 3


def test_an_alert_carries_the_decision_and_the_event(folder: Path, clock: Clock) -> None:
    bodies: list[dict[str, Any]] = []

    def peer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200)

    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        until(lambda: bodies)
    (told,) = bodies[0]["notifications"]
    assert told["ownership"]["owners"] == ["payments"]
    assert told["event"]["exceptions"][0]["frames"][0]["filename"] == "billing/tax.py"


@pytest.mark.parametrize("either", ["sqlite"], indirect=True)  # alone there
def test_a_service_that_comes_back_sends_at_once_what_it_was_sending(
    folder: Path, clock: Clock
) -> None:
    peer = Peer(answers(503), answers(200))
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        fail(client)
        until(lambda: delivery(client, "pending")["last_code"] == "server_error")
        id_ = delivery(client, "pending")["id"]

        def die_with_it(tx: Transaction) -> None:
            leased = tx.delivery(id_)
            assert leased is not None
            tx.put_delivery(leased.leased(until=clock() + LEASE))

        inside(client).writer.run(die_with_it)
    with running(folder, clock, transport=httpx.MockTransport(peer)) as client:
        assert delivery(client, "delivered")["id"] == id_


def test_a_second_service_leaves_alone_what_the_first_is_sending(
    folder: Path, clock: Clock
) -> None:
    sending, answered = Event(), Event()
    ids: list[str] = []

    def peer(request: httpx.Request) -> httpx.Response:
        ids.append(request.headers["webhook-id"])
        sending.set()
        answered.wait(10)
        return httpx.Response(200)

    transport = httpx.MockTransport(peer)
    with running(folder, clock, transport=transport) as client:
        fail(client)
        sending.wait(10)
        with running(folder, clock, transport=transport):
            time.sleep(1.5)
            answered.set()
        assert delivery(client, "delivered")["attempts"] == 1
    assert len(ids) == 1


def test_who_of_several_was_not_told_stands_at_the_delivery(folder: Path, clock: Clock) -> None:
    with a_mail_server("none") as server:
        server.refused = {"b@example.com": "550 no such user"}
        mail = f"{{smtp: 'smtp://127.0.0.1:{server.port}', starttls: false, from: bot@example.com"
        channel = f"  mail: {{email: {mail}, to: [a@example.com, b@example.com]}}}}\n"
        rules = RULES.replace("channel: hook", "channel: mail")
        (folder / "rules.yaml").write_text(rules.replace("channels:\n", f"channels:\n{channel}"))
        with running(folder, clock, allow_private_destinations=True) as client:
            fail(client)
            done = delivery(client, "delivered")
    assert (server.told, done["attempts"]) == (["a@example.com"], 1)
    assert (done["last_code"], done["last_error"]) == (
        "partly_taken",
        "b@example.com: answered 550: no such user",
    )
    assert done["external_id"] == f"<{done['id']}@example.com>"


def test_a_template_that_fails_is_said_at_the_delivery(folder: Path, clock: Clock) -> None:
    own = f'hook: {{webhook: {{url: {HOOK}}}, title: "{{{{ tags }}}}"}}'
    (folder / "rules.yaml").write_text(RULES.replace(f"hook: {{webhook: {{url: {HOOK}}}}}", own))
    with running(folder, clock, httpx.MockTransport(Peer(answers(200)))) as client:
        fail(client)
        one = delivery(client, "delivered")
        assert (one["last_code"], one["last_error"]) == (
            "template_failed",
            "TypeError: a dict is no text",
        )
        metrics = client.get("/metrics").text
        assert 'pointsman_templates_failed_total{channel="hook"} 1.0' in metrics
