"""Discord's webhooks.

Spec: https://discord.com/developers/docs/resources/webhook#execute-webhook
Errors: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
Limits: https://discord.com/developers/docs/resources/message#embed-object-embed-limits
Refuses a link to a host without a dot: https://github.com/bugsink/bugsink/issues/280
Lengths are counted in UTF-16, the strictest way that a vendor might.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx

IN_A_BUCKET = 5  # messages, in BUCKET_SECONDS
BUCKET_SECONDS = 2.0
OF_AN_EMBED = {"title": 256, "description": 4096}
OF_A_FOOTER = 2048
OF_A_FIELD = {"name": 256, "value": 1024}

Json = dict[str, Any]


class Discord:
    """One webhook. `taken` holds the messages that its channel shows."""

    def __init__(self, path: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self.path = path  # /api/webhooks/{id}/{token}
        self.now = now
        self.taken: list[Json] = []
        self._sent_at: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        webhook, _, token = self.path.rpartition("/")
        asked = re.sub(r"^/api/v\d+", "/api", request.url.path)
        asked_webhook, _, asked_token = asked.rpartition("/")
        if asked_webhook != webhook:
            return refusal(404, 10015, "Unknown Webhook")
        if asked_token != token:
            return refusal(401, 50027, "Invalid Webhook Token")
        if limited := self._limited():
            return limited
        try:
            message = json.loads(request.content)
        except ValueError:
            return refusal(400, 50109, "The request body contains invalid JSON.")
        return self._take(message, wait=request.url.params.get("wait") == "true")

    def _limited(self) -> httpx.Response | None:
        now = self.now()
        self._sent_at = [at for at in self._sent_at if at > now - BUCKET_SECONDS]
        if len(self._sent_at) < IN_A_BUCKET:
            self._sent_at.append(now)
            return None
        after = self._sent_at[0] + BUCKET_SECONDS - now
        said = {"message": "You are being rate limited.", "retry_after": after, "global": False}
        headers = self._headers() | {"Retry-After": f"{after:.3f}", "X-RateLimit-Scope": "user"}
        return httpx.Response(429, json=said, headers=headers)

    def _take(self, message: Json, *, wait: bool) -> httpx.Response:
        if refused := invalid(message):
            return refused
        self.taken.append(message)
        if not wait:
            return httpx.Response(204, headers=self._headers())
        saved = {"id": str(1_300_000_000_000_000_000 + len(self.taken)), "type": 0, **message}
        return httpx.Response(200, json=saved, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(IN_A_BUCKET),
            "X-RateLimit-Remaining": str(IN_A_BUCKET - len(self._sent_at)),
            "X-RateLimit-Reset-After": f"{BUCKET_SECONDS:.3f}",
            "X-RateLimit-Bucket": "4ee0f5a1c2d3b4a5",
        }


def invalid(message: Json) -> httpx.Response | None:
    """Discord's refusal of a message; None: it is taken."""
    content, embeds = message.get("content") or "", message.get("embeds") or []
    if not content.strip() and not embeds:
        return refusal(400, 50006, "Cannot send an empty message")
    wrong = [] if units(content) <= 2_000 else [("content", "Must be 2000 or fewer in length.")]
    if len(embeds) > 10:
        wrong.append(("embeds", "Must be 10 or fewer in length."))
    for index, embed in enumerate(embeds):
        wrong += [(f"embeds.{index}.{where}", why) for where, why in wrong_with(embed)]
    if sum(map(total, embeds)) > 6_000:
        wrong.append(("embeds", "Embed size exceeds maximum size of 6000"))
    return refusal(400, 50035, "Invalid Form Body", errors=dict(wrong)) if wrong else None


def wrong_with(embed: Json) -> list[tuple[str, str]]:
    fields = embed.get("fields", [])
    texts = [(name, embed[name], limit) for name, limit in OF_AN_EMBED.items() if name in embed]
    texts += [
        (f"fields.{index}.{name}", field.get(name) or "", limit)
        for index, field in enumerate(fields)
        for name, limit in OF_A_FIELD.items()
    ]
    if "footer" in embed:
        texts.append(("footer.text", embed["footer"].get("text") or "", OF_A_FOOTER))
    wrong = [(where, "This field is required") for where, text, _ in texts if not text.strip()]
    wrong += [(where, f"Must be {n} or fewer in length.") for where, t, n in texts if units(t) > n]
    if len(fields) > 25:
        wrong.append(("fields", "Must be 25 or fewer in length."))
    if not 0 <= embed.get("color", 0) <= 0xFFFFFF:
        wrong.append(("color", "int value should be between 0 and 16777215."))
    if "url" in embed and not re.match(r"https?://[^/]+\.[^/]+", embed["url"]):
        wrong.append(("url", "Not a well formed URL."))
    return wrong


def total(embed: Json) -> int:
    texts = [embed.get(name, "") for name in OF_AN_EMBED]
    texts += [field.get(name, "") for field in embed.get("fields", []) for name in OF_A_FIELD]
    texts.append(embed.get("footer", {}).get("text", ""))
    return sum(map(units, texts))


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pinged(message: Json) -> list[str]:
    """Whom the message pings: only its content can, and only those it says it may."""
    parse = message.get("allowed_mentions", {}).get("parse", ["everyone", "users", "roles"])
    forms = {"everyone": r"@everyone|@here", "users": r"<@!?\d+>", "roles": r"<@&\d+>"}
    content = message.get("content") or ""
    return [who for kind in parse for who in re.findall(forms[kind], content)]


def refusal(status: int, code: int, message: str, **more: object) -> httpx.Response:
    return httpx.Response(status, json={"message": message, "code": code, **more})
