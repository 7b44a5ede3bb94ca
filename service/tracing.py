"""Own traces, by OpenTelemetry: a span for each request's events, each commit, each message sent.

Only where the extra `otel` is installed and the standard variables name a collector
(OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT); else nothing of this is in the
way. Spec: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpx
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from matchers.event import Event
from routers.channels.base import Channel, Receipt
from routers.errors import DeliveryError
from routers.notification import Alert
from routers.wording import Tell, Wording
from service.ingest.base import Envelope
from service.logs import REQUEST
from service.pipeline import Handled
from service.quota import Sender
from service.traces import Committed, Take

ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
_CLOSE_SECONDS = 2.0  # a collector that is away holds up no stop


def otlp() -> SpanProcessor:
    """To the collector that the environment names."""
    return BatchSpanProcessor(OTLPSpanExporter())


class Tracing:
    def __init__(self, processor: SpanProcessor, environ: Mapping[str, str]) -> None:
        said = environ.get("OTEL_SERVICE_NAME") or SERVICE_NAME in environ.get(ATTRIBUTES, "")
        resource = Resource.create({} if said else {SERVICE_NAME: "pointsman"})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("pointsman")

    def accepting(self, take: Take) -> Take:
        async def traced(
            events: Sequence[Event],
            adapter: str,
            sender: Sender,
            onward: Envelope | None = None,
        ) -> tuple[Handled, ...]:
            about = {"pointsman.adapter": adapter, "pointsman.project": sender[0]}
            with self._span("accept", SpanKind.SERVER, about) as span:
                handled = await take(events, adapter, sender, onward)
                span.set_attribute("pointsman.events", len(handled))
                span.set_attribute("pointsman.outcome", sorted({one.outcome for one in handled}))
                span.set_attribute("pointsman.request_id", REQUEST.get())
                return handled

        return traced

    def committing(self, committed: Committed) -> Committed:
        def traced(jobs: int, seconds: float) -> None:
            """The commit has just ended."""
            committed(jobs, seconds)
            now = time.time_ns()
            begun = now - int(seconds * 1e9)
            about = {"pointsman.batch_size": jobs}
            self._tracer.start_span("commit", attributes=about, start_time=begun).end(now)

        return traced

    def telling(self, tell: Tell) -> Tell:
        def traced(
            channel: Channel, alert: Alert, wording: Wording | None, client: httpx.Client
        ) -> Receipt:
            told = alert.notification
            about = {
                "pointsman.receiver": told.receiver,
                "pointsman.delivery": alert.id,
                "pointsman.event": told.event_id,
                "pointsman.outcome": "delivered",
            }
            with self._span("deliver", SpanKind.CLIENT, about) as span:
                try:
                    return tell(channel, alert, wording, client)
                except DeliveryError as error:
                    span.set_attribute("pointsman.outcome", error.code)
                    raise

        return traced

    @contextmanager
    def _span(self, name: str, kind: SpanKind, about: Mapping[str, str]) -> Iterator[Span]:
        """What an error says stays out of it: it may quote what was sent."""
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=about, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def close(self) -> None:
        """What is not exported in time is lost."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        ending.join(_CLOSE_SECONDS)
