"""What of a Sentry event is read at all; every field left out here is skipped undecoded.

Spec: https://develop.sentry.dev/sdk/data-model/event-payloads/
Variables, breadcrumbs, users, headers and bodies are left out on purpose: they are personal data.
What of them the rules file makes visible is read beside this (service/ingest/context.py).
A body that does not fit these shapes is not yet a bad one: see sentry_repair.
"""

import msgspec

from matchers.event import Frame
from matchers.text import Scalar


class Stack(msgspec.Struct, kw_only=True):
    frames: list[Frame] | None = None  # caller → raise, as in ours


class Mechanism(msgspec.Struct, kw_only=True):
    handled: bool | None = None
    source: Scalar = None
    exception_id: int | None = None
    parent_id: int | None = None


class ExceptionShape(msgspec.Struct, kw_only=True):
    type: Scalar = None
    value: Scalar = None
    module: Scalar = None
    mechanism: Mechanism | None = None
    stacktrace: Stack | None = None


class ExceptionField(ExceptionShape, kw_only=True):
    """`{"values": […]}`, or one exception by itself."""

    values: list[ExceptionShape] | None = None


class Thread(msgspec.Struct, kw_only=True):
    crashed: bool | None = None
    current: bool | None = None
    stacktrace: Stack | None = None


class Threads(msgspec.Struct, kw_only=True):
    values: list[Thread] | None = None


class Message(msgspec.Struct, kw_only=True):
    formatted: Scalar = None
    message: Scalar = None


class RequestShape(msgspec.Struct, kw_only=True):
    url: Scalar = None


class Trace(msgspec.Struct, kw_only=True):
    trace_id: Scalar = None


class Contexts(msgspec.Struct, kw_only=True):
    trace: Trace | None = None


class SentryEvent(msgspec.Struct, kw_only=True):
    event_id: Scalar = None
    timestamp: Scalar = None  # RFC 3339, or seconds
    platform: Scalar = None
    level: Scalar = None
    logger: Scalar = None
    transaction: Scalar = None
    release: Scalar = None
    environment: Scalar = None
    server_name: Scalar = None
    message: Message | Scalar = None
    logentry: Message | None = None
    tags: dict[str, Scalar] | list[list[Scalar]] | None = None
    fingerprint: list[Scalar] | None = None
    request: RequestShape | None = None
    contexts: Contexts | None = None
    exception: ExceptionField | list[ExceptionShape] | None = None
    threads: Threads | list[Thread] | None = None
    stacktrace: Stack | None = None
