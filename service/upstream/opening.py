"""The forwarder that the settings ask for."""

from collections.abc import Callable
from datetime import datetime

import httpx

from service.settings import Settings
from service.store.store import Store
from service.store.writer import Writer
from service.telemetry import Telemetry
from service.upstream.address import parse_dsn
from service.upstream.forwarder import SEND_SECONDS, Forwarder
from service.upstream.limits import NOT_ERRORS, RateLimits
from service.upstream.seal import Seal


def open_forwarder(
    settings: Settings,
    *,
    writer: Writer,
    store: Store,
    telemetry: Telemetry,
    clock: Callable[[], datetime],
    client: httpx.Client | None,
) -> Forwarder | None:
    """None: nothing goes on."""
    dsn = settings.sentry_upstream.get_secret_value()
    if not dsn:
        return None
    return Forwarder(
        parse_dsn(dsn),
        Seal(settings.secret_keys),
        RateLimits(NOT_ERRORS),
        writer=writer,
        store=store,
        telemetry=telemetry,
        clock=clock,
        client=client or httpx.Client(timeout=SEND_SECONDS, trust_env=False),
        capacity=settings.sentry_upstream_bytes,
    )
