"""Metrics: Prometheus, prefix pointsman_. `channel` is a channel's name in the rules file.

Series start at 0, so that the first error of a kind is a rise that an alert can see.
"""

import logging
from collections import Counter as Tally
from collections.abc import Container, Iterable, Mapping
from functools import lru_cache
from threading import Lock
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from matchers.ownership import Step
from routers.notification import Notification, Outcome, Reason
from service.ingest import ADAPTERS
from service.ingest.client_report import REASONS as DISCARD_REASONS
from service.ingest.client_report import errors_lost
from service.pipeline import Handled
from service.store.retention import KINDS

LOG = logging.getLogger("pointsman")
SERIES = 1024  # of a metric, remembered
DELIVERY_OUTCOMES = ("delivered", "merged", "retried", "dead")
REJECTIONS = (
    "malformed_json",
    "not_an_object",
    "malformed_envelope",
    "malformed_otlp",
    "no_traceback",
    "empty_event",
    "batch_too_long",
    "unsupported_encoding",
    "unsupported_media_type",
    "unknown_frame_order",
    "bad_encoding",
    "too_large",
    "too_many_events",
    "too_slow",
    "disconnected",
    "unauthorized",
    "refused_origin",
    "store_unavailable",
    "spool_full",
    "internal_error",
)
UPSTREAM_OUTCOMES = ("forwarded", "refused", "limited", "waits", "unreadable", "dropped")
_Kind = tuple[str | None, str, str | None, bool, tuple[tuple[str, str], ...]]
_SUPPRESSED = [word for word in get_args(Outcome) if word not in ("notified", "undecided")]


class Telemetry:
    """One registry per service, so that several can live in one process."""

    def __init__(self) -> None:
        # a second series per counter that nobody asks for
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._counting = Lock()
        # by adapter, outcome, step, whether anybody is told, who is told why
        self._handled: Tally[_Kind] = Tally()
        ProcessCollector(registry=self.registry)
        self._received = self._counter("events_received", "events", "adapter", "outcome")
        self._rejected = self._counter("events_rejected", "requests", "reason")
        self._dropped = self._counter("items_dropped", "items that are no error", "adapter")
        self._discarded = self._counter(
            "client_discarded_events",
            "what SDKs threw away, by their own word",
            "reason",
            "category",
        )
        self.errors_lost = 0  # of those, errors that nobody dropped on purpose; since the start
        self._decisions = self._counter("ownership_decisions", "decisions", "step")
        self._told = self._counter("notifications", "notifications queued", "channel", "reason")
        self._suppressed = self._counter("notifications_suppressed", "events", "reason")
        self._deliveries = self._counter("deliveries", "attempts", "channel", "outcome")
        self._unworded = self._counter("templates_failed", "told in built-in words", "channel")
        self.delivery_latency = self._histogram(
            "delivery_latency_seconds", "from acceptance to the channel's answer"
        )
        self.intake_commit = self._histogram("intake_commit_seconds", "one commit of the writer")
        self.intake_batch = Histogram(
            "pointsman_intake_batch_size",
            "jobs in one commit",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
            registry=self.registry,
        )
        self._upstream = self._counter("upstream_envelopes", "attempts to send one on", "outcome")
        self.upstream_pending = self._gauge("upstream_pending", "envelopes that wait to go on")
        self.intake_lag = self._gauge(
            "intake_lag_seconds", "from the door to the commit: the longest of late"
        )
        self.store_available = self._gauge("store_available", "1: it answered this very request")
        self.outbox_oldest = self._gauge(
            "outbox_oldest_seconds", "how long the delivery that waits longest has waited"
        )
        self.outbox_pending = self._gauge("outbox_pending", "deliveries that wait")
        self.dead_ends = self._gauge("dead_deliveries", "deliveries that were told nowhere")
        self._breakers = Gauge(
            "pointsman_breaker_open",
            "1: the channel's destination fails, and the fallback is told",
            ["channel"],
            registry=self.registry,
        )
        self._spooled = self._counter("events_spooled", "events that the spool took", "adapter")
        self.spool_events = self._gauge("spool_events", "events that wait in the spool")
        self.spool_bytes = self._gauge("spool_bytes", "bytes that wait in the spool")
        self.spool_oldest = self._gauge("spool_oldest_seconds", "how long the oldest has waited")
        self.spool_aside = self._gauge("spool_set_aside", "batches that cannot be drained")
        self.spool_refusing = self._gauge("spool_refusing", "1: the spool took nothing, at last")
        self._quiet = Gauge(
            "pointsman_source_quiet",
            "1: no event for as long as policy.source_went_quiet says",
            ["source"],
            registry=self.registry,
        )
        self.silences_active = self._gauge("silences_active", "silences that hold now")
        self.unaccounted = self._gauge("accounting_unaccounted", "what the books cannot explain")
        self._retired = self._counter("retention_deleted", "rows that were past their time", "kind")
        self.retention_ended = self._gauge(
            "retention_last_run_timestamp_seconds", "when all that was past its time was deleted"
        )
        self.search_behind = self._gauge("search_behind", "events that no search finds yet")
        self.rules_loaded = self._gauge(
            "rules_last_reload_successful", "1: the file as it stands is in force"
        )
        self.rules_quarantined = self._gauge(
            "rules_quarantined_files", "files whose last good version is in force"
        )
        self.rules_rewritten = self._counter("rules_history_rewrites", "force-pushes followed")
        self._rules_info = Gauge(
            "pointsman_rules_info", "the rules in force", ["revision"], registry=self.registry
        )
        self._channels: list[str] = []
        self._start_at_zero()

    def received(self, adapter: str, handled: Handled) -> None:
        self.decided(handled, adapter)
        if LOG.isEnabledFor(logging.DEBUG):  # an event that is well costs no line
            team = handled.ownership.team if handled.ownership else None
            about = {"event_id": handled.event_id, "team": team, "reason": handled.outcome}
            LOG.debug("event", extra=about)

    def spooled(self, adapter: str, events: int) -> None:
        """They are counted as received when they are in the database."""
        self._spooled.labels(adapter).inc(events)

    def decided(self, handled: Handled, adapter: str | None = None) -> None:
        """adapter: that it came by just now."""
        step = handled.ownership.step if handled.ownership else None
        told = (*handled.reasons, *handled.closed)
        with self._counting:  # series are looked up when they are asked for, not for each event
            self._handled[adapter, handled.outcome, step, bool(handled.reasons), told] += 1

    def _count_handled(self) -> None:
        with self._counting:
            counted, self._handled = self._handled, Tally()
        for (adapter, outcome, step, was_told, told), n in counted.items():
            if adapter is not None:
                self._received.labels(adapter, outcome).inc(n)
            for receiver, reason in told:
                self._told.labels(receiver, reason).inc(n)
            if not was_told and outcome != "undecided":
                self._suppressed.labels(outcome).inc(n)
            if step is not None and outcome != "duplicate":
                self._decisions.labels(step).inc(n)

    def queued(self, told: Notification) -> None:
        """What no event of its own brought about."""
        self._told.labels(told.receiver, told.reason).inc()

    def rejected(self, reason: str) -> None:
        self._rejected.labels(reason).inc()

    def dropped(self, adapter: str, count: int) -> None:
        self._dropped.labels(adapter).inc(count)

    def discarded(self, lost: Mapping[tuple[str, str], int]) -> None:
        """What a client says it never sent."""
        for (reason, category), count in lost.items():
            self._discarded.labels(reason, category).inc(count)
        self.errors_lost += errors_lost(Tally(lost))

    def delivery(self, channel: str, outcome: str) -> None:
        self._deliveries.labels(channel, outcome).inc()

    def breakers(self, shut: Container[str]) -> None:
        """Of all channels, those whose breakers are open."""
        for channel in self._channels:
            self._breakers.labels(channel).set(channel in shut)

    def sources_quiet(self, quiet: Mapping[str, bool]) -> None:
        """All that the policy names."""
        self._quiet.clear()
        for source, is_quiet in quiet.items():
            self._quiet.labels(source).set(is_quiet)

    def unworded(self, channel: str, why: str) -> None:
        """Its template failed."""
        self._unworded.labels(channel).inc()
        LOG.warning("template_failed", extra={"channel": channel, "reason": why})

    def retired(self, kind: str, rows: int) -> None:
        self._retired.labels(kind).inc(rows)

    def upstream(self, outcome: str) -> None:
        self._upstream.labels(outcome).inc()

    def committed(self, jobs: int, seconds: float) -> None:
        self.intake_batch.observe(jobs)
        self.intake_commit.observe(seconds)

    def rules_in_force(self, revision: str, channels: Iterable[str]) -> None:
        self._rules_info.clear()
        self._rules_info.labels(revision).set(1)
        self._channels = sorted(channels)
        self._breakers.clear()
        for channel in self._channels:
            self._breakers.labels(channel)
            for reason in get_args(Reason):
                self._told.labels(channel, reason)
            self._unworded.labels(channel)
            for outcome in DELIVERY_OUTCOMES:
                self._deliveries.labels(channel, outcome)

    def exposition(self) -> bytes:
        self._count_handled()
        return generate_latest(self.registry)

    def _start_at_zero(self) -> None:
        for adapter in ADAPTERS:
            self._dropped.labels(adapter.name)
            self._spooled.labels(adapter.name)
            for outcome in get_args(Outcome):
                self._received.labels(adapter.name, outcome)
        for reason in REJECTIONS:
            self._rejected.labels(reason)
        for reason in DISCARD_REASONS:
            self._discarded.labels(reason, "error")
        for step in get_args(Step):
            self._decisions.labels(step)
        for outcome in UPSTREAM_OUTCOMES:
            self._upstream.labels(outcome)
        for kind in (*KINDS, "ids"):
            self._retired.labels(kind)
        for outcome in _SUPPRESSED:
            self._suppressed.labels(outcome)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        counter = Counter(f"pointsman_{name}", text, labels, registry=self.registry)
        if labels:  # looked up once a series, not once an event
            counter.labels = lru_cache(SERIES)(counter.labels)  # type: ignore[method-assign]
        return counter

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"pointsman_{name}", text, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        buckets = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 30, 300, 3600)
        return Histogram(f"pointsman_{name}", text, buckets=buckets, registry=self.registry)
