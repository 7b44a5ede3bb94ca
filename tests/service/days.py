"""Days in the life of a service, on a clock that is moved by hand: who hears what, and when."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient

from service.runtime import Runtime
from tests.service.house import Clock, running

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TEAMS = """version: 1
teams:
  payments: {receivers: [{channel: payments-hook}]}
  search: {receivers: [{channel: search-hook}]}
channels:
  payments-hook: {webhook: {url: "http://hooks.example/payments"}}
  search-hook: {webhook: {url: "http://hooks.example/search"}}
rules:
  - {path: /billing/, owner: payments}
  - {path: /search/, owner: search}
"""


class Days:
    """Everything goes the whole way: through the doors, the outbox, and out by the channels."""

    def __init__(self, client: TestClient, clock: Clock, folder: Path, heard: list[Any]) -> None:
        self.client = client
        self.clock = clock
        self._folder = folder
        self._heard = heard

    @property
    def inside(self) -> Runtime:
        runtime: Runtime = self.client.app.state.runtime  # type: ignore[attr-defined]
        return runtime

    def pass_by(self, how_long: timedelta) -> None:
        self.clock.move(how_long)

    def until(self, moment: str) -> None:
        """UTC."""
        self.clock.now = datetime.fromisoformat(f"{moment}+00:00")

    def rule(self, policy: str = "", teams: str = TEAMS) -> None:
        (self._folder / "rules.yaml").write_text(f"{teams}{policy}\n")
        assert self.post("/api/v1/rules/reload")["problems"] == []

    def fail(self, path: str = "billing/tax.py", times: int = 1, **more: Any) -> str:
        """An error in that file comes so often. Its group."""
        events = [{"frames": [path], **more} for _ in range(times)]
        groups = [one["group"] for one in self.post("/api/v1/events", events)["events"]]
        return str(groups[0])

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def heard(self) -> list[str]:
        """What was told since this was asked last, the oldest first."""
        deadline = time.monotonic() + 10
        while self.client.get("/api/v1/deliveries?state=pending").json()["deliveries"]:
            assert time.monotonic() < deadline, "it was never told"
            time.sleep(0.01)
        assert self.client.get("/api/v1/accounting").json()["unaccounted"] == 0
        new, self._heard[:] = list(self._heard), []
        return sorted(map(_said, new))


def _said(one: dict[str, Any]) -> str:
    """`payments: first_seen billing/tax.py production`"""
    if one.get("digest"):
        return f"{one['team']}: digest of {one['title']}"
    words = (f"{one['team']}:", one["reason"], one["culprit"], one["environment"])
    return " ".join(word for word in words if word)


@contextmanager
def the_days(folder: Path, policy: str = "", teams: str = TEAMS, **more: Any) -> Iterator[Days]:
    heard: list[Any] = []

    def hear(request: httpx.Request) -> httpx.Response:
        told = json.loads(request.content)
        heard.extend(one | {"team": told["team"]} for one in told["notifications"])
        return httpx.Response(204)

    clock = Clock()
    (folder / "rules.yaml").write_text(f"{teams}{policy}\n")
    with running(folder, clock, httpx.MockTransport(hear), **more) as client:
        yield Days(client, clock, folder, heard)
