import base64
import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from routers.channels.webhook import Webhook
from tests.alerts import NOW, OWNERSHIP, an_alert

URL = "https://triage.test/hook?token=hush"


def posted(secret: str | None = None, **over: Any) -> httpx.Request:
    requests: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204)

    webhook = Webhook(url=SecretStr(URL), secret=SecretStr(secret) if secret else None)
    with httpx.Client(transport=httpx.MockTransport(take)) as client:
        webhook.send(an_alert(**over), client)
    return requests[0]


def body(**over: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(posted(**over).content)
    return parsed


def test_the_body_is_version_1() -> None:
    told = body()["notifications"][0]
    event = told.pop("event")
    assert (event["event_id"], event["timestamp"]) == ("e" * 32, "2026-03-01T12:00:00Z")
    assert told == {
        "id": "",
        "reason": "first_seen",
        "severity": "critical",
        "title": "KeyError: 'DE'",
        "culprit": "server/app/billing/tax.py in rate",
        "group": "0123456789abcdef",
        "times_seen": 1200,
        "why": "server/app/billing/tax.py:88 · path: /server/app/billing/ · rules.yaml:12",
        "permalink": "https://pointsman.example.com/groups/0123456789abcdef",
        "event_id": "e" * 32,
        "environment": "production",
        "release": "2026.3.1",
        "ownership": OWNERSHIP,
        "links": {"runbook": None, "source": None, "sentry": None},
        "first_seen": "2026-03-01T12:00:00Z",
        "last_seen": "2026-03-01T12:00:00Z",
        "source_line": "return RATES[country]",
        "message": None,
    }


def test_the_envelope_names_receiver_and_team() -> None:
    envelope = body()
    del envelope["notifications"]
    assert envelope == {
        "version": 1,
        "receiver": "payments-slack",
        "team": "payments",
        "omitted": 0,
    }


def test_an_event_that_is_gone_is_null() -> None:
    assert body(event=None)["notifications"][0]["event"] is None


def test_plain_leaves_out_what_can_be_large() -> None:
    told = body(plain=True)["notifications"][0]
    assert (told["event"], told["ownership"]["trail"]) == (None, [])
    assert told["ownership"]["owners"] == ["payments"]


def test_without_a_secret_nothing_is_signed() -> None:
    headers = posted().headers
    assert headers["webhook-id"] == "0195-delivery"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert "webhook-signature" not in headers


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_" + base64.b64encode(b"\x00\xff key").decode(), b"\x00\xff key"),
        ("a pass phrase é", "a pass phrase é".encode()),
        ("cG9pbnRzbWFu", b"cG9pbnRzbWFu"),
    ],
)
def test_the_signature_is_that_of_standard_webhooks(secret: str, key: bytes) -> None:
    request = posted(secret)
    signed = f"0195-delivery.{int(NOW.timestamp())}.".encode() + request.content
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    "settings",
    [
        {"url": SecretStr("ftp://hush.test")},
        {"url": SecretStr("hush.test/hook")},
        {"url": SecretStr("http://hush\n.test")},
        {"url": SecretStr("")},
        {"url": SecretStr(URL), "secret": SecretStr("")},
        {"url": SecretStr(URL), "secret": SecretStr("whsec_")},
        {"url": SecretStr(URL), "secret": SecretStr("whsec_hush!")},
    ],
)
def test_a_bad_setting_is_refused_without_quoting_it(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        Webhook(**settings)
    assert "hush" not in str(raised.value)
