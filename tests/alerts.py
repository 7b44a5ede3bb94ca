"""Alerts to send in tests: a KeyError in billing, told to payments."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from matchers.event import Event, ExceptionValue, Frame
from routers.notification import Alert, Links, Notification, Written

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

OWNERSHIP: dict[str, Any] = {
    "owners": ["payments"],
    "step": "frame",
    "frame": {"path": "server/app/billing/tax.py", "function": "rate", "lineno": 88},
    "rule": {"file": "rules.yaml", "line": 12, "text": "path: /server/app/billing/"},
    "trail": [{"frame": {"path": "server/app/billing/tax.py"}, "verdict": "owned"}],
}

EVENT = Event(
    event_id="e" * 32,
    timestamp=NOW,
    received_at=NOW,
    exceptions=(
        ExceptionValue(
            type="KeyError",
            value="'DE'",
            frames=(
                Frame(filename="app/web.py", function="checkout", lineno=4),
                Frame(
                    abs_path="/srv/server/app/billing/tax.py",
                    function="rate",
                    lineno=88,
                    context_line="    return RATES[country]",
                ),
            ),
        ),
    ),
)

NOTIFICATION = Notification(
    group="0123456789abcdef",
    project="1",
    receiver="payments-slack",
    team="payments",
    reason="first_seen",
    severity="critical",
    title="KeyError: 'DE'",
    culprit="server/app/billing/tax.py in rate",
    why="server/app/billing/tax.py:88 · path: /server/app/billing/ · rules.yaml:12",
    permalink="https://pointsman.example.com/groups/0123456789abcdef",
    event_id="e" * 32,
    environment="production",
    release="2026.3.1",
    times_seen=1200,
    first_seen=NOW,
    last_seen=NOW,
)


def an_alert(**over: Any) -> Alert:
    """over: fields of the alert, or of its notification."""
    of_alert = {name: over.pop(name) for name in Alert.__struct_fields__ if name in over}
    notification = msgspec.structs.replace(NOTIFICATION, **over)
    given = {"id": "0195-delivery", "sent_at": NOW, "ownership": OWNERSHIP, "event": EVENT}
    return Alert(**{"notification": notification, **given, **of_alert})


def everywhere(text: str) -> dict[str, Any]:
    """For `an_alert`: the text in each place where a sender may put one."""
    frame = {"path": text, "function": text, "lineno": text}
    named = dict.fromkeys(("title", "team", "culprit", "why", "environment", "release"), text)
    return {**named, "ownership": {"frame": frame}}


def longest_links() -> dict[str, Any]:
    """For `an_alert`: what is just short enough to be shown."""
    amps = "https://p.test/?" + "&" * 76
    return {"permalink": amps, "links": Links(runbook=amps, source=amps, sentry=amps)}


def templated(text: str) -> dict[str, Any]:
    """For `an_alert`: a channel whose templates make this text of it."""
    return {"written": Written(title=text, body=text)}


def crowd(text: str, count: int = 400) -> tuple[Notification, ...]:
    """What one message tells besides."""
    return tuple(
        msgspec.structs.replace(NOTIFICATION, title=f"{number} {text}") for number in range(count)
    )
