"""incident.io's HTTP alert sources.

Spec: https://api-docs.incident.io/tag/Alert-Events-V2
What is too large is answered as if it were too often.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx

from service.simulators.window import Window

PATH = "/v2/alert_events/http/"
REQUEST_LIMIT = 512_000  # bytes
RATE = 1_200  # a minute


class IncidentIo:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.alerts: dict[str, list[dict[str, Any]]] = defaultdict(list)  # by deduplication key
        self._window = Window(clock, RATE)

    def incidents(self) -> int:
        return len(self.alerts)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "api.incident.io" or not request.url.path.startswith(PATH):
            return httpx.Response(404)
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return _problem(401, "authentication_error")
        if len(request.content) > REQUEST_LIMIT or not self._window.takes():
            return _problem(429, "too_many_requests", {"Retry-After": "60"})
        alert = json.loads(request.content)
        if errors := list(mistakes(alert)):
            return _problem(422, "validation_error", errors=errors)
        name = alert["deduplication_key"]
        if alert["status"] == "resolved":
            self.alerts.pop(name, None)
        else:
            self.alerts[name].append(alert)
        said = {"deduplication_key": name, "message": "Event accepted for processing"}
        return httpx.Response(202, json=said | {"status": "success"})


def mistakes(alert: dict[str, Any]) -> Iterator[str]:
    for name in ("title", "deduplication_key"):
        if not alert.get(name):
            yield f"{name} is required"
    if alert.get("status") not in {"firing", "resolved"}:
        yield "status must be one of firing, resolved"
    if not isinstance(alert.get("metadata", {}), dict):
        yield "metadata must be an object"


def _problem(
    status: int,
    kind: str,
    headers: dict[str, str] | None = None,
    errors: list[str] | None = None,
) -> httpx.Response:
    said = {"type": kind, "status": status, "errors": [{"message": one} for one in errors or ()]}
    return httpx.Response(status, headers=headers, json=said)
