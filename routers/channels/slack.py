"""Slack, in Block Kit: by an incoming webhook, or as a bot.

Spec: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and, for the bot,
https://docs.slack.dev/reference/methods/chat.postMessage
A bot's first message of a group is changed in place, and what comes later is told in its thread.
The change comes first, since it finds out whether the message is still there: a reply to one that
is not could be seen by nobody. Slack knows no two posts as one, so a lost answer may post twice;
`metadata` holds the delivery's id, and what a webhook is told ends with it: so both can be known.
Limits: a header holds 150 characters, a section 3,000, one of its at most 10 fields 2,000; a
message 50 blocks and, documented nowhere, about 13,200 characters of JSON in all
(`msg_blocks_too_long`, https://github.com/slackapi/bolt-js/issues/2509). The limits below add up
to less than 12,000 even when every character needs a backslash.
Escaping `& < >` is what keeps `<!channel>` in an exception text from pinging anybody.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, ClassVar

import httpx
import msgspec
from pydantic import ConfigDict, Field, JsonValue, SecretStr, model_validator

from routers.channels.base import Channel, Receipt
from routers.errors import PermanentError
from routers.http import Destination, Token, post_json
from routers.message import (
    Place,
    also,
    body,
    facts,
    headline,
    is_one_group,
    links,
    marker,
    one_line,
    place,
    plain,
    shorten,
    title,
    unfenced,
    why_you,
)
from routers.notification import Alert, Reason, Thread
from routers.pace import Pace
from routers.slack_api import CLOSED, GONE, URL, Bot
from routers.slack_buttons import buttons

TEXT_LIMIT = 1_000  # characters, here and below; after escaping
HEADER_LIMIT = 150
FIELD_LIMIT = 120
TITLE_LIMIT = 1_000
PLACE_LIMIT = 800
WHY_LIMIT = 500
OTHERS, OTHER_LIMIT = 8, 110  # lines, and what one of them holds
OTHERS_LIMIT = 950
BODY_LIMIT = 2_000
SAID_LIMIT = 300

REVISED_EVERY = timedelta(minutes=1)  # a message, at most
QUIET: tuple[Reason, ...] = ("repeat",)  # no news: in the thread only, not in the channel too
REPLIED = ("Severity", "Environment", "Release", "Times seen", "Last seen")
AS_WRITTEN = {"parse": "none", "link_names": False}  # no name or link is looked for

Block = dict[str, Any]

_FORMS: list[JsonValue] = [
    {
        "required": ["webhook_url"],
        "properties": dict.fromkeys(("token", "channel", "api_url"), False),
    },
    {"required": ["token", "channel"], "properties": {"webhook_url": False}},
]


class Slack(Channel):
    """`slack: {webhook_url: https://hooks.slack.com/services/T0/B0/x}`, or as a bot
    `slack: {token: xoxb-0-1-x, channel: C0123456789}`
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": _FORMS})
    pace: ClassVar = Pace(per_second=1.0, burst=3)  # and a workspace's own limit above it
    webhook_url: Destination | None = None
    token: Token | None = None
    # its id, since a name may change, and chat.update takes none
    channel: Annotated[str, Field(pattern=r"^[CGD][A-Z0-9]{2,30}$")] | None = None
    api_url: Destination | None = None  # None: URL

    @model_validator(mode="after")
    def _is_one_form(self) -> "Slack":
        as_webhook = not (self.token or self.channel or self.api_url)
        as_bot = bool(self.token and self.channel)
        if not (as_webhook if self.webhook_url else as_bot):
            raise ValueError("needs either `webhook_url`, or `token` and `channel`")
        return self

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        if self.webhook_url is None:
            return self._tell(alert, client)
        url = self.webhook_url.get_secret_value()
        answer = post_json(client, url, marked(alert), now=alert.sent_at)
        if answer.text.strip() != "ok":
            raise PermanentError("unexpected_answer", "took the alert, but not as Slack would")
        return Receipt()

    def revise(self, alert: Alert, client: httpx.Client) -> Thread | None:
        thread = self._thread(alert)
        try:
            return thread and self._update(alert, thread, client)
        except PermanentError as error:
            if error.code in GONE:
                return None
            raise

    def _tell(self, alert: Alert, client: httpx.Client) -> Receipt:
        if thread := self._thread(alert):
            try:
                return self._reply(alert, thread, client)
            except PermanentError as error:
                if error.code not in GONE:
                    raise
        anew = msgspec.structs.replace(alert, thread=None)
        channel, ts = self._post(anew, first(anew), client)
        begun = Thread(channel=channel, ts=ts, updated_at=alert.sent_at)
        return Receipt(external_id=ts, thread=begun if is_one_group(alert) else None)

    def _thread(self, alert: Alert) -> Thread | None:
        """What there is to reply to or to change. None: it begins anew."""
        thread = alert.thread if is_one_group(alert) else None
        return thread if thread and thread.channel == self.channel else None

    def _reply(self, alert: Alert, thread: Thread, client: httpx.Client) -> Receipt:
        again = thread.updated_at + REVISED_EVERY
        if again <= alert.sent_at:
            standing = msgspec.structs.replace(thread, said="")
            thread = self._update(msgspec.structs.replace(alert, thread=standing), standing, client)
        else:
            thread = msgspec.structs.replace(thread, said="", due_at=again)
        _, ts = self._post(alert, reply(alert, thread), client)
        return Receipt(external_id=ts, thread=thread)

    def _update(self, alert: Alert, thread: Thread, client: httpx.Client) -> Thread:
        asked = {"blocks": [], **first(alert), "channel": thread.channel, "ts": thread.ts}
        try:
            self._call("chat.update", asked, alert, client)
        except PermanentError as error:
            if error.code != CLOSED:
                raise
        return msgspec.structs.replace(thread, updated_at=alert.sent_at, due_at=None)

    def _post(self, alert: Alert, message: Block, client: httpx.Client) -> tuple[str, str]:
        """The channel that took it, and its name there."""
        said = self._call("chat.postMessage", {"channel": self.channel, **message}, alert, client)
        names = (said.get("channel"), said.get("ts"))
        if not all(
            isinstance(name, str) and re.fullmatch(r"[A-Z0-9.]{1,40}", name) for name in names
        ):
            raise PermanentError("unexpected_answer", "took the alert, but not as Slack would")
        return str(names[0]), str(names[1])

    def _call(self, method: str, asked: Block, alert: Alert, client: httpx.Client) -> Block:
        url = self.api_url.get_secret_value().rstrip("/") if self.api_url else URL
        token = self.token or SecretStr("")  # there is one: _is_one_form
        return Bot(token, url).call(method, asked, client=client, now=alert.sent_at)


def first(alert: Alert) -> dict[str, Any]:
    """A bot's message of a group, as it stands."""
    message = {**payload(alert), **AS_WRITTEN, "metadata": _metadata(alert)}
    if alert.plain or not is_one_group(alert):
        return message
    said = alert.thread.said if alert.thread else ""
    if said:
        message["blocks"].append(_section(f"✓ {escape(one_line(said), SAID_LIMIT)}"))
    elif alert.pressable:
        message["blocks"].append(buttons(alert.notification.group))
    return message


def reply(alert: Alert, thread: Thread) -> dict[str, Any]:
    """What is told in its thread."""
    message = {**payload(alert), **AS_WRITTEN, "metadata": _metadata(alert)}
    message |= {
        "thread_ts": thread.ts,
        "reply_broadcast": alert.notification.reason not in QUIET,
    }
    if alert.plain:
        return message
    known = [f"{label}: {value}" for label, value in facts(alert) if label in REPLIED]
    line = escape(" · ".join(known), TEXT_LIMIT)
    told = _paragraph(headline(alert), TITLE_LIMIT)
    return message | {"blocks": [told, {"type": "context", "elements": [_mrkdwn(line)]}]}


def _metadata(alert: Alert) -> dict[str, Any]:
    told = {"delivery": alert.id, "group": alert.notification.group}
    return {"event_type": "pointsman_alert", "event_payload": told}


def marked(alert: Alert) -> dict[str, Any]:
    """For an incoming webhook; what a bot posts is known by its metadata."""
    message, known = payload(alert), marker(alert)
    if known and alert.plain:
        message["text"] += f"\n{known}"
    elif known:
        message["blocks"].append({"type": "context", "elements": [_mrkdwn(known)]})
    return message


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
    told += [_paragraph(written, BODY_LIMIT)] if (written := body(alert)) else _built_in(alert)
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


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain(text, HEADER_LIMIT)}


def _paragraph(text: str, limit: int) -> Block:
    """Of any words: no markup, whatever they quote."""
    return {"type": "section", "text": _plain(text, limit)}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": escape(text, limit), "emoji": False}


def _fields(pairs: list[tuple[str, str]]) -> Block:
    shown = [_mrkdwn(f"*{label}*\n{escape(value, FIELD_LIMIT)}") for label, value in pairs]
    return {"type": "section", "fields": shown}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}  # verbatim: @names stay text


def _place(where: Place) -> str:
    return "\n    ".join(part for part in (where.text, where.line) if part)
