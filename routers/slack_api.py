"""Slack's Web API: one call, and what its answer means.

Spec: https://docs.slack.dev/apis/web-api
Methods: https://docs.slack.dev/reference/methods/chat.postMessage, and chat.update, which looks for
names and links unless it is told not to.
The status is 200 whatever happened: `ok` says whether, `error` why not.
"""

import re
from datetime import datetime
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from routers.errors import DeliveryError, PermanentError, RefusedError, TemporaryError
from routers.http import fields, post_json

URL = "https://slack.com"
GONE = frozenset(  # the message, or the right to change it: another app's token
    ("message_not_found", "cant_update_message", "thread_not_found", "cannot_reply_to_message")
)
CLOSED = "edit_window_closed"  # it stays as it is; its thread goes on
_LIMITED = ("ratelimited", "rate_limited", "message_limit_exceeded")
_THEIRS = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
_MALFORMED = (
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_arguments",
    "no_text",
    "msg_too_long",
    "msg_blocks_too_long",
)
_CODES = {
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"),
        "unauthorized",
    ),
    **dict.fromkeys(("not_in_channel", "missing_scope", "restricted_action"), "forbidden"),
    "channel_not_found": "not_found",
    "is_archived": "gone",
    **{name: name for name in (*GONE, CLOSED)},
}


class Bot(msgspec.Struct, frozen=True):
    token: SecretStr
    url: str  # without a last slash

    def call(
        self, method: str, asked: dict[str, Any], *, client: httpx.Client, now: datetime
    ) -> dict[str, Any]:
        """Its answer. Raises DeliveryError; the code of GONE and CLOSED is Slack's own name."""
        headers = {
            "Authorization": f"Bearer {self.token.get_secret_value()}",
            "Content-Type": "application/json; charset=utf-8",
        }
        answer = post_json(client, f"{self.url}/api/{method}", asked, now=now, headers=headers)
        said = fields(answer)
        if said.get("ok") is not True:
            raise refusal(said.get("error"))
        return said


def refusal(error: object) -> DeliveryError:
    """What an answer that is not `ok` means."""
    if not isinstance(error, str) or not re.fullmatch(r"[a-z_]{1,60}", error):
        return PermanentError("unexpected_answer", "answered, but not as Slack would")
    said = f"answered {error}"
    if error in _LIMITED:
        return TemporaryError("rate_limited", said, pause=True)
    if error in _THEIRS:
        return TemporaryError("server_error", said)
    if error in _MALFORMED:
        return RefusedError("malformed", said)
    return PermanentError(_CODES.get(error, "rejected"), said)
