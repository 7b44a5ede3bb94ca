from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from routers.channels.incident_io import IncidentIo, fence, payload
from routers.errors import DeliveryError, PermanentError, TemporaryError
from service import simulators
from tests.alerts import an_alert
from tests.routers.simulators.sending import Clock, send

CHANNEL = IncidentIo(
    url=SecretStr("https://api.incident.io/v2/alert_events/http/01HX"), token=SecretStr("t0ken")
)


def test_an_alert_as_incident_io_is_told() -> None:
    told = payload(an_alert())
    assert told.pop("metadata")["release"] == "2026.3.1"
    assert told.pop("description").startswith("```\nKeyError: 'DE'\nserver/app/billing/tax.py:88")
    assert told == {
        "title": "New error: KeyError: 'DE'",
        "status": "firing",
        "deduplication_key": "pointsman-0123456789abcdef-6f6e54e6",
        "source_url": "https://pointsman.example.com/groups/0123456789abcdef",
    }


def test_plain_keeps_what_routes_are_made_of() -> None:
    told = payload(an_alert(plain=True))
    assert told["metadata"] == {"team": "payments", "severity": "critical"}
    assert told.keys().isdisjoint({"description", "source_url"})


def test_a_code_block_cannot_be_left() -> None:
    assert fence("a```b````c").count("```") == 2


def test_later_alerts_join_the_first() -> None:
    incident_io = simulators.IncidentIo(Clock())
    alerts: list[dict[str, Any]] = [{}, {"reason": "escalation"}, {"environment": "staging"}]
    receipts = [send(CHANNEL, incident_io, **over).external_id for over in alerts]
    assert [len(told) for told in incident_io.alerts.values()] == [2, 1]
    assert receipts[0] == receipts[1] != receipts[2]


def test_the_token_is_the_bearer() -> None:
    headers: list[str] = []

    def take(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers["Authorization"])
        return simulators.IncidentIo(Clock())(request)

    send(CHANNEL, take)
    assert headers == ["Bearer t0ken"]


def test_what_is_too_large_would_be_answered_as_too_often() -> None:
    """Why nothing that large is ever sent."""
    request = httpx.Request(
        "POST",
        CHANNEL.url.get_secret_value(),
        content=b"x" * 512_001,
        headers={"Authorization": "Bearer t0ken"},
    )
    assert simulators.IncidentIo(Clock())(request).status_code == 429


def test_the_1201st_of_a_minute_waits() -> None:
    clock = Clock()
    incident_io = simulators.IncidentIo(clock)
    for _ in range(1_200):
        send(CHANNEL, incident_io)
    with pytest.raises(TemporaryError):
        send(CHANNEL, incident_io)
    clock.passes(minutes=1)
    assert send(CHANNEL, incident_io).external_id


@pytest.mark.parametrize("said", ["", "ok", '{"status": "rejected"}'])
def test_a_2xx_that_is_not_incident_ios_is_no_alert(said: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        send(CHANNEL, lambda _: httpx.Response(202, text=said))
    assert (type(raised.value), raised.value.code) == (PermanentError, "unexpected_answer")
