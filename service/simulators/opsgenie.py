"""Opsgenie's Alerts API, and Jira Service Management's of the same shape.

Spec: https://docs.opsgenie.com/docs/alert-api,
https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/api-group-integration-events/
It takes first and looks later: a 202 promises nothing but that it will.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx

from service.simulators.window import Window, units

URLS = {
    "https://api.opsgenie.com/v2/alerts",
    "https://api.eu.opsgenie.com/v2/alerts",
    "https://api.atlassian.com/jsm/ops/integration/v2/alerts",
}
CLOSE = re.compile(r"(.+)/([^/]+)/close\?identifierType=alias")
RATE = 60  # a minute; it depends on the plan
LIMITS = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}


class Opsgenie:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.alerts: dict[str, dict[str, Any]] = {}  # the open ones, by alias: the first is kept
        self.counts: Counter[str] = Counter()
        self._windows: dict[str, Window] = defaultdict(lambda: Window(clock, RATE))

    def incidents(self) -> int:
        return len(self.alerts)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        closes = CLOSE.fullmatch(str(request.url))
        if (closes[1] if closes else str(request.url)) not in URLS:
            return httpx.Response(404)
        key = request.headers.get("Authorization", "")
        if not re.fullmatch(r"GenieKey \S+", key):
            said = {"message": "Key format is not valid!", "took": 0.0, "requestId": "r-0"}
            return httpx.Response(422, json=said)
        if not self._windows[key].takes():
            headers = {"X-RateLimit-State": "THROTTLED", "X-RateLimit-Period-In-Sec": "60"}
            said = {"message": "You are making too many requests!", "took": 0.0}
            return httpx.Response(429, headers=headers, json=said)
        if closes:
            self.alerts.pop(closes[2], None)
            said = {"result": "Request will be processed", "took": 0.1, "requestId": "c"}
            return httpx.Response(202, json=said)
        alert = json.loads(request.content)
        errors = dict(mistakes(alert))
        if errors:
            said = {"message": "Request body is not processable.", "took": 0.0}
            return httpx.Response(422, json=said | {"errors": errors})
        self.alerts.setdefault(alert["alias"], alert)
        self.counts[alert["alias"]] += 1
        said = {"result": "Request will be processed", "took": 0.1, "requestId": "43a29c5c-3dbf"}
        return httpx.Response(202, json=said)


def mistakes(alert: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, limit in LIMITS.items():
        if units(alert.get(name, "")) > limit:
            yield name, f"can not be longer than {limit} characters"
    if not alert.get("message"):
        yield "message", "can not be empty"
    if alert.get("priority", "P3") not in {"P1", "P2", "P3", "P4", "P5"}:
        yield "priority", "is not valid"
    tags = alert.get("tags", [])
    if len(tags) > 20 or any(units(tag) > 50 for tag in tags):
        yield "tags", "are too many or too long"
    details = alert.get("details", {})
    if sum(units(name) + units(value) for name, value in details.items()) > 8_000:
        yield "details", "can not be longer than 8000 characters"
    if any(one.keys() - {"id", "name", "username", "type"} for one in alert.get("responders", [])):
        yield "responders", "are not valid"
