"""What an SDK threw away before it could be sent: the `client_report` items of envelopes.

Spec: https://develop.sentry.dev/sdk/telemetry/client-reports/
Reason and category become a metric's labels, so only the words below do; the rest is `other`.
"""

from collections import Counter

import msgspec

from matchers.text import Scalar
from service.ingest.json_members import Text

REPORT = 64 * 1024  # bytes; a larger one is no SDK's
MOST = 1_000_000  # of one reason and category in one report: nobody's counter jumps further
OTHER = "other"
# By the application's own wish: such an event is not lost.
ON_PURPOSE = frozenset(("before_send", "event_processor", "ignored", "sample_rate"))
REASONS = ON_PURPOSE | {
    "backpressure",
    "buffer_overflow",
    "cache_overflow",
    "insufficient_data",
    "internal_sdk_error",
    "invalid",
    "network_error",
    "queue_overflow",
    "ratelimit_backoff",
    "send_error",
}
CATEGORIES = frozenset(
    (
        "attachment",
        "default",
        "error",
        "feedback",
        "internal",
        "log_byte",
        "log_item",
        "metric_bucket",
        "monitor",
        "profile",
        "profile_chunk",
        "replay",
        "security",
        "session",
        "span",
        "trace_metric",
        "transaction",
    )
)


class _Discarded(msgspec.Struct, frozen=True):
    reason: Scalar = None
    category: Scalar = None
    quantity: int = 0


class _Report(msgspec.Struct, frozen=True):
    discarded_events: list[_Discarded] = []


def discarded(payload: Text) -> Counter[tuple[str, str]]:
    """(reason, category) → events. Nothing where the report cannot be read: it is no error."""
    counted: Counter[tuple[str, str]] = Counter()
    for one in _read(payload).discarded_events:
        reason = one.reason if one.reason in REASONS else OTHER
        category = one.category if one.category in CATEGORIES else OTHER
        counted[str(reason), str(category)] += min(max(one.quantity, 0), MOST)
    return Counter({what: min(n, MOST) for what, n in counted.items() if n})


def errors_lost(counted: Counter[tuple[str, str]]) -> int:
    """Errors that somebody wanted to be told of."""
    return sum(
        n
        for (reason, category), n in counted.items()
        if category == "error" and reason not in ON_PURPOSE
    )


def _read(payload: Text) -> _Report:
    if len(payload) > REPORT:
        return _Report()
    try:
        return msgspec.json.decode(payload, type=_Report)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Report()
