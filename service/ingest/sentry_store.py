"""Sentry's older door: one event a request, as JSON, zlib of JSON, or base64 of either.

Old SDKs (raven, sentry-go before 0.12) pack the event themselves and name no Content-Encoding.
Spec: https://develop.sentry.dev/sdk/data-model/event-payloads/
"""

import base64
import binascii
import re

import msgspec

from service.ingest.base import Adapter, Parsed, Request
from service.ingest.body import unpack
from service.ingest.codecs import looks_like_zlib
from service.ingest.sentry_envelope import refuse, reply
from service.ingest.sentry_event import drift_of, parse_event
from service.upstream.envelope import alone

_SENT_AT = re.compile(r"sentry_timestamp=([0-9.]+)")


def parse(body: bytes, request: Request) -> Parsed:
    """Raises InvalidEventError: bad_encoding, malformed_json, not_an_object; TooLargeError."""
    sent_at = _SENT_AT.search(request.headers.get("x-sentry-auth", ""))
    if sent_at:
        drift = drift_of(sent_at[1], request.received_at)
        request = msgspec.structs.replace(request, drift=drift)
    payload = _json_in(body)
    event = parse_event(payload, request)
    onward = alone(event.event_id, payload, request.received_at) if request.wants_all else None
    return Parsed(events=(event,), event_id=event.event_id, onward=onward)


ADAPTER = Adapter(
    name="sentry_store",
    paths=("/api/{project}/store/",),
    parse=parse,
    reply=reply,
    refuse=refuse,
    dsn=True,
)


def _json_in(body: bytes) -> bytes:
    if looks_like_zlib(body):
        return unpack(body, "deflate")
    if body.lstrip()[:1] in (b"{", b""):
        return body
    try:
        inner = base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return body  # whatever it is, the JSON decoder names it
    return unpack(inner, "deflate") if looks_like_zlib(inner) else inner
