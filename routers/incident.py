"""What an alert says to a tool that opens incidents, and the key that keeps it one incident.

Such a tool passes on what it is told, to phones and to chats, not always escaped: whatever would
ping somebody there, or show another address than a link's own, is written with look-alikes.
"""

import re
from hashlib import blake2b

from routers.message import body, facts, further, headline, one_line, place, title
from routers.notification import Alert

ERROR_LIMIT = 4_000  # UTF-16 units, as of every limit here
LINE_LIMIT = 500

_LOOK_ALIKES = {
    "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
    "@": "\N{FULLWIDTH COMMERCIAL AT}",
}
_PINGING = re.compile(r"<(?=[!@#]|[a-z]+:(?!:))|(?<![\w/])@(?=\w)", re.IGNORECASE)


def key(alert: Alert) -> str:
    """The same for all that one team is told of one group in one environment, so that a later
    alert joins the incident that is open, or opens it again.

    Another environment has its own: an incident open in staging must not swallow production's. So
    has a storm, over all that is told of it.
    """
    told = alert.notification
    if alert.storm:  # one incident, instead of one for each of its groups
        return f"pointsman-storm-{alert.storm.id}"
    audience = f"{told.team or ''}\0{told.environment or ''}".encode(errors="replace")
    return f"pointsman-{told.group}-{blake2b(audience, digest_size=4).hexdigest()}"


def summary(alert: Alert, limit: int) -> str:
    return one(headline(alert), limit)


def details(alert: Alert, limit: int) -> dict[str, str]:
    """Every fact by its name, each within `limit`; what is not known is not there."""
    told, where = alert.notification, place(alert)
    known = {
        **{label.lower().replace(" ", "_"): value for label, value in facts(alert)},
        "feature": alert.ownership.get("feature"),
        "criticality": alert.ownership.get("criticality"),
        "where": where.text,
        "source_line": where.line,
        "why": told.why,
        "project": told.project,
        "group": told.group,
        "event": told.event_id,
    }
    return {name: one(str(value), limit) for name, value in known.items() if value}


def addresses(alert: Alert) -> dict[str, str]:
    """Where it leads besides the group's page: `runbook_url`, `source_url`, `sentry_url`."""
    return {f"{label.lower()}_url": link for label, link in further(alert)}


def error(alert: Alert) -> str:
    """All of it, in its own lines, as far as it fits."""
    return fit(defused(title(alert)), ERROR_LIMIT)


def story(alert: Alert) -> str:
    """Some lines, under 6,000 units: the error, where, and why you; or as a template says it."""
    if written := body(alert):
        return fit(defused(written), ERROR_LIMIT)
    where = place(alert)
    told = (
        error(alert),
        one(where.text, LINE_LIMIT),
        where.line and "    " + one(where.line, LINE_LIMIT),
        one(alert.notification.why, LINE_LIMIT),
    )
    return "\n".join(line for line in told if line)


def one(text: str, limit: int) -> str:
    """One line that pings nobody, within `limit`."""
    return fit(defused(one_line(text)), limit)


def defused(text: str) -> str:
    """Without what Slack, Discord and Teams read as a mention or a link with another label."""
    return _PINGING.sub(lambda found: _LOOK_ALIKES[found[0]], text)


def fit(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, which is how the vendors' languages count."""
    units = text.encode("utf-16-le", errors="replace")
    if len(units) <= 2 * limit:
        return text
    return units[: 2 * (limit - 1)].decode("utf-16-le", errors="ignore") + "…"
