"""PagerDuty's Events API v2.

Spec: https://developer.pagerduty.com/docs/send-alert-event
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx

from service.simulators.window import Window, units

HOSTS = {"events.pagerduty.com", "events.eu.pagerduty.com"}
REQUEST_LIMIT = 512_000  # bytes
RATE = 120  # a minute, for each integration key


class PagerDuty:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.open: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self._windows: dict[str, Window] = defaultdict(lambda: Window(clock, RATE))

    def incidents(self) -> int:
        return len(self.open)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host not in HOSTS or request.url.path != "/v2/enqueue":
            return httpx.Response(404)
        if len(request.content) > REQUEST_LIMIT:
            return httpx.Response(413)
        event = json.loads(request.content)
        errors = list(mistakes(event))
        if errors:
            said = {"status": "invalid event", "message": "Event object is invalid"}
            return httpx.Response(400, json=said | {"errors": errors})
        if not self._windows[event["routing_key"]].takes():
            return httpx.Response(429, json={"status": "throttle exceeded"})
        name = event["dedup_key"]
        if event["event_action"] == "resolve":
            self.open.pop((event["routing_key"], name), None)
        else:
            self.open[event["routing_key"], name].append(event)
        said = {"status": "success", "message": "Event processed", "dedup_key": name}
        return httpx.Response(202, json=said)


def mistakes(event: dict[str, Any]) -> Iterator[str]:
    payload = event.get("payload", {})
    if event.get("event_action") == "resolve":
        if not event.get("dedup_key"):
            yield "'dedup_key' is missing or blank"
        return
    if len(event.get("routing_key", "")) != 32:
        yield "Length of 'routing_key' is incorrect (should be 32 characters)"
    if event.get("event_action") != "trigger":
        yield "'event_action' is invalid"
    if units(event.get("dedup_key", "")) > 255:
        yield "'dedup_key' is too long"
    if not 1 <= units(payload.get("summary", "")) <= 1024:
        yield "'payload.summary' is missing or too long"
    if not payload.get("source"):
        yield "'payload.source' is missing or blank"
    if payload.get("severity") not in {"critical", "error", "warning", "info"}:
        yield "'payload.severity' is invalid"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' is no object"
    datetime.fromisoformat(payload["timestamp"])
    for link in event.get("links", []):
        if not link["href"].startswith("http"):
            yield "'links' is invalid"
