from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from routers.channels.opsgenie import Opsgenie, payload
from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from service import simulators
from tests.alerts import an_alert
from tests.routers.simulators.sending import Clock, send

KEY = SecretStr("5f1f1b2e-7c3a-4d9e-8b6a-2f4c1d0e9a7b")
CHANNEL = Opsgenie(api_key=KEY)


def requested(channel: Opsgenie) -> httpx.Request:
    requests: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return simulators.Opsgenie(Clock())(request)

    send(channel, take)
    return requests[0]


def test_an_alert_as_opsgenie_is_told() -> None:
    told = payload(an_alert())
    assert told.pop("details")["release"] == "2026.3.1"
    description = told.pop("description").splitlines()
    assert (description[0], description[-1][-16:]) == ("KeyError: 'DE'", "0123456789abcdef")
    assert told == {
        "message": "New error: KeyError: 'DE'",
        "alias": "pointsman-0123456789abcdef-6f6e54e6",
        "priority": "P1",
        "source": "Pointsman",
        "entity": "server/app/billing/tax.py:88 in rate",
        "tags": ["payments", "production", "critical"],
    }


@pytest.mark.parametrize(
    ("severity", "priority"),
    [("critical", "P1"), ("error", "P2"), ("warning", "P3"), ("info", "P5")],
)
def test_a_severity_is_a_priority(severity: str, priority: str) -> None:
    assert payload(an_alert(severity=severity))["priority"] == priority


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("team", "responder"),
    [
        ("Payments on call", {"type": "team", "name": "Payments on call"}),
        (
            "4513b7ea-3b91-438f-b7e4-e3e54af9147c",
            {"type": "team", "id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c"},
        ),
    ],
)
def test_a_team_responds_by_name_or_id(plain: bool, team: str, responder: dict[str, str]) -> None:
    assert payload(an_alert(plain=plain), team)["responders"] == [responder]


@pytest.mark.parametrize(
    ("api_url", "url"),
    [
        (None, "https://api.opsgenie.com/v2/alerts"),
        ("https://api.eu.opsgenie.com", "https://api.eu.opsgenie.com/v2/alerts"),
        (
            "https://api.atlassian.com/jsm/ops/integration/",
            "https://api.atlassian.com/jsm/ops/integration/v2/alerts",
        ),
    ],
)
def test_one_setting_leads_to_europe_and_to_jira(api_url: str | None, url: str) -> None:
    base = SecretStr(api_url) if api_url else None
    assert str(requested(Opsgenie(api_key=KEY, api_url=base)).url) == url


def test_the_key_is_sent_without_the_blanks_around_it() -> None:
    request = requested(Opsgenie(api_key=SecretStr(f" {KEY.get_secret_value()}\n")))
    assert request.headers["Authorization"] == f"GenieKey {KEY.get_secret_value()}"


@pytest.mark.parametrize("key", ["", " ", "two words", "hush\nhush", "hush\u00e9"])
def test_a_key_that_cannot_be_one_is_refused_without_quoting_it(key: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Opsgenie(api_key=SecretStr(key))
    assert "hush" not in str(raised.value)


def test_a_later_alert_joins_the_open_one() -> None:
    opsgenie = simulators.Opsgenie(Clock())
    alerts: list[dict[str, Any]] = [{}, {"reason": "regression"}, {"team": "search"}]
    for over in alerts:
        send(CHANNEL, opsgenie, **over)
    assert sorted(opsgenie.counts.values()) == [1, 2]


def test_the_request_is_known_by_its_id() -> None:
    """The answer is asynchronous: what became of it is asked with this id."""
    assert send(CHANNEL, simulators.Opsgenie(Clock())).external_id == "43a29c5c-3dbf"


def test_the_61st_of_a_minute_waits() -> None:
    opsgenie = simulators.Opsgenie(Clock())
    for _ in range(60):
        send(CHANNEL, opsgenie)
    with pytest.raises(TemporaryError) as raised:
        send(CHANNEL, opsgenie)
    assert raised.value.pause


def test_what_is_over_a_limit_is_refused() -> None:
    """Over the alias alone: nothing else here can be."""
    with pytest.raises(RefusedError, match="not processable"):
        send(CHANNEL, simulators.Opsgenie(Clock()), group="f" * 600)


@pytest.mark.parametrize("said", ["", "ok", '{"result": "Request will be processed"}'])
def test_a_2xx_that_is_not_opsgenies_is_no_alert(said: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        send(CHANNEL, lambda _: httpx.Response(202, text=said))
    assert (type(raised.value), raised.value.code) == (PermanentError, "unexpected_answer")
