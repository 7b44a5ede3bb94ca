"""A real service between a real SDK's requests and a Sentry that records what arrives there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.ingest.captured import CAPTURES, load
from tests.running import PATIENCE, Service, a_service, wait_for
from tests.upstream.recorder import Recorder

KEY = "a key of sixteen characters or more"
RULES = """version: 1
teams:
  billing: {receivers: [{channel: log}]}
  shop: {receivers: [{channel: log}]}
rules:
  - {path: shop/, owner: shop}
  - {path: shop/billing/, owner: billing, feature: invoices, criticality: high}
default: shop
"""
ERRORS = [f"sentry-python-gzip/0{number}" for number in (1, 2, 3, 4, 5)]
ADDED = {"owner", "owner_rule", "feature", "criticality"}


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    one = Recorder()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def service(tmp_path: Path, recorder: Recorder) -> Iterator[Service]:
    settings = {"POINTSMAN_SENTRY_UPSTREAM": recorder.dsn, "POINTSMAN_SECRET_KEY": KEY}
    with a_service(tmp_path, RULES, **settings) as one:
        yield one


def send(service: Service, name: str) -> httpx.Response:
    """A captured request, as it was."""
    told = json.loads((CAPTURES / f"{name}.request.json").read_text())
    skipped = ("host", "content-length", "transfer-encoding", "connection")
    return httpx.post(
        service.url + told["path"],
        params=dict(told["query"]),
        content=(CAPTURES / f"{name}.body").read_bytes(),
        headers=[pair for pair in told["headers"] if pair[0].lower() not in skipped],
        trust_env=False,
        timeout=PATIENCE,
    ).raise_for_status()


def sent(name: str) -> dict[str, Any]:
    """The event of a captured request."""
    body = load(name).body
    if load(name).path.endswith("/store/"):
        found: dict[str, Any] = json.loads(body)
        return found
    header, payload = body.split(b"\n")[1:3]
    assert json.loads(header)["type"] == "event"
    event: dict[str, Any] = msgspec.json.decode(payload)
    return event


def without_ours(event: dict[str, Any]) -> dict[str, Any]:
    tags = {name: value for name, value in event.get("tags", {}).items() if name not in ADDED}
    return event | {"tags": tags}


def test_an_event_arrives_equal_but_for_its_owner(service: Service, recorder: Recorder) -> None:
    for name in ERRORS:
        send(service, name)
    wait_for(lambda: len(recorder.events()) == len(ERRORS))
    for name in ERRORS:
        expected = sent(name)
        arrived = recorder.events()[expected["event_id"]]
        assert without_ours(arrived) == expected | {"tags": expected.get("tags", {})}
        assert arrived["tags"]["owner"] in ("billing", "shop")
        assert arrived["tags"]["owner_rule"].startswith("ownership_rules.yaml:")
    assert {one.path for one in recorder.posted} == {"/api/7/envelope/"}
    assert "sentry_key=theirkey" in recorder.posted[0].key


def test_an_event_of_the_older_door_arrives_too(service: Service, recorder: Recorder) -> None:
    send(service, "raven-python-store/01")
    expected = sent("raven-python-store/01")
    arrived = wait_for(recorder.events)[expected["event_id"]]
    assert without_ours(arrived) == expected | {"tags": expected.get("tags", {})}


def test_sessions_and_transactions_go_on_as_they_are(service: Service, recorder: Recorder) -> None:
    for name in ("sentry-python-fastapi/02", "sentry-python-traces/02", "sentry-browser/01"):
        answer = send(service, name)
        assert "X-Sentry-Rate-Limits" not in answer.headers
        wait_for(lambda: recorder.posted)
        body = load(name).body
        assert recorder.posted.pop().body.split(b"\n")[1:3] == body.split(b"\n")[1:3]
    assert service.read("/api/v1/accounting")["accepted"] == 0


def test_nothing_is_lost_while_it_is_down_and_we_are_killed(
    service: Service, recorder: Recorder
) -> None:
    recorder.stop()
    for name in ERRORS:
        send(service, name)
    wait_for(lambda: "upstream" in service.text("/readyz"))
    service.kill()
    recorder.start()
    service.start()
    wait_for(lambda: len(recorder.events()) == len(ERRORS))
    wait_for(lambda: "pointsman_upstream_pending 0.0" in service.text("/metrics"))
    for name in ERRORS:
        expected = sent(name)
        arrived = recorder.events()[expected["event_id"]]
        assert without_ours(arrived) == expected | {"tags": expected.get("tags", {})}


def test_its_limits_are_passed_on_but_never_for_errors(
    service: Service, recorder: Recorder
) -> None:
    limits = "60:transaction;error:organization, 60:session:key"
    recorder.answer = (200, {"X-Sentry-Rate-Limits": limits})
    send(service, ERRORS[0])
    told = wait_for(lambda: send(service, ERRORS[1]).headers.get("X-Sentry-Rate-Limits"))
    assert "transaction" in told
    assert "session" in told
    assert "error" not in told


def test_what_waits_is_sealed(tmp_path: Path, service: Service, recorder: Recorder) -> None:
    recorder.stop()
    send(service, ERRORS[0])
    service.kill()
    kept = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir())
    extra = next(iter(sent(ERRORS[0])["modules"]))
    assert extra.encode() in load(ERRORS[0]).body
    for secret in (extra, KEY, "theirkey"):
        assert secret.encode() not in kept
