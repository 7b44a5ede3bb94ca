"""One replica of Prometheus Alertmanager, API v2.

Spec: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
Two alerts of the same labels are one; it fires until its endsAt.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx

Labels = frozenset[tuple[str, str]]


class Alertmanager:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.alerts: dict[Labels, dict[str, Any]] = {}
        self._clock = clock

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/api/v2/alerts"):
            return httpx.Response(404)
        errors = []
        for alert in json.loads(request.content):
            found = list(mistakes(alert))
            errors += found
            if not found:  # what is valid is taken, also beside what is not
                self.alerts[frozenset(alert["labels"].items())] = alert
        return httpx.Response(400, json="; ".join(errors)) if errors else httpx.Response(200)

    def incidents(self) -> int:
        return len(self.firing())

    def firing(self) -> list[dict[str, Any]]:
        now = self._clock()
        return [
            alert
            for alert in self.alerts.values()
            if datetime.fromisoformat(alert["startsAt"]) <= now
            and now < datetime.fromisoformat(alert["endsAt"])
        ]


def mistakes(alert: dict[str, Any]) -> Iterator[str]:
    texts = {**alert["labels"], **alert["annotations"]}
    if not alert["labels"]:
        yield "at least one label pair required"
    for name, value in texts.items():
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name):
            yield f"invalid name {name}"
        if not isinstance(value, str):
            yield f"{name} is no string"
    if datetime.fromisoformat(alert["endsAt"]) < datetime.fromisoformat(alert["startsAt"]):
        yield "start time must be before end time"
    if not alert.get("generatorURL", "http://").startswith("http"):
        yield "generatorURL is no URI"
