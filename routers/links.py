"""Where a message leads besides the group's page: the runbook, the source, Sentry.

Made when a message is sent, by the rules then in force. What an event says goes into an address
percent-encoded, and only where the rules file has a place for it (routers/urls.py).
"""

import re
from typing import Any

from matchers.event import Event
from routers.notification import Links, Notification
from routers.rules import Rules
from routers.urls import filled, link

_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def links_of(
    told: Notification, event: Event | None, ownership: dict[str, Any], rules: Rules
) -> Links:
    team = rules.teams.get(told.team or "")
    feature = rules.runbooks.get(str(ownership.get("feature")))
    return Links(
        runbook=link(feature or (team.runbook if team else "")),
        source=_source(told, ownership, rules.policy.source_url or ""),
        sentry=link(event.web_url if event else None)
        or _sentry(told, event, rules.policy.sentry_url or ""),
    )


def _source(told: Notification, ownership: dict[str, Any], template: str) -> str:
    frame = ownership.get("frame")
    if not isinstance(frame, dict):
        return ""
    line, release = frame.get("lineno"), told.release or ""
    revision = str(ownership.get("revision", ""))
    known = {
        "path": frame.get("path"),
        "line": str(line) if isinstance(line, int) else None,
        "release": release,
        "version": release.rpartition("@")[2].partition("+")[0],  # package@version+build
        "revision": revision if _COMMIT.fullmatch(revision) else None,
    }
    return filled(template, known)


def _sentry(told: Notification, event: Event | None, template: str) -> str:
    slug = event.project_slug if event else None
    known = {"event_id": told.event_id, "project": told.project, "slug": slug or told.project}
    return filled(template, known)
