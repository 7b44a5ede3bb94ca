"""Reports errors through the real OpenTelemetry SDK: `otlp_client.py ENDPOINT [KEY]`.

Needs opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http, and reports in JSON too where
opentelemetry-exporter-otlp-json-http is installed. Prints, per format, what was sent.
"""

import contextlib
import importlib
import logging
import sys
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

FORMATS = {
    "protobuf": ("opentelemetry.exporter.otlp.proto.http", "OTLPSpanExporter", "OTLPLogExporter"),
    "json": ("opentelemetry.exporter.otlp.json.http", "OTLPSpanExporter", "OTLPLogExporter"),
}


def rate(country: str) -> float:
    return {"FR": 0.2}[country]


def main(endpoint: str, key: str = "any") -> None:
    for name, (package, spans, logs) in FORMATS.items():
        try:
            span_exporter = getattr(importlib.import_module(f"{package}.trace_exporter"), spans)
            log_exporter = getattr(importlib.import_module(f"{package}._log_exporter"), logs)
        except ImportError:
            print(f"{name}: its exporter is not installed")
            continue
        headers = {"X-API-Key": key}
        report(
            name,
            span_exporter(endpoint=f"{endpoint}/v1/traces", headers=headers),
            log_exporter(endpoint=f"{endpoint}/v1/logs", headers=headers),
        )


def report(name: str, span_exporter: Any, log_exporter: Any) -> None:
    resource = Resource.create(
        {
            "service.name": f"shop-{name}",
            "service.version": "1.2.3",
            "deployment.environment.name": "production",
            "host.name": "monolith-1",
        }
    )
    traces, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(span_exporter))
    logs.add_log_record_processor(BatchLogRecordProcessor(log_exporter))
    logger = logging.getLogger(f"shop.{name}")
    logger.addHandler(LoggingHandler(logger_provider=logs))
    logger.setLevel(logging.INFO)
    tracer: trace.Tracer = traces.get_tracer("shop.web")
    with contextlib.suppress(KeyError), tracer.start_as_current_span("POST /checkout"):
        try:
            rate("DE")
        except KeyError:  # the span reports it too, when it ends: the same error twice
            logger.exception("checkout failed")
            raise
    logger.error("card refused")  # an error without an exception
    logger.info("nothing happened")  # no error
    with tracer.start_as_current_span("GET /"):
        pass
    traces.shutdown()
    logs.shutdown()
    print(f"{name}: one exception by span and log, one error by log; one log and one span dropped")


if __name__ == "__main__":
    main(*sys.argv[1:])
