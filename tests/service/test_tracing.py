"""Own traces: what is a span, what it says, and that without a collector there are none."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.app import create_app
from service.runtime import Runtime
from service.store.writer import StoreUnavailableError
from service.traces import Untraced, open_traces
from service.tracing import Tracing
from tests.ingest.otlp_requests import a_log, logs
from tests.running import environment, wait_for
from tests.service.days import TEAMS
from tests.service.house import TestClient, settings

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


class House:
    def __init__(self, client: TestClient, exporter: InMemorySpanExporter) -> None:
        self.client = client
        self._exporter = exporter

    def spans(self, name: str) -> list[ReadableSpan]:
        return [one for one in self._exporter.get_finished_spans() if one.name == name]

    def span(self, name: str) -> dict[str, Any]:
        """The newest's attributes, once there is one."""
        return dict(wait_for(lambda: self.spans(name))[-1].attributes or {})

    @property
    def runtime(self) -> Runtime:
        runtime: Runtime = self.client.app.state.runtime  # type: ignore[attr-defined]
        return runtime


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "rules.yaml").write_text(TEAMS)
    exporter = InMemorySpanExporter()

    def hear(request: httpx.Request) -> httpx.Response:
        return httpx.Response(204 if "payments" in request.url.path else 410)

    runtime = Runtime(
        settings(tmp_path),
        environ={},
        client=httpx.Client(transport=httpx.MockTransport(hear)),
        traces=Tracing(SimpleSpanProcessor(exporter), {}),
    )
    with TestClient(create_app(runtime), base_url="http://127.0.0.1:8000") as client:
        yield House(client, exporter)


def test_a_request_is_a_span_with_its_door_and_outcome(house: House) -> None:
    sent = {"X-Request-Id": "edge-1"}
    house.client.post("/api/v1/events", json={"frames": ["billing/tax.py"]}, headers=sent)
    assert house.span("accept") == {
        "pointsman.adapter": "native",
        "pointsman.project": "1",
        "pointsman.events": 1,
        "pointsman.outcome": ("notified",),
        "pointsman.request_id": "edge-1",
    }


def test_a_commit_is_a_span_with_its_size(house: House) -> None:
    house.client.post("/api/v1/events", json={"frames": ["billing/tax.py"]})
    assert house.span("commit")["pointsman.batch_size"] >= 1
    commit = house.spans("commit")[0]
    assert commit.start_time is not None
    assert commit.end_time is not None
    assert 0 <= commit.end_time - commit.start_time < 60e9


@pytest.mark.parametrize(
    ("path", "receiver", "outcome"),
    [
        ("billing/tax.py", "payments-hook", "delivered"),
        ("search/slow.py", "search-hook", "gone"),
    ],
)
def test_a_message_is_a_span_with_its_receiver_and_what_it_said(
    house: House, path: str, receiver: str, outcome: str
) -> None:
    event = house.client.post("/api/v1/events", json={"frames": [path]}).json()["events"][0]
    house.span("deliver")
    said = dict(house.spans("deliver")[0].attributes or {})  # the fallback's comes after it
    assert (said["pointsman.receiver"], said["pointsman.outcome"]) == (receiver, outcome)
    assert said["pointsman.event"] == event["id"]


def test_what_cannot_be_kept_is_an_error_without_its_words(house: House) -> None:
    house.runtime.writer.stop()
    answer = house.client.post("/v1/logs", json=logs(a_log({"exception.type": "E"})))
    assert answer.status_code == 503
    (span,) = house.spans("accept")
    assert span.status.description == StoreUnavailableError.__name__
    assert span.events == ()


def test_the_service_has_its_name(house: House) -> None:
    house.client.post("/api/v1/events", json={"frames": ["billing/tax.py"]})
    house.span("commit")
    assert house.spans("commit")[0].resource.attributes["service.name"] == "pointsman"


@pytest.mark.parametrize("environ", [{}, {**COLLECTOR, "OTEL_SDK_DISABLED": "true"}])
def test_without_a_collector_there_are_none(environ: dict[str, str]) -> None:
    assert isinstance(open_traces(environ), Untraced)


def test_without_a_collector_the_way_of_an_event_is_as_it_was(tmp_path: Path) -> None:
    runtime = Runtime(settings(tmp_path), environ={})
    assert runtime.take == runtime.intake.take
    runtime.engine.dispose()


def test_a_collector_that_is_away_harms_nothing() -> None:
    traces = open_traces(COLLECTOR)
    assert isinstance(traces, Tracing)
    traces.committing(lambda _jobs, _seconds: None)(1, 0.1)
    traces.close()


def test_a_service_without_the_extra_says_so_and_runs() -> None:
    code = (
        "import sys; sys.modules['opentelemetry.sdk.resources'] = None\n"
        "import logging; logging.basicConfig()\n"
        "from service.traces import open_traces\n"
        f"print(type(open_traces({COLLECTOR!r})).__name__)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    assert answer.stdout.strip() == "Untraced"
    assert "traces_not_installed" in answer.stderr
