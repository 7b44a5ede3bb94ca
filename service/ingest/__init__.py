"""The doors: one adapter per wire format, asked in this order."""

from service.ingest import native, sentry_envelope, sentry_security, sentry_store
from service.ingest.base import Adapter

ADAPTERS: tuple[Adapter, ...] = (
    native.ADAPTER,
    sentry_envelope.ADAPTER,
    sentry_store.ADAPTER,
    sentry_security.ADAPTER,
)
