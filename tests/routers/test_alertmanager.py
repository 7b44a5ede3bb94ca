import json
from datetime import timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from routers.channels.alertmanager import Alertmanager, payload
from routers.channels.base import Receipt
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from service import simulators
from tests.alerts import OWNERSHIP, an_alert
from tests.routers.simulators.sending import Clock, Handler, send

HOUR = timedelta(hours=1)


def replicas(*names: str, **settings: Any) -> Alertmanager:
    return Alertmanager(urls=[SecretStr(f"https://{name}.test/") for name in names], **settings)


def by_host(**handlers: Handler) -> Handler:
    return lambda request: handlers[request.url.host.partition(".")[0]](request)


def answering(status: int, **answer: Any) -> Handler:
    return lambda _: httpx.Response(status, **answer)


def test_an_alert_as_alertmanager_is_told() -> None:
    owned = OWNERSHIP | {"feature": "invoicing", "criticality": "high"}
    (told,) = payload(an_alert(ownership=owned), HOUR)
    annotations = told.pop("annotations")
    assert annotations["summary"] == "New error: KeyError: 'DE'"
    assert annotations["release"] == "2026.3.1"
    assert told == {
        "labels": {
            "alertname": "PointsmanError",
            "fingerprint": "0123456789abcdef",
            "team": "payments",
            "project": "1",
            "environment": "production",
            "severity": "critical",
            "feature": "invoicing",
            "criticality": "high",
        },
        "startsAt": "2026-03-01T12:00:00+00:00",
        "endsAt": "2026-03-01T13:00:00+00:00",
        "generatorURL": "https://pointsman.example.com/groups/0123456789abcdef",
    }


def test_plain_has_one_annotation() -> None:
    assert list(payload(an_alert(plain=True), HOUR)[0]["annotations"]) == ["summary"]


@pytest.mark.parametrize(
    "later",
    [{"title": "KeyError: 'FR'"}, {"release": "2"}, {"times_seen": 5}, {"reason": "repeat"}],
)
def test_no_label_changes_with_the_text_or_the_release(later: dict[str, Any]) -> None:
    assert payload(an_alert(**later), HOUR)[0]["labels"] == payload(an_alert(), HOUR)[0]["labels"]


def test_it_fires_for_as_long_as_it_is_held() -> None:
    clock = Clock()
    replica = simulators.Alertmanager(clock)
    send(replicas("a", hold="30m"), replica, clock)
    clock.passes(minutes=29)
    assert len(replica.firing()) == 1
    clock.passes(minutes=1)
    assert replica.firing() == []


def test_a_later_alert_is_the_same_and_fires_on() -> None:
    clock = Clock()
    replica = simulators.Alertmanager(clock)
    for _ in range(2):
        send(replicas("a"), replica, clock, times_seen=clock.now.minute)
        clock.passes(minutes=50)
    assert len(replica.firing()) == 1


def test_every_replica_is_told() -> None:
    a, b = (simulators.Alertmanager(Clock()) for _ in range(2))
    send(replicas("a", "b"), by_host(a=a, b=b))
    assert a.alerts == b.alerts
    assert len(a.alerts) == 1


def test_replicas_are_told_at_once() -> None:
    """One after another, three that hang would outlast the delivery's lease."""
    together = Barrier(3, timeout=5)

    def meet(_: httpx.Request) -> httpx.Response:
        together.wait()
        return httpx.Response(200)

    assert send(replicas("a", "b", "c"), meet) == Receipt()


def test_it_is_told_while_one_replica_takes_it() -> None:
    up = simulators.Alertmanager(Clock())
    assert send(replicas("a", "b"), by_host(a=answering(503), b=up)).external_id is None
    assert len(up.alerts) == 1


@pytest.mark.parametrize(
    ("answers", "kind", "said"),
    [
        ((503, 404), TemporaryError, "answered 503; answered 404"),
        ((404, 503), TemporaryError, "answered 404; answered 503"),
        ((400, 404), RefusedError, "answered 400; answered 404"),
        ((404, 401), PermanentError, "answered 404; answered 401"),
        ((503, 503), TemporaryError, "answered 503"),
    ],
)
def test_what_none_took_is_judged_by_the_one_that_leaves_most_hope(
    answers: tuple[int, int], kind: type[DeliveryError], said: str
) -> None:
    a, b = map(answering, answers)
    with pytest.raises(DeliveryError) as raised:
        send(replicas("a", "b"), by_host(a=a, b=b))
    assert (type(raised.value), str(raised.value)) == (kind, said)


def test_a_replica_that_asks_for_quiet_is_heard() -> None:
    asks = answering(429, headers={"Retry-After": "30"})
    with pytest.raises(TemporaryError) as raised:
        send(replicas("a", "b"), by_host(a=answering(404), b=asks))
    assert (raised.value.retry_after, raised.value.pause) == (timedelta(seconds=30), True)


def test_what_alertmanager_calls_invalid_is_refused() -> None:
    replica = simulators.Alertmanager(Clock())
    bad = payload(an_alert(), -HOUR)
    request = httpx.Request("POST", "https://a.test/api/v2/alerts", content=json.dumps(bad))
    assert replica(request).status_code == 400


@pytest.mark.parametrize(
    "settings",
    [
        {"urls": []},
        {"urls": [SecretStr("ftp://hush.test")]},
        {"urls": [SecretStr("https://hush.test")] * 11},
        {"urls": [SecretStr("https://hush.test")], "hold": "59s"},
        {"urls": [SecretStr("https://hush.test")], "hold": "53w"},
    ],
)
def test_a_bad_setting_is_refused_without_quoting_it(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        Alertmanager(**settings)
    assert "hush" not in str(raised.value)
