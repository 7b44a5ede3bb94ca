"""Slack: incoming webhooks, chat.postMessage and chat.update, and what a press in a message sends.

Spec: https://docs.slack.dev/reference/methods/chat.postMessage, chat.update
Blocks: https://docs.slack.dev/reference/block-kit/blocks
Presses: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
About 1 message a second for each channel, after a short burst; 50 updates a minute. All blocks of
a message hold about 13,200 characters: https://github.com/slackapi/bolt-js/issues/2509
"""

import hmac
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx

from service.simulators.window import Window

HOOK = "/services/T0/B0/x"
TOKEN = "xoxb-0-1-x"  # noqa: S105 made up
CHANNEL = "C0123456789"
BURST = 3
UPDATES = 50  # a minute
BLOCKS_LIMIT = 13_200  # characters of JSON
TEXTS = {"header": 150, "section": 3_000, "field": 2_000, "context": 3_000, "button": 75}
PINGS = re.compile(r"<[!@#][^>]*>|<https?://(?!pointsman\.example\.com|127\.0\.0\.1)[^>]*>")
NAMES = re.compile(r"@(?:everyone|channel|here)\b")

Json = dict[str, Any]


class Slack:
    """One workspace with one channel, an incoming webhook to it and a bot in it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.shown: dict[str, Json] = {}  # ts → the message, as it now reads
        self.said: list[tuple[str, Json]] = []  # what was asked and taken, in its order
        self._clock = clock
        self._tokens, self._at = float(BURST), clock()
        self._updates = Window(clock, UPDATES)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == HOOK:
            return self._hook(request)
        if not path.startswith("/api/"):
            return httpx.Response(404, text="no_service")
        method = path.removeprefix("/api/")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return no("invalid_auth")
        asked = json.loads(request.content)
        if asked.get("channel") != CHANNEL:
            return no("channel_not_found")
        if method == "chat.postMessage":
            return self._post(asked)
        return self._update(asked) if method == "chat.update" else no("unknown_method")

    def _hook(self, request: httpx.Request) -> httpx.Response:
        if (after := self._too_fast()) is not None:
            said = {"retry_after": after, "ok": False, "error": "rate_limited"}
            return httpx.Response(429, json=said, headers={"Retry-After": str(after)})
        message = json.loads(request.content)
        if wrong := next(mistakes(message), None):
            return httpx.Response(400, text=wrong)
        self._show("webhook", message)
        return httpx.Response(200, text="ok")

    def _post(self, asked: Json) -> httpx.Response:
        if (after := self._too_fast()) is not None:
            said = {"ok": False, "error": "ratelimited"}
            return httpx.Response(429, json=said, headers={"Retry-After": str(after)})
        if wrong := next(mistakes(asked), None):
            return no(wrong)
        if "thread_ts" in asked and asked["thread_ts"] not in self.shown:
            return no("thread_not_found")
        ts = self._show("chat.postMessage", asked)
        return httpx.Response(200, json={"ok": True, "channel": CHANNEL, "ts": ts})

    def _update(self, asked: Json) -> httpx.Response:
        if not self._updates.takes():
            said = {"ok": False, "error": "ratelimited"}
            return httpx.Response(429, json=said, headers={"Retry-After": "30"})
        if asked.get("ts") not in self.shown:
            return no("message_not_found")
        if wrong := next(mistakes(asked), None):
            return no(wrong)
        ts = asked["ts"]
        # names are looked for unless it says otherwise, and what it leaves out stays
        self.shown[ts] = {**self.shown[ts], "parse": "client", **asked}
        self.said.append(("chat.update", asked))
        return httpx.Response(200, json={"ok": True, "channel": CHANNEL, "ts": ts})

    def _show(self, method: str, message: Json) -> str:
        ts = f"{int(self._clock().timestamp())}.{len(self.said):06d}"
        self.shown[ts] = {"ts": ts, **message}
        self.said.append((method, message))
        return ts

    def _too_fast(self) -> int | None:
        """Seconds to wait; None: it is taken."""
        now = self._clock()
        gained = (now - self._at).total_seconds()
        self._tokens, self._at = min(BURST, self._tokens + gained), now
        if self._tokens < 1:
            return 1
        self._tokens -= 1
        return None

    @property
    def firsts(self) -> list[Json]:
        """What the channel shows, but for what was told in threads."""
        return [one for one in self.shown.values() if "thread_ts" not in one]

    def thread(self, ts: str) -> list[Json]:
        return [one for one in self.shown.values() if one.get("thread_ts") == ts]

    def pressed(self, ts: str, action: str, value: str = "", *, user: str = "ada") -> bytes:
        """The body that Slack posts when that is pressed, or chosen, in the message."""
        block, element = pressable(self.shown[ts])[action]
        acted: Json = {"type": element["type"], "block_id": block, "action_id": action}
        if element["type"] == "button":
            acted["value"] = element.get("value", "")
        else:
            text = {"type": "plain_text", "text": value}
            acted["selected_option"] = {"text": text, "value": value}
        return self._form("block_actions", ts, user, actions=[acted])

    def typed(self, ts: str, action: str, text: str, *, user: str = "ada") -> bytes:
        """The body that Slack posts to know the options of a menu."""
        block, _ = pressable(self.shown[ts])[action]
        return self._form(
            "block_suggestion", ts, user, action_id=action, block_id=block, value=text
        )

    def _form(self, kind: str, ts: str, user: str, **more: Any) -> bytes:
        payload = {
            "type": kind,
            "api_app_id": "A0",
            "team": {"id": "T0", "domain": "acme"},
            "user": {"id": "U0", "username": user, "name": user, "team_id": "T0"},
            "container": {"type": "message", "message_ts": ts, "channel_id": CHANNEL},
            "channel": {"id": CHANNEL, "name": "payments"},
            "message": self.shown[ts],
            "response_url": "https://hooks.slack.com/actions/T0/1/x",
            "trigger_id": "1.2.x",
            **more,
        }
        return urlencode({"payload": json.dumps(payload)}).encode()


def signed(body: bytes, secret: str, at: datetime) -> dict[str, str]:
    """The headers of what Slack posts to an app."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), b":".join((b"v0", stamp.encode(), body)), sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


def no(error: str) -> httpx.Response:
    return httpx.Response(200, json={"ok": False, "error": error})


def mistakes(message: Json) -> Iterator[str]:
    blocks = message.get("blocks", [])
    if not message.get("text"):
        yield "no_text"
    if len(message.get("text", "")) > 40_000:
        yield "msg_too_long"
    if len(blocks) > 50 or not all(map(is_valid, blocks)):
        yield "invalid_blocks"
    if len(json.dumps(blocks, ensure_ascii=False)) > BLOCKS_LIMIT:
        yield "msg_blocks_too_long"


def is_valid(block: Json) -> bool:
    kind = block["type"]
    if len(block.get("block_id", "")) > 255:
        return False
    if kind == "header":
        return block["text"]["type"] == "plain_text" and fits(block["text"], "header")
    if kind == "context":
        elements = block["elements"]
        return 1 <= len(elements) <= 10 and all(fits(one, "context") for one in elements)
    if kind == "actions":
        elements = block["elements"]
        names = {one["action_id"] for one in elements}
        return 1 <= len(elements) <= 25 and len(names) == len(elements) and all(map(acts, elements))
    fields = block.get("fields", [])
    return (
        kind == "section"
        and ("text" in block or 1 <= len(fields) <= 10)
        and ("text" not in block or fits(block["text"], "section"))
        and all(fits(field, "field") for field in fields)
    )


def acts(element: Json) -> bool:
    if not 1 <= len(element["action_id"]) <= 255:
        return False
    if element["type"] == "button":
        return fits(element["text"], "button") and len(element.get("value", "")) <= 2_000
    if len(element["placeholder"]["text"]) > 150:
        return False
    return element["type"] == "external_select" or are_options(element["options"])


def are_options(options: list[Json]) -> bool:
    texts = [text for one in options for text in (one["text"]["text"], one["value"])]
    return 1 <= len(options) <= 100 and all(1 <= len(text) <= 75 for text in texts)


def fits(text: Json, where: str) -> bool:
    return 1 <= len(text["text"]) <= TEXTS[where]


def pressable(message: Json) -> dict[str, tuple[str, Json]]:
    """By action: its block, and itself."""
    return {
        element["action_id"]: (block["block_id"], element)
        for block in message.get("blocks", [])
        if block["type"] == "actions"
        for element in block["elements"]
    }


def pinged(message: Json) -> list[str]:
    """Whom it pings, or what it links to elsewhere."""
    texts = list(_texts(message.get("blocks", [])))
    looked_for = message.get("parse", "none") != "none" or message.get("link_names")
    texts.append((message.get("text", ""), not looked_for))
    found = []
    for text, verbatim in texts:
        found += PINGS.findall(text) + ([] if verbatim else NAMES.findall(text))
    return found


def _texts(tree: Any) -> Iterator[tuple[str, bool]]:
    """Each text in Slack's markup, and whether it is shown as written but for `<…>`."""
    if isinstance(tree, list):
        for one in tree:
            yield from _texts(one)
    elif isinstance(tree, dict):
        if tree.get("type") == "mrkdwn":
            yield tree["text"], tree.get("verbatim", False)
        for one in tree.values():
            yield from _texts(one)
