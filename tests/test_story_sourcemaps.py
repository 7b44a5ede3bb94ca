"""A minified browser error finds its owner: through the real service, by a map of its release."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import Service, a_service
from tests.sourcemaps.test_reader import CAPTURED, EXPECTED

RULES = """version: 1
teams:
  checkout: {receivers: [{channel: log}]}
  web: {receivers: [{channel: log}]}
rules:
  - {path: /_apps/sourcemap/src/ui/, owner: web}
  - {path: /_apps/sourcemap/src/checkout/, owner: checkout}
default: web
"""


def frames() -> list[dict[str, Any]]:
    """Of stack.txt, as Sentry's SDK for browsers sends them: caller → raise."""
    said = [case["says"] for case in EXPECTED["frames"][::-1]]
    return [
        {"filename": EXPECTED["bundle"], "function": name or "?", "lineno": line, "colno": column}
        if line
        else {"filename": "<anonymous>", "function": name, "in_app": True}
        for line, column, name in said
    ]


def send(service: Service, event_id: str) -> None:
    error = {"type": "TypeError", "value": event_id, "stacktrace": {"frames": frames()}}
    event = {"platform": "javascript", "release": "shop@1.2.3", "exception": {"values": [error]}}
    lines = [{"event_id": event_id * 32}, {"type": "event"}, event]
    answer = httpx.post(
        f"{service.url}/api/1/envelope/?sentry_key=any",
        content="\n".join(map(json.dumps, lines)),
        headers={"Content-Type": "text/plain;charset=UTF-8"},
        trust_env=False,
    )
    answer.raise_for_status()


def owners(service: Service) -> dict[str, str]:
    """Title → team."""
    return {title: group["team"] for title, group in service.groups().items()}


def upload(service: Service) -> int:
    asked = {"release": "shop@1.2.3", "project": "1", "name": "~/static/app.min.js"}
    url = f"{service.url}/api/v1/artifacts"
    return httpx.post(url, params=asked, content=CAPTURED, trust_env=False).status_code


def test_an_uploaded_map_leads_to_the_team_of_the_source(tmp_path: Path) -> None:
    with a_service(tmp_path, RULES) as service:
        send(service, "a")
        assert owners(service) == {"TypeError: a": "web"}
        assert (upload(service), upload(service)) == (201, 200)
        send(service, "b")
        service.kill()
        service.start()
        send(service, "c")
        found = service.groups()
        books = service.settled_books()
    assert {title: group["team"] for title, group in found.items()} == {
        "TypeError: a": "web",
        "TypeError: b": "checkout",
        "TypeError: c": "checkout",
    }
    assert found["TypeError: c"]["culprit"] == "_apps/sourcemap/src/checkout/cart.ts in ?"
    assert books["unaccounted"] == 0


@pytest.mark.parametrize("beside_its_bundle", [True, False])
def test_a_map_in_a_folder_does_as_well(tmp_path: Path, beside_its_bundle: bool) -> None:
    place = tmp_path / "maps" / "shop@1.2.3" / "static"
    place.mkdir(parents=True)
    (place / "app.min.js.map").write_bytes(CAPTURED)
    if beside_its_bundle:
        (place / "app.min.js").write_text("(()=>{})()")
    with a_service(tmp_path, RULES, POINTSMAN_ARTIFACTS="maps") as service:
        send(service, "a")
        assert owners(service) == {"TypeError: a": "checkout"}
