"""Opsgenie's Alerts API, and Jira Service Management's, which has the same shape.

Spec: https://docs.opsgenie.com/docs/alert-api and, for Jira Service Management,
https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/
Limits: a message holds 130 characters, an alias 512, a description 15,000, one of 20 tags 50,
details 8,000 in all, an entity 512; about 60 requests a minute. The answer is 202 before anything
is looked at: the alert may still fail, and GET /v2/alerts/requests/{requestId} knows.
"""

import re
from typing import Any, ClassVar

import httpx

from routers.channels.base import Channel, Receipt
from routers.errors import PermanentError
from routers.http import Destination, Token, fields, post_json
from routers.incident import defused, details, key, one, story, summary
from routers.message import links, place, plain
from routers.notification import Alert, Severity
from routers.pace import Pace

OPSGENIE = "https://api.opsgenie.com"  # shuts down on 2027-04-05
MESSAGE_LIMIT = 130
ENTITY_LIMIT = 512
TAG_LIMIT = 50
DETAIL_LIMIT = 240  # of 16 at most, so that all stay below 8,000 even with backslashes
ID_LIMIT = 100
TAGGED = ("team", "environment", "severity", "feature", "criticality")
PRIORITIES: dict[Severity, str] = {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Opsgenie(Channel):
    """`opsgenie: {api_key: 5f1f1b2e-7c3a-4d9e-8b6a-2f4c1d0e9a7b}`"""

    pace: ClassVar = Pace(per_second=0.8, burst=10)  # within 60 in any minute; plans differ
    merges: ClassVar = False
    closes: ClassVar = True
    api_key: Token
    api_url: Destination | None = None  # None: OPSGENIE
    team: str | None = None  # who responds, by name or id; None: as the integration says

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        base = self.api_url.get_secret_value() if self.api_url else OPSGENIE
        url = base.rstrip("/") + "/v2/alerts" + closing(alert)
        headers = {"Authorization": f"GenieKey {self.api_key.get_secret_value()}"}
        told = payload(alert, self.team)
        answer = fields(post_json(client, url, told, now=alert.sent_at, headers=headers))
        if "requestId" not in answer:
            raise PermanentError("unexpected_answer", "took the alert, but not as Opsgenie would")
        return Receipt(external_id=one(str(answer["requestId"]), ID_LIMIT))


def closing(alert: Alert) -> str:
    """What the address ends in where the alert is to be closed; "" where it is opened."""
    return f"/{key(alert)}/close?identifierType=alias" if alert.notification.closes else ""


def payload(alert: Alert, team: str | None = None) -> dict[str, Any]:
    """team: also of an alert that was refused as malformed, else nobody might be called."""
    if alert.notification.closes:
        return {"source": "Pointsman"}
    told: dict[str, Any] = {
        "message": summary(alert, MESSAGE_LIMIT),
        "alias": key(alert),
        "description": defused(plain(alert)),
        "priority": PRIORITIES[alert.notification.severity],
        "source": "Pointsman",
    }
    if team:
        told["responders"] = [{"type": "team", "id" if _ID.fullmatch(team) else "name": team}]
    if alert.plain:
        return told
    known = details(alert, DETAIL_LIMIT)
    leads = [f"{label}: {link}" for label, link in links(alert)]
    return told | {
        "description": "\n\n".join((story(alert), *leads)),
        "details": known,
        "entity": one(place(alert).text, ENTITY_LIMIT),
        "tags": [one(known[name], TAG_LIMIT) for name in TAGGED if name in known],
    }
