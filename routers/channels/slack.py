"""Slack incoming webhooks, in Block Kit.

Spec: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
Limits: a header holds 150 characters, a section 3,000, one of its at most 10 fields 2,000; a
message 50 blocks and, documented nowhere, about 13,200 characters of JSON in all
(`msg_blocks_too_long`, https://github.com/slackapi/bolt-js/issues/2509). The limits below add up
to less than 12,000 even when every character needs a backslash.
Escaping `& < >` is what keeps `<!channel>` in an exception text from pinging anybody.
"""

import re
from typing import Any, ClassVar

import httpx

from routers.channels.base import Channel, Receipt
from routers.errors import PermanentError
from routers.http import Destination, post_json
from routers.message import (
    Place,
    also,
    body,
    facts,
    headline,
    links,
    place,
    plain,
    shorten,
    title,
    unfenced,
    why_you,
)
from routers.notification import Alert
from routers.pace import Pace

TEXT_LIMIT = 1_000  # characters, here and below; after escaping
HEADER_LIMIT = 150
FIELD_LIMIT = 120
TITLE_LIMIT = 1_000
PLACE_LIMIT = 800
WHY_LIMIT = 500
OTHERS, OTHER_LIMIT = 8, 110  # lines, and what one of them holds
OTHERS_LIMIT = 950
BODY_LIMIT = 2_000

Block = dict[str, Any]


class Slack(Channel):
    """`slack: {webhook_url: https://hooks.slack.com/services/T0/B0/x}`"""

    pace: ClassVar = Pace(per_second=1.0, burst=3)  # and a workspace's own limit above it
    webhook_url: Destination

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        url = self.webhook_url.get_secret_value()
        answer = post_json(client, url, payload(alert), now=alert.sent_at)
        if answer.text.strip() != "ok":
            raise PermanentError("unexpected_answer", "took the alert, but not as Slack would")
        return Receipt()


def payload(alert: Alert) -> dict[str, Any]:
    # `text` is the notification's preview; it also is the message when there are no blocks
    message: dict[str, Any] = {
        "text": escape(plain(alert), TEXT_LIMIT),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return message if alert.plain else message | {"blocks": blocks(alert)}


def blocks(alert: Alert) -> list[Block]:
    told = [_header(headline(alert))]
    told += [_written(written)] if (written := body(alert)) else _built_in(alert)
    if shown := links(alert):
        told.append(_section(" · ".join(f"<{escape(link)}|{label}>" for label, link in shown)))
    if others := also(alert, OTHERS):
        lines = [shorten(line, OTHER_LIMIT) for line in others]
        told.append(_section(fence("\n".join(lines), OTHERS_LIMIT)))
    return told


def escape(text: str, limit: int | None = None) -> str:
    """Slack's three, in its order. limit: of the escaped text, which is never cut in an entity."""
    cut = text if limit is None else text[: limit + 1]
    escaped = cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if limit is None or len(escaped) <= limit:
        return escaped
    return re.sub(r"&[a-z]*…$", "…", shorten(escaped, limit))


def fence(text: str, limit: int) -> str:
    """A code block, which the text cannot leave."""
    return f"```\n{escape(unfenced(text), limit)}\n```"


def _built_in(alert: Alert) -> list[Block]:
    told = []
    if len(escape(headline(alert))) > HEADER_LIMIT:
        told.append(_section(fence(title(alert), TITLE_LIMIT)))
    if where := _place(place(alert)):
        told.append(_section(fence(where, PLACE_LIMIT)))
    if why := why_you(alert):
        told.append({"type": "context", "elements": [_mrkdwn(escape(why, WHY_LIMIT))]})
    return [*told, _fields(facts(alert))]


def _written(text: str) -> Block:
    """Of a template: no markup, whatever it quotes."""
    shown = {"type": "plain_text", "text": escape(text, BODY_LIMIT), "emoji": False}
    return {"type": "section", "text": shown}


def _header(text: str) -> Block:
    shown = {"type": "plain_text", "text": escape(text, HEADER_LIMIT), "emoji": False}
    return {"type": "header", "text": shown}


def _fields(pairs: list[tuple[str, str]]) -> Block:
    shown = [_mrkdwn(f"*{label}*\n{escape(value, FIELD_LIMIT)}") for label, value in pairs]
    return {"type": "section", "fields": shown}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}  # verbatim: @names stay text


def _place(where: Place) -> str:
    return "\n    ".join(part for part in (where.text, where.line) if part)
