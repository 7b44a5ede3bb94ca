import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from routers.channels.pagerduty import PagerDuty, payload
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from service import simulators
from tests.alerts import an_alert
from tests.routers.simulators.sending import Clock, send

KEY = "R" * 32
CHANNEL = PagerDuty(routing_key=SecretStr(KEY))


def incidents(*alerts: dict[str, Any]) -> list[int]:
    """How many alerts each incident at PagerDuty has."""
    pagerduty = simulators.PagerDuty(Clock())
    for over in alerts:
        send(CHANNEL, pagerduty, **over)
    return [len(told) for told in pagerduty.open.values()]


def test_an_alert_as_pagerduty_is_told() -> None:
    told = payload(an_alert())
    event = told.pop("payload")
    details = event.pop("custom_details")
    link = "https://pointsman.example.com/groups/0123456789abcdef"
    assert told == {
        "event_action": "trigger",
        "dedup_key": "pointsman-0123456789abcdef-6f6e54e6",
        "client": "Pointsman",
        "client_url": link,
        "links": [{"href": link, "text": "Open in Pointsman"}],
    }
    assert event == {
        "summary": "New error: KeyError: 'DE'",
        "source": "server/app/billing/tax.py:88 in rate",
        "severity": "critical",
        "timestamp": "2026-03-01T12:00:00+00:00",
        "group": "payments",
    }
    assert (details["error"], details["release"]) == ("KeyError: 'DE'", "2026.3.1")


def test_plain_is_what_pagerduty_requires_and_the_links() -> None:
    told = payload(an_alert(plain=True))
    assert sorted(told["payload"]) == ["severity", "source", "summary", "timestamp"]
    assert told["client_url"].endswith("0123456789abcdef")


def test_without_a_frame_and_a_page_the_required_is_there() -> None:
    told = payload(an_alert(ownership={}, culprit="", permalink="", title=""))
    assert told["payload"]["source"] == "Pointsman"
    assert told.keys().isdisjoint({"links", "client_url"})


def test_later_alerts_join_the_incident() -> None:
    assert incidents({}, {"reason": "escalation"}, {"reason": "regression", "id": "0196"}) == [3]


def test_staging_does_not_swallow_productions_incident() -> None:
    assert incidents({"environment": "staging"}, {"environment": "production"}) == [1, 1]


def test_the_incident_is_known_by_its_key() -> None:
    receipt = send(CHANNEL, simulators.PagerDuty(Clock()))
    assert receipt.external_id == payload(an_alert())["dedup_key"]


@pytest.mark.parametrize(
    ("region", "host"), [("us", "events.pagerduty.com"), ("eu", "events.eu.pagerduty.com")]
)
def test_each_region_has_its_host(region: Any, host: str) -> None:
    hosts: list[str] = []

    def take(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return simulators.PagerDuty(Clock())(request)

    send(PagerDuty(routing_key=SecretStr(KEY), region=region), take)
    assert hosts == [host]


def test_the_121st_of_a_minute_waits_for_the_next() -> None:
    clock = Clock()
    pagerduty = simulators.PagerDuty(clock)
    for _ in range(120):
        send(CHANNEL, pagerduty, clock)
    with pytest.raises(TemporaryError) as raised:
        send(CHANNEL, pagerduty, clock)
    assert (raised.value.retry_after, raised.value.pause) == (timedelta(minutes=1), True)
    clock.passes(minutes=1)
    assert send(CHANNEL, pagerduty, clock).external_id


def test_what_pagerduty_calls_invalid_is_refused() -> None:
    with pytest.raises(RefusedError, match="invalid event"):
        send(CHANNEL, simulators.PagerDuty(Clock()), severity="fatal")


@pytest.mark.parametrize("said", ["", "<html>", "[]", '{"status": "invalid event"}'])
def test_a_2xx_that_is_not_pagerdutys_is_no_page(said: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        send(CHANNEL, lambda _: httpx.Response(202, text=said))
    assert (type(raised.value), raised.value.code) == (PermanentError, "unexpected_answer")


@pytest.mark.parametrize("key", ["", "R" * 31, "R" * 33, "R" * 31 + " ", "é" * 32, "R\n" * 16])
def test_a_key_that_cannot_be_one_is_refused_without_quoting_it(key: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PagerDuty(routing_key=SecretStr(key))
    assert "RR" not in str(raised.value)


def test_a_pasted_line_end_is_no_part_of_the_key() -> None:
    bodies: list[dict[str, Any]] = []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return simulators.PagerDuty(Clock())(request)

    send(PagerDuty(routing_key=SecretStr(f" {KEY}\n")), take)
    assert bodies[0]["routing_key"] == KEY
