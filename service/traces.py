"""Where own traces are taken, and what stands there while there are none: service/tracing.py.

What is wrapped is wrapped once, at the start: without traces nothing of them is called per event.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

from matchers.event import Event
from routers.wording import Tell
from service.ingest.base import Envelope
from service.pipeline import Handled
from service.quota import Sender

LOG = logging.getLogger(__name__)
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
Take = Callable[
    [Sequence[Event], str, Sender, Envelope | None], Coroutine[Any, Any, tuple[Handled, ...]]
]
Committed = Callable[[int, float], None]  # so many jobs, in so many seconds


class Traces(Protocol):
    def accepting(self, take: Take) -> Take: ...

    def telling(self, tell: Tell) -> Tell: ...

    def committing(self, committed: Committed) -> Committed: ...

    def close(self) -> None: ...


class Untraced:
    def accepting(self, take: Take) -> Take:
        return take

    def telling(self, tell: Tell) -> Tell:
        return tell

    def committing(self, committed: Committed) -> Committed:
        return committed

    def close(self) -> None:
        pass


def open_traces(environ: Mapping[str, str]) -> Traces:
    """Untraced where the environment names no collector, or the extra is not installed."""
    if not any(environ.get(name) for name in ENDPOINTS):
        return Untraced()
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Untraced()
    try:
        tracing = import_module("service.tracing")
    except ModuleNotFoundError as error:
        LOG.warning("traces_not_installed", extra={"reason": error.name})
        return Untraced()
    traces: Traces = tracing.Tracing(tracing.otlp(), environ)
    return traces
