"""Apprise: the long tail of services, by one URL each. The extra `apprise` brings it.

Spec: https://github.com/caronc/apprise/wiki
It answers yes or no, retries and waits as it likes, and opens its own sockets: so it runs in a
process of its own (routers/apprise_child.py), which is bounded in time and reaches only what any
channel may. Retries and pace are ours.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from threading import BoundedSemaphore
from time import monotonic
from typing import Annotated, Any, ClassVar, Literal

import httpx
from pydantic import AfterValidator, Field, SecretStr

from routers.channels.base import Channel, Receipt
from routers.errors import PermanentError, TemporaryError
from routers.http import failure, guard_of
from routers.incident import one, story
from routers.message import also, body, facts, headline, links, marker, plain
from routers.notification import Alert, Severity
from routers.pace import Pace

TITLE_LIMIT = 250  # UTF-16 units, as of incident.py
LINE_LIMIT = 300
OTHERS = 5
AT_ONCE = 2  # processes
TURN_SECONDS = 5.0  # how long one waits for its turn, of the 15 s that a send has
TYPES: dict[Severity, str] = {
    "critical": "failure",
    "error": "failure",
    "warning": "warning",
    "info": "info",
}
# What the process is given of the environment: no secret of ours, no proxy around the guard.
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_TURNS = BoundedSemaphore(AT_ONCE)


def _url(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", value.get_secret_value()):
        raise ValueError("is not a URL of Apprise, as in ntfys://host/topic")
    return value


class AppriseChannel(Channel):
    """`apprise: {url: ntfys://bot:hush-hush@ntfy.example.com/payments}`"""

    needs: ClassVar = "apprise"
    pace: ClassVar = Pace(per_second=0.5, burst=4)
    url: Annotated[SecretStr, AfterValidator(_url), Field(examples=["ntfys://host/topic"])]
    overflow: Literal["truncate", "split"] = "truncate"  # of what the service takes too little for

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        asked = {
            **payload(alert),
            "url": self.url.get_secret_value(),
            "overflow": self.overflow,
            "allow_private": guard_of(client).allow_private,
        }
        ends_at = guard_of(client).deadline()
        if not _TURNS.acquire(timeout=TURN_SECONDS):
            raise TemporaryError("busy", "other notifications by Apprise take too long")
        try:
            said = _run(asked, ends_at)
        finally:
            _TURNS.release()
        return _judged(said)


def payload(alert: Alert) -> dict[str, str]:
    """As text, which Apprise escapes for what the service reads."""
    return {
        "title": one(headline(alert), TITLE_LIMIT),
        "body": "\n".join(_lines(alert)),
        "type": TYPES[alert.notification.severity],
    }


def _lines(alert: Alert) -> list[str]:
    known = [said] if (said := marker(alert)) else []
    if alert.plain:
        return [*(one(line, LINE_LIMIT) for line in plain(alert).splitlines()), *known]
    told = [f"{label}: {one(value, LINE_LIMIT)}" for label, value in facts(alert)]
    return [
        *story(alert).splitlines(),
        *[f"{label}: {link}" for label, link in links(alert)],  # before what may be cut
        *known,
        *([] if body(alert) else told),
        *[one(line, LINE_LIMIT) for line in also(alert, OTHERS)],
    ]


def _run(asked: Mapping[str, Any], ends_at: float) -> dict[str, Any]:
    known = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environ = known | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "routers.apprise_child"],
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
            timeout=max(ends_at - monotonic(), 0),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TemporaryError("timeout", "Apprise did not end in time") from None
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise TemporaryError("internal", "Apprise ended without an answer") from None
    return said


def _judged(said: Mapping[str, Any]) -> Receipt:
    if said["said"] == "taken":
        return Receipt()
    if said["said"] == "no_url":
        raise PermanentError("invalid_url", "Apprise knows no such URL")
    if said["said"] == "private":
        raise PermanentError(
            "private_destination",
            "the destination is not on the public internet; "
            "POINTSMAN_ALLOW_PRIVATE_DESTINATIONS=true allows it",
        )
    if said["status"]:
        raise failure(said["status"], f"answered {said['status']}, says Apprise")
    raise TemporaryError("not_taken", "Apprise could not deliver it, and does not say why")
