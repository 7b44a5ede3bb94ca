"""Microsoft Teams through a Workflow ("Post to a channel when a webhook request is received").

Spec: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
Card: https://adaptivecards.io/explorer/AdaptiveCard.html version 1.4, of elements that 1.2 has
Limits: 28,672 bytes, of something larger than the body: 24,453 were counted as 28,897
(https://github.com/MicrosoftDocs/msteams-docs/issues/11274). The limits below are bytes of JSON
and add up to less than 12,000, of the 18,000 that are safe.

The answer is 202 before the flow runs, so whether a card was posted is never known. The older
connectors answer 200, and failures in words. Markdown is read in facts and text blocks, and each
client escapes it differently (https://github.com/MicrosoftDocs/msteams-docs/issues/5793): but for
the facts, all text stands in text runs, where there is none. Nobody is mentioned without
`msteams.entities`; `<at>` is broken all the same.
"""

import re
from typing import Any, ClassVar

import httpx

from routers.channels.base import Channel, Receipt
from routers.http import Destination, encode, failure, post_json
from routers.message import (
    also,
    body,
    facts,
    fit,
    headline,
    links,
    marker,
    one_line,
    permalink,
    place,
    plain,
    title,
    why_you,
)
from routers.notification import Alert, Severity
from routers.pace import Pace

HEADER_LIMIT = 400  # bytes of JSON, here and below
TITLE_LIMIT = 1_600
PLACE_LIMIT = 1_200
WHY_LIMIT = 1_200
FACT_LIMIT = 300
OTHERS, OTHER_LIMIT = 6, 200  # lines, and what one of them holds
LINES, LINE_LIMIT = 20, 300  # of a template's body
PLAIN_LIMIT = 1_500  # of each of its four lines
MARKER_LIMIT = 100

STYLES: dict[Severity, str] = {
    "critical": "attention",
    "error": "attention",
    "warning": "warning",
    "info": "accent",
}

_MARKUP = re.compile(r"[\\*_\[\]()]")
_MENTION = re.compile(r"<(?=/?at\b)", re.IGNORECASE)
_FAILED = "Webhook message delivery failed"

Element = dict[str, Any]


class MSTeams(Channel):
    """`msteams: {webhook_url: "https://x.logic.azure.com/workflows/0/triggers/manual/paths/invoke?sig=hush-hush"}`"""

    pace: ClassVar = Pace(per_second=1.0, burst=4)
    webhook_url: Destination

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        url = self.webhook_url.get_secret_value()
        answer = post_json(client, url, payload(alert), now=alert.sent_at)
        if _FAILED in answer.text:
            status = re.search(r"HTTP error ([45]\d\d)", answer.text)
            raise failure(int(status[1]) if status else 502, "took the card, but failed to post it")
        return Receipt()


def payload(alert: Alert) -> dict[str, Any]:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card(alert),
    }
    return {"type": "message", "attachments": [attachment]}


def card(alert: Alert) -> dict[str, Any]:
    page = [("Open in Pointsman", link)] if (link := permalink(alert)) else []
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "full"},
        "body": [*(_lines(alert) if alert.plain else _body(alert)), *_marker(alert)],
        "actions": [_open(*one) for one in (page if alert.plain else links(alert))],
    }


def escape(text: str, limit: int) -> str:
    """For a fact, whose value is Markdown. limit: of the escaped text."""
    return _escaped(fit(_unmentioned(text), limit, lambda part: _size(_escaped(part))))


def _lines(alert: Alert) -> list[Element]:
    return [_text(line, PLAIN_LIMIT) for line in plain(alert).splitlines()]


def _marker(alert: Alert) -> list[Element]:
    known = marker(alert)
    return [_text(known, MARKER_LIMIT, size="Small", isSubtle=True)] if known else []


def _body(alert: Alert) -> list[Element]:
    header = _text(headline(alert), HEADER_LIMIT, size="Medium", weight="Bolder")
    told = [_container(STYLES[alert.notification.severity], [header])]
    if _size(headline(alert)) > HEADER_LIMIT:
        told.append(_text(one_line(title(alert)), TITLE_LIMIT))
    told += _written(body(alert)) if body(alert) else _built_in(alert)
    if others := also(alert, OTHERS):
        lines = [{**_text(line, OTHER_LIMIT), "spacing": "Small"} for line in others]
        told.append(_container("emphasis", lines))
    return told


def _written(text: str) -> list[Element]:
    """Of a template: a run of text holds no line break."""
    lines = [*text.splitlines()[:LINES], *(["…"] if len(text.splitlines()) > LINES else [])]
    return [{**_text(line or " ", LINE_LIMIT), "spacing": "Small"} for line in lines]


def _built_in(alert: Alert) -> list[Element]:
    where, why = place(alert), why_you(alert)
    told: list[Element] = []
    if where.text:
        lines = [_text(where.text, PLACE_LIMIT, fontType="Monospace")]
        if where.line:
            line = _text(where.line, PLACE_LIMIT, fontType="Monospace", weight="Bolder")
            lines.append({**line, "spacing": "Small"})
        told.append(_container("emphasis", lines))
    if why:
        told.append(_text(why, WHY_LIMIT, size="Small", isSubtle=True))
    return [*told, _facts(alert)]


def _facts(alert: Alert) -> Element:
    shown = [{"title": label, "value": escape(text, FACT_LIMIT)} for label, text in facts(alert)]
    return {"type": "FactSet", "facts": shown}


def _text(text: str, limit: int, **look: object) -> Element:
    run = {"type": "TextRun", "text": fit(_unmentioned(text), limit, _size), **look}
    return {"type": "RichTextBlock", "inlines": [run]}


def _container(style: str, items: list[Element]) -> Element:
    return {"type": "Container", "style": style, "bleed": True, "items": items}


def _open(label: str, link: str) -> Element:
    return {"type": "Action.OpenUrl", "title": label, "url": link}


def _unmentioned(text: str) -> str:
    return _MENTION.sub("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", text)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", text)


def _size(text: str) -> int:
    return len(encode(text)) - len('""')
