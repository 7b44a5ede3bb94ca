"""From Sentry's webhook to a team's message: where it leads."""

import hmac
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from tests.service.house import running
from tests.service.test_worker import until

HOOK = "https://hooks.example/x"
RULES = f"""version: 1
teams: {{payments: {{receivers: [{{channel: hook}}]}}}}
channels: {{hook: {{webhook: {{url: {HOOK}}}}}}}
rules: [{{path: /billing/, owner: payments, feature: invoicing}}]
features: {{invoicing: {{runbook: "https://wiki.example/invoicing"}}}}
policy:
  source_url: "https://git.example/v{{version}}/{{path}}#L{{line}}"
  sentry_url: "https://sentry.example/{{event_id}}"
"""
EVENT = {
    "event_id": "e" * 32,
    "release": "shop@2.1.0",
    "web_url": "https://me:hush@acme.sentry.io/issues/1/?token=hush",
    "exception": {
        "values": [
            {
                "type": "KeyError",
                "stacktrace": {"frames": [{"filename": "billing/tax.py", "lineno": 88}]},
            }
        ]
    },
}
SECRET = "the client secret"


class Team:
    """The end of a webhook; remembers what came."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.taken.append(json.loads(request.content))
        return httpx.Response(200)

    def led(self) -> dict[str, Any]:
        (told,) = until(lambda: self.taken)[0]["notifications"]
        return dict(told["links"])


def test_a_message_leads_to_runbook_source_and_sentry(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    team = Team()
    body = json.dumps({"action": "triggered", "data": {"event": EVENT}}).encode()
    signature = hmac.new(SECRET.encode(), body, sha256).hexdigest()
    headers = {"sentry-hook-resource": "event_alert", "sentry-hook-signature": signature}
    with running(
        tmp_path, transport=httpx.MockTransport(team), sentry_hook_secret=SECRET
    ) as client:
        assert client.post("/hooks/sentry", content=body, headers=headers).status_code == 200
        assert team.led() == {
            "runbook": "https://wiki.example/invoicing",
            "source": "https://git.example/v2.1.0/billing/tax.py#L88",
            "sentry": "https://acme.sentry.io/issues/1/",
        }
        shown = client.get("/api/v1/groups").text + json.dumps(team.taken)
    assert "hush" not in shown


def test_an_events_own_word_for_sentrys_page_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    team = Team()
    with running(tmp_path, transport=httpx.MockTransport(team)) as client:
        assert client.post("/api/v1/events", json=EVENT).status_code == 202
        assert team.led()["sentry"] == f"https://sentry.example/{'e' * 32}"
