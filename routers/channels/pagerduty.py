"""PagerDuty's Events API v2: the first alert of a group opens an incident, the others join it.

Spec: https://developer.pagerduty.com/docs/send-alert-event
Limits: a summary holds 1,024 characters, a dedup_key 255, a request 512 KB: what is told here is
a tenth of that at most, whatever the error says. About 120 requests a minute for each key, by a
sliding minute; too many are answered 429 without saying for how long. A resolve of what is not
open, or through another key than it was opened with, is taken and dropped.
"""

from datetime import timedelta
from typing import Any, ClassVar, Literal

import httpx
from pydantic import SecretStr, field_validator

from routers.channels.base import Channel, Receipt
from routers.errors import PermanentError, TemporaryError
from routers.http import Destination, Token, fields, post_json
from routers.incident import addresses, details, error, key, one, story, summary
from routers.message import body, links, permalink, place
from routers.notification import Alert
from routers.pace import Pace

URLS = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
PATH = "/v2/enqueue"
KEY_LENGTH = 32
SUMMARY_LIMIT = 1_024
DETAIL_LIMIT = 1_000
FIELD_LIMIT = 255
QUIET = timedelta(minutes=1)  # the window it counts in


class PagerDuty(Channel):
    """`pagerduty: {routing_key: R0PQ4XA2KDDW7H3M5TZC8VBN6YJE1FGS}`"""

    pace: ClassVar = Pace(per_second=1.8, burst=10)  # within 120 in any minute
    merges: ClassVar = False
    closes: ClassVar = True
    routing_key: Token
    region: Literal["us", "eu"] = "us"
    api_url: Destination | None = None  # None: the region's; another is for rehearsals

    @field_validator("routing_key")
    @classmethod
    def _is_whole(cls, routing_key: SecretStr) -> SecretStr:
        if len(routing_key) != KEY_LENGTH:
            raise ValueError(f"is not an integration key, which has {KEY_LENGTH} characters")
        return routing_key

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        event = {"routing_key": self.routing_key.get_secret_value(), **payload(alert)}
        base = self.api_url.get_secret_value() if self.api_url else URLS[self.region]
        try:
            answer = post_json(client, base.rstrip("/") + PATH, event, now=alert.sent_at)
        except TemporaryError as failed:
            if failed.pause and failed.retry_after is None:
                raise TemporaryError(
                    failed.code, str(failed), retry_after=QUIET, pause=True
                ) from None
            raise
        said = fields(answer)
        if said.get("status") != "success":
            raise PermanentError("unexpected_answer", "took the alert, but not as PagerDuty would")
        return Receipt(external_id=one(str(said.get("dedup_key", "")), FIELD_LIMIT) or None)


def payload(alert: Alert) -> dict[str, Any]:
    told = alert.notification
    if told.closes:
        return {"event_action": "resolve", "dedup_key": key(alert)}
    known = details(alert, FIELD_LIMIT)
    event: dict[str, Any] = {
        "summary": summary(alert, SUMMARY_LIMIT),
        "source": one(place(alert).text, FIELD_LIMIT) or "Pointsman",
        "severity": told.severity,
        "timestamp": told.last_seen.isoformat(),
    }
    if not alert.plain:
        event["group"] = known["team"]
        event |= {"component": known["feature"]} if "feature" in known else {}
        said = {"message": story(alert)} if body(alert) else {}
        shown_details = {**said, "error": error(alert), **details(alert, DETAIL_LIMIT)}
        event["custom_details"] = shown_details | addresses(alert)
    shown: dict[str, Any] = {
        "event_action": "trigger",
        "dedup_key": key(alert),
        "client": "Pointsman",
        "payload": event,
    }
    if page := permalink(alert):
        shown["client_url"] = page
    if leads := links(alert):
        shown["links"] = [{"href": link, "text": label} for label, link in leads]
    return shown
