"""What Slack posts when something is pressed, chosen or typed in a message of the bot.

    InvalidPressError    it is signed, and nothing can be read from it

Spec: https://docs.slack.dev/authentication/verifying-requests-from-slack
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload
"""

import hmac
import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NoReturn
from urllib.parse import parse_qs

import msgspec
from pydantic import SecretStr

from matchers.text import clean
from routers.slack_buttons import group_of
from service.auth import RefusedError

LOG = logging.getLogger(__name__)
WINDOW = timedelta(minutes=5)  # between Slack's clock and ours
REMEMBERED = 10_000  # presses
FIELDS = 10  # of the form, whose only one is `payload`
NAME = 80  # characters, here and below
TYPED = 100


class InvalidPressError(Exception):
    pass


class Press(msgspec.Struct, frozen=True, kw_only=True):
    group: str
    act: str  # the action_id
    value: str  # what was chosen; "" of a button
    by: str  # "slack:U123 ada"


class Typed(msgspec.Struct, frozen=True):
    """Into a menu, to see the options that fit."""

    text: str


class SlackDoor:
    """Whom to believe, and what was said before."""

    def __init__(self, secret: SecretStr, clock: Callable[[], datetime]) -> None:
        self._secret = secret.get_secret_value().encode()
        self._clock = clock
        self._lock = threading.Lock()
        self._said: OrderedDict[str, None] = OrderedDict()  # signatures, the newest last

    @property
    def is_open(self) -> bool:
        return bool(self._secret)

    def admit(self, headers: Mapping[str, str], body: bytes) -> str:
        """Its signature. Raises RefusedError where it is not Slack's, or of another time."""
        said = headers.get("x-slack-signature", "")
        stamp = headers.get("x-slack-request-timestamp", "")
        if not self._is_genuine(said, stamp, body):
            self._refuse("needs X-Slack-Signature, by the app's signing secret")
        if not _is_within(stamp, self._clock()):
            self._refuse("X-Slack-Request-Timestamp is not within 5 minutes of now")
        return said

    def is_new(self, signature: str) -> bool:
        """False: the same was said before."""
        with self._lock:
            if signature in self._said:
                return False
            self._said[signature] = None
            if len(self._said) > REMEMBERED:
                self._said.popitem(last=False)
            return True

    def _is_genuine(self, said: str, stamp: str, body: bytes) -> bool:
        signed = b":".join((b"v0", stamp.encode(), body))
        right = "v0=" + hmac.new(self._secret, signed, sha256).hexdigest()
        return self.is_open and hmac.compare_digest(said.encode(), right.encode())

    def _refuse(self, reason: str) -> NoReturn:
        LOG.warning("slack_hook_refused", extra={"reason": reason})
        raise RefusedError(403, reason)


def read(body: bytes) -> Press | Typed | None:
    """None: it is nothing that a message of ours could have sent. Raises InvalidPressError."""
    payload = _payload(body)
    if payload.get("type") == "block_suggestion":
        return Typed(clean(payload.get("value"), TYPED) or "")
    actions = payload.get("actions")
    if payload.get("type") != "block_actions" or not isinstance(actions, list) or not actions:
        return None
    pressed = _object(actions[0])
    group, act = group_of(pressed.get("block_id")), pressed.get("action_id")
    if group is None or not isinstance(act, str):
        return None
    chosen = _object(pressed.get("selected_option")).get("value")
    value = chosen if isinstance(chosen, str) else ""
    return Press(group=group, act=act, value=value, by=_by(_object(payload.get("user"))))


def _payload(body: bytes) -> dict[str, Any]:
    try:
        form = parse_qs(body.decode(), strict_parsing=True, max_num_fields=FIELDS)
        payload = json.loads(form["payload"][0])
    except (ValueError, KeyError, RecursionError):
        raise InvalidPressError("the body is no form with a `payload` in JSON") from None
    if not isinstance(payload, dict):
        raise InvalidPressError("the payload is no object")
    return payload


def _by(user: Mapping[str, Any]) -> str:
    name = clean(user.get("username") or user.get("name"), NAME) or "somebody"
    return f"slack:{clean(user.get('id'), NAME) or 'unknown'} {' '.join(name.split())}"


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_within(stamp: str, now: datetime) -> bool:
    if not re.fullmatch(r"[0-9]{1,11}", stamp):
        return False
    return abs(now.timestamp() - int(stamp)) <= WINDOW.total_seconds()
