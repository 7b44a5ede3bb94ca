"""OpenTelemetry's SDK: `pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http`.

With `json` as its last argument in JSON, by opentelemetry-exporter-otlp-json-http. Reports the
error by its span's event and by a log record, which are one error, and a log and a span that are
none.
"""

import contextlib
import importlib
import logging
import sys
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from examples.monolith.shop.web import checkout


def main(url: str, key: str, coding: str = "proto") -> None:
    package = f"opentelemetry.exporter.otlp.{coding}"

    def exporter(signal: str, module: str, name: str) -> Any:
        kind = getattr(importlib.import_module(f"{package}.http.{module}"), name)
        return kind(endpoint=f"{url}/v1/{signal}", headers={"X-API-Key": key})

    resource = Resource.create({"service.name": package, "deployment.environment.name": "prod"})
    traces, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    spans = exporter("traces", "trace_exporter", "OTLPSpanExporter")
    traces.add_span_processor(BatchSpanProcessor(spans))
    records = exporter("logs", "_log_exporter", "OTLPLogExporter")
    logs.add_log_record_processor(BatchLogRecordProcessor(records))
    fail(traces.get_tracer("shop.web"), a_logger(package, logs))
    traces.shutdown()
    logs.shutdown()


def a_logger(name: str, provider: LoggerProvider) -> logging.Logger:
    logger = logging.getLogger(f"shop.{name}")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    logger.setLevel(logging.INFO)
    return logger


def fail(tracer: Any, logger: logging.Logger) -> None:
    with (
        contextlib.suppress(checkout.CheckoutError),
        tracer.start_as_current_span("POST /checkout"),
    ):
        try:
            checkout.pay("bowler", "GB", card="library")
        except checkout.CheckoutError:
            logger.exception("checkout failed")
            raise
    with tracer.start_as_current_span("GET /"):
        logger.info("nothing failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
