"""incident.io's HTTP alert sources.

Spec: https://api-docs.incident.io/tag/Alert-Events-V2
Limits: a request holds 512 KB, and one that is larger is answered 429, as if it came too often:
sent again it would fail for ever. What is told here is a tenth of that at most. The description
is Markdown; in a code block the error stays as it is written.
"""

from typing import Any, ClassVar

import httpx

from routers.channels.base import Channel, Receipt
from routers.errors import PermanentError
from routers.http import Destination, Token, fields, post_json
from routers.incident import addresses, details, key, one, story, summary
from routers.message import permalink
from routers.notification import Alert
from routers.pace import Pace

TITLE_LIMIT = 300
DETAIL_LIMIT = 1_000
ID_LIMIT = 255


class IncidentIo(Channel):
    """`incident_io: {url: https://api.incident.io/v2/alert_events/http/01HX, token: 3f9c27d1}`"""

    pace: ClassVar = Pace(per_second=18.0, burst=60)  # within 1,200 in any minute
    merges: ClassVar = False
    closes: ClassVar = True
    url: Destination
    token: Token

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        url = self.url.get_secret_value()
        answer = post_json(client, url, payload(alert), now=alert.sent_at, headers=headers)
        said = fields(answer)
        if said.get("status") != "success":
            raise PermanentError(
                "unexpected_answer", "took the alert, but not as incident.io would"
            )
        return Receipt(external_id=one(str(said.get("deduplication_key", "")), ID_LIMIT) or None)


def payload(alert: Alert) -> dict[str, Any]:
    known = details(alert, DETAIL_LIMIT)
    told: dict[str, Any] = {
        "title": summary(alert, TITLE_LIMIT),
        "status": "resolved" if alert.notification.closes else "firing",
        "deduplication_key": key(alert),
        "metadata": {name: known[name] for name in ("team", "severity")},  # what routes are made of
    }
    if alert.plain:
        return told
    told |= {"description": fence(story(alert)), "metadata": known | addresses(alert)}
    if link := permalink(alert):
        told["source_url"] = link
    return told


def fence(text: str) -> str:
    """A code block, which the text cannot leave."""
    return "```\n" + text.replace("```", "'''") + "\n```"
