"""Discord's webhooks, as one embed.

Spec: https://discord.com/developers/docs/resources/webhook#execute-webhook
Limits: an embed's title holds 256 characters, its description 4,096, a field's name 256 and value
1,024, its footer 2,048, all texts of all embeds together 6,000; a message without embeds 2,000.
They are counted here in UTF-16, in which no character is smaller than anybody counts it, and add
up to less than 5,500, those of the description to less than 4,096.
https://discord.com/developers/docs/resources/message#embed-object-embed-limits
Without `wait=true` a message that is not saved is no error. Only `allowed_mentions` keeps an
exception text from pinging everyone.
"""

import re
from typing import Any, ClassVar

import httpx

from routers.channels.base import Channel, Receipt
from routers.errors import PermanentError
from routers.http import Destination, fields, post_json
from routers.message import (
    also,
    body,
    facts,
    fit,
    headline,
    links,
    marker,
    permalink,
    place,
    plain,
    title,
    unfenced,
    why_you,
)
from routers.notification import Alert, Severity
from routers.pace import Pace

CONTENT_LIMIT = 1_300  # UTF-16 units, here and below; after escaping; a link is besides
HEADER_LIMIT = 256
TITLE_LIMIT = 800
PLACE_LIMIT = 500
WHY_LIMIT = 400
FIELD_LIMIT = 200
BODY_LIMIT = 1_600
OTHERS, OTHER_LIMIT = 5, 100  # lines, and what one of them holds

COLOURS: dict[Severity, int] = {
    "critical": 0xB3001B,
    "error": 0xE8590C,
    "warning": 0xF2B705,
    "info": 0x3B82F6,
}

_MARKS = "\\*_~`|<[]@-+#>:"
# `- + # >` are markup where a line begins; a colon in :emoji:, but not in 12:00:00, and in a link
_MARKUP = re.compile(r"[\\*_~`|<\[\]@]|^[-+#>]|:(?=//|(?!\d\d:)[\w+-]+:)", re.MULTILINE)


class Discord(Channel):
    """`discord: {webhook_url: https://discord.com/api/webhooks/1/x}`"""

    pace: ClassVar = Pace(per_second=1.5, burst=2)  # within 5 in any two seconds
    webhook_url: Destination

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        url = httpx.URL(self.webhook_url.get_secret_value())
        waiting = str(url.copy_merge_params({"wait": "true"}))  # its ?thread_id= stays
        answer = post_json(client, waiting, payload(alert), now=alert.sent_at)
        message_id = fields(answer).get("id")
        if not isinstance(message_id, str):
            raise PermanentError("unexpected_answer", "took the alert, but not as Discord would")
        return Receipt(external_id=message_id)


def payload(alert: Alert) -> dict[str, Any]:
    shown = {"content": content(alert)} if alert.plain else {"embeds": [embed(alert)]}
    return {**shown, "allowed_mentions": {"parse": []}}


def content(alert: Alert) -> str:
    link = permalink(alert)
    text = escape(plain(alert).removesuffix(link), CONTENT_LIMIT)
    text += f"<{link}>" if link else ""
    return f"{text}\n-# {known}" if (known := marker(alert)) else text  # in small, grey letters


def embed(alert: Alert) -> dict[str, Any]:
    """Without a `url`, which Discord refuses on a host without a dot: the link is in the text."""
    return {
        "title": escape(headline(alert), HEADER_LIMIT),
        "description": "\n".join(_description(alert)),
        "color": COLOURS[alert.notification.severity],
        "fields": [
            {"name": label, "value": escape(value, FIELD_LIMIT), "inline": True}
            for label, value in (() if body(alert) else facts(alert))
        ],
        **({"footer": {"text": known}} if (known := marker(alert)) else {}),
    }


def escape(text: str, limit: int) -> str:
    """Shown as it is written: no markup, no link, no emoji, nobody's name."""
    return _MARKUP.sub(r"\\\g<0>", fit(text, limit, _escaped_size))


def fence(text: str, limit: int) -> str:
    """A block of code, which the text cannot leave."""
    return f"```\n{fit(unfenced(text), limit, units)}\n```"


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _description(alert: Alert) -> list[str]:
    written = body(alert)
    told = (
        *((escape(written, BODY_LIMIT),) if written else _built_in(alert)),
        " · ".join(f"[{label}](<{link}>)" for label, link in links(alert)),
        _others(alert),
    )
    return [part for part in told if part]


def _built_in(alert: Alert) -> tuple[str, ...]:
    where = place(alert)
    lines = [line for line in (where.text, where.line) if line]
    return (
        fence(title(alert), TITLE_LIMIT) if _escaped_size(headline(alert)) > HEADER_LIMIT else "",
        fence("\n    ".join(lines), PLACE_LIMIT) if lines else "",
        escape(why_you(alert), WHY_LIMIT),
    )


def _others(alert: Alert) -> str:
    lines = [fit(line, OTHER_LIMIT, units) for line in also(alert, OTHERS)]
    return fence("\n".join(lines), (OTHERS + 1) * (OTHER_LIMIT + 1)) if lines else ""


def _escaped_size(text: str) -> int:
    """At most what it will be: a mark is not escaped everywhere."""
    return units(text) + sum(map(text.count, _MARKS))
