"""The doors: one adapter per wire format, asked in this order."""

from service.ingest import (
    airbrake,
    bugsnag,
    honeybadger,
    native,
    otlp,
    rollbar,
    sentry_envelope,
    sentry_security,
    sentry_store,
    sentry_webhook,
)
from service.ingest.base import Adapter

ADAPTERS: tuple[Adapter, ...] = (
    native.ADAPTER,
    sentry_envelope.ADAPTER,
    sentry_store.ADAPTER,
    sentry_security.ADAPTER,
    sentry_webhook.ADAPTER,
    sentry_webhook.LEGACY,
    rollbar.ADAPTER,
    bugsnag.ADAPTER,
    honeybadger.ADAPTER,
    airbrake.ADAPTER,
    otlp.LOGS,
    otlp.TRACES,
    otlp.METRICS,
)
