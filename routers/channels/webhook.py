"""Our own JSON, to any URL; signed where there is a secret.

Signature: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
The body is version 1 of what docs/channels.md shows. `webhook-id` is the same over all attempts:
a receiver that remembers it hears every alert once.
"""

import base64
import binascii
import hmac
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr, field_validator

from routers.channels.base import Channel, Receipt
from routers.http import Destination, encode, post_json
from routers.message import place
from routers.notification import Alert

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
    """Of an alert that was refused as malformed, the two parts that can be large are left out."""
    notification = alert.notification
    has_event = alert.event is not None and not alert.plain
    told = {
        "reason": notification.reason,
        "severity": notification.severity,
        "title": notification.title,
        "culprit": notification.culprit,
        "group": notification.group,
        "times_seen": notification.times_seen,
        "why": notification.why,
        "permalink": notification.permalink,
        "links": {name: link or None for name, link in msgspec.structs.asdict(alert.links).items()},
        "first_seen": msgspec.to_builtins(notification.first_seen),
        "last_seen": msgspec.to_builtins(notification.last_seen),
        "source_line": place(alert).line,
        "message": _written(alert),
        "event_id": notification.event_id,
        "environment": notification.environment,
        "release": notification.release,
        "ownership": {**alert.ownership, "trail": []} if alert.plain else alert.ownership,
        **({"digest": msgspec.to_builtins(notification.digest)} if notification.digest else {}),
        "event": msgspec.to_builtins(alert.event) if has_event else None,
    }
    return {
        "version": 1,
        "receiver": notification.receiver,
        "team": notification.team,
        "notifications": [told],
        "omitted": 0,
    }


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
