"""Our own JSON, to any URL; signed where there is a secret.

Signature: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
The body is version 1 of what docs/channels.md shows. `webhook-id` is the same over all attempts,
and so is the `id` of each notification, at whichever receiver and in whichever message: one that
remembers both hears every alert once.
"""

import base64
import binascii
import hmac
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr, field_validator

from routers.channels.base import Channel, Receipt
from routers.http import Destination, encode, post_json
from routers.message import place, told_besides
from routers.notification import Alert, Notification

OTHERS_BYTES = 500_000  # what a message holds of others; many servers take a megabyte
SHOWN = (
    "id",
    "reason",
    "severity",
    "title",
    "culprit",
    "group",
    "times_seen",
    "why",
    "permalink",
    "event_id",
    "environment",
    "release",
    "first_seen",
    "last_seen",
)
PREFIX = "whsec_"  # base64 follows; a secret without it is taken as it is written


class Webhook(Channel):
    """`webhook: {url: https://triage.example.com/alerts, secret: whsec_cG9pbnRzbWFu}`"""

    url: Destination
    secret: SecretStr | None = None

    @field_validator("secret")
    @classmethod
    def _is_a_key(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            key(secret)
        return secret

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        body = encode(payload(alert))
        headers = {"webhook-id": alert.id, "webhook-timestamp": timestamp(alert)}
        if self.secret is not None:
            headers["webhook-signature"] = signature(alert, body, key(self.secret))
        post_json(client, self.url.get_secret_value(), body, now=alert.sent_at, headers=headers)
        return Receipt()


def payload(alert: Alert) -> dict[str, Any]:
    """Of an alert that was refused as malformed, the parts that can be large are left out.

    The worst comes with its decision and event, the others with what a list needs, as many as fit.
    """
    notification = alert.notification
    has_event = alert.event is not None and not alert.plain
    worst = told(notification) | {
        "links": {name: link or None for name, link in msgspec.structs.asdict(alert.links).items()},
        "source_line": place(alert).line,
        "message": _written(alert),
        "ownership": {**alert.ownership, "trail": []} if alert.plain else alert.ownership,
        **({"digest": msgspec.to_builtins(notification.digest)} if notification.digest else {}),
        "event": msgspec.to_builtins(alert.event) if has_event else None,
    }
    others = [] if alert.plain else list(fitting(alert))
    return {
        "version": 1,
        "receiver": notification.receiver,
        "team": notification.team,
        "notifications": [worst, *others],
        "omitted": told_besides(alert) - len(others),
    } | ({"storm": msgspec.to_builtins(alert.storm)} if alert.storm else {})


def told(notification: Notification) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(notification)
    return {name: shown[name] for name in SHOWN}


def fitting(alert: Alert) -> Iterator[dict[str, Any]]:
    left = OTHERS_BYTES
    for other in alert.others:
        shown = told(other) | {"ownership": None, "event": None}
        left -= len(encode(shown))
        if left < 0:
            return
        yield shown


def _written(alert: Alert) -> dict[str, str] | None:
    """By the channel's template, where it has one."""
    written = alert.written
    return msgspec.structs.asdict(written) if written.title or written.body else None


def key(secret: SecretStr) -> bytes:
    """Raises ValueError when it is none."""
    text = secret.get_secret_value()
    if not text.removeprefix(PREFIX):
        raise ValueError("is empty")
    if not text.startswith(PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"is not base64 after {PREFIX}") from None


def signature(alert: Alert, body: bytes, secret_key: bytes) -> str:
    signed = b".".join((alert.id.encode(), timestamp(alert).encode(), body))
    digest = hmac.digest(secret_key, signed, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def timestamp(alert: Alert) -> str:
    """Whole seconds since 1970."""
    return str(int(alert.sent_at.timestamp()))
