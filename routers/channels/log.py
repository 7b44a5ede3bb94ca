"""Alerts on the console: the default, with no account anywhere.

An alert begins in the first column, and nothing else does: what an exception says stays on one
indented line, with control characters spelled out. It can neither forge a second alert nor
command a terminal.
"""

import sys

import httpx

from routers.channels.base import Channel, Receipt
from routers.errors import TemporaryError
from routers.message import also, body, facts, headline, links, marker, one_line, place, shorten
from routers.notification import Alert

LINE_LIMIT = 500  # characters
OTHERS = 20  # lines for what it tells besides, and of a digest
_LINKS = {"Open in Pointsman": "page"}


class Log(Channel):
    """`log: {}`"""

    def send(self, alert: Alert, client: httpx.Client) -> Receipt:
        encoding = sys.stdout.encoding or "utf-8"
        text = render(alert).encode(encoding, "backslashreplace").decode(encoding)
        try:
            sys.stdout.write(text)  # in one piece: other threads write too
            sys.stdout.flush()
        except (OSError, ValueError):  # ValueError: it was closed
            raise TemporaryError("console_closed", "the console takes no more text") from None
        return Receipt()


def render(alert: Alert) -> str:
    """Several lines and an empty one."""
    notification = alert.notification
    where = place(alert)
    known = dict(facts(alert))
    team, severity, reason = known.pop("Team"), known.pop("Severity"), known.pop("Reason")
    known.pop("Storm", None)  # its headline says so
    built_in = [
        ("at", where.text),
        ("", f"    {where.line}" if where.line else ""),
        ("why", one_line(notification.why)),
        *((label.lower(), value) for label, value in known.items()),
    ]
    word, _, delivery = marker(alert).partition(" ")
    said = one_line(alert.written.title or notification.title) or "(no title)"
    told = [
        ("storm", headline(alert) if alert.storm else ""),
        ("error" if notification.event_id else "says", said),
        *([("", line) for line in body(alert).splitlines()] or built_in),
        *(("" if notification.digest else "also", line) for line in also(alert, OTHERS)),
        *((_LINKS.get(label, label.lower()), link) for label, link in links(alert)),
        (word.lower(), delivery),
    ]
    lines = [f"  {label:<12} {shorten(value, LINE_LIMIT)}" for label, value in told if value]
    first = shorten(f"ALERT {team} · {severity} · {reason}", LINE_LIMIT)
    return "\n".join([first, *lines, "", ""])
