"""Sends what is queued: claim with a lease, send, settle. At least once, never all at once.

Each receiver has a thread of its own while it has something due, so that a slow destination
holds up nobody else. A worker that dies gives its delivery back when the lease ends.
"""

import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import httpx
import msgspec

from routers.channels.base import Channel, Receipt
from routers.configured import Unconfigured
from routers.errors import DeliveryError, PermanentError, TemporaryError
from routers.notification import Alert
from routers.retry import PlainOnce, Retry, Tries, judge
from routers.rules import Rules
from service.store.rows import Delivery
from service.store.store import Store
from service.store.transaction import Transaction
from service.store.writer import StoreUnavailableError, Writer
from service.telemetry import Telemetry

LOG = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)  # longer than the longest send
POLL_SECONDS = 1.0  # how late what is due is noticed where nothing woke us
RECEIVERS_AT_ONCE = 256


class Worker:
    def __init__(
        self,
        writer: Writer,
        store: Store,
        rules: Callable[[], Rules | None],
        client: httpx.Client,
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._store = store
        self._rules = rules
        self._client = client
        self._telemetry = telemetry
        self._clock = clock
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._paused: dict[str, datetime] = {}  # receivers that asked for quiet, until when
        self._pool = ThreadPoolExecutor(RECEIVERS_AT_ONCE, thread_name_prefix="send")
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something new is queued."""
        self._woken.set()

    def drain(self) -> None:
        """Claim nothing more. What is in flight is finished."""
        self._stopping.set()
        self._woken.set()

    def stop(self) -> None:
        self.drain()
        self._thread.join()
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait(POLL_SECONDS)
            self._woken.clear()
            try:
                receivers = self._store.due_receivers(self._clock())
            except Exception:  # keep sending once the database is back
                LOG.exception("worker_cannot_read")
                self._stopping.wait(POLL_SECONDS)
                continue
            for receiver in receivers:
                self._begin(receiver)

    def _begin(self, receiver: str) -> None:
        with self._lock:
            paused = self._paused.get(receiver)
            if receiver in self._busy or self._stopping.is_set():
                return
            if paused is not None and paused > self._clock():
                return
            self._paused.pop(receiver, None)
            self._busy.add(receiver)
        self._pool.submit(self._serve, receiver)

    def _serve(self, receiver: str) -> None:
        try:
            while not self._stopping.is_set() and receiver not in self._paused:
                delivery = self._writer.run(lambda tx: self._claim(tx, receiver))
                if delivery is None:
                    break
                self._deliver(delivery)
        except StoreUnavailableError:  # the lease ends, and it is claimed again
            LOG.warning("worker_cannot_write", extra={"channel": receiver})
            return
        except Exception:  # loud, and the next look begins this receiver anew
            LOG.exception("worker_failed", extra={"channel": receiver})
            return
        finally:
            with self._lock:
                self._busy.discard(receiver)
        self._woken.set()  # what was queued meanwhile found this receiver busy

    def _claim(self, tx: Transaction, receiver: str) -> Delivery | None:
        now = self._clock()
        delivery = tx.due(receiver, now)
        if delivery is None:
            return None
        leased = delivery.leased(until=now + LEASE)
        tx.put_delivery(leased)
        return leased

    def _deliver(self, delivery: Delivery) -> None:
        try:
            receipt = self._send(delivery)
        except DeliveryError as error:
            self._failed(delivery, error)
        except Exception:  # a channel's own mistake: another attempt, and loud
            LOG.exception("channel_failed", extra={"channel": delivery.notification.receiver})
            self._failed(
                delivery, TemporaryError("internal", "the channel itself failed; see logs")
            )
        else:
            self._delivered(delivery, receipt)

    def _send(self, delivery: Delivery) -> Receipt:
        receiver = delivery.notification.receiver
        rules = self._rules()
        channel = rules.channels.get(receiver) if rules else None
        if isinstance(channel, Unconfigured):
            raise PermanentError("unconfigured", channel.reason)
        if not isinstance(channel, Channel):
            raise PermanentError("receiver_gone", f'the rules name no channel "{receiver}"')
        event, ownership = self._store.evidence(
            delivery.notification.project, delivery.notification.event_id
        )
        alert = Alert(
            id=delivery.id,
            sent_at=self._clock(),
            notification=delivery.notification,
            ownership=ownership,
            event=event,
            plain=delivery.plain,
        )
        return channel.send(alert, self._client)

    def _delivered(self, delivery: Delivery, receipt: Receipt) -> None:
        now = self._clock()
        self._settle(
            msgspec.structs.replace(
                delivery,
                state="delivered",
                settled_at=now,
                last_code="partly_taken" if receipt.missed else None,
                last_error=receipt.missed,
                external_id=receipt.external_id,
            )
        )
        self._telemetry.delivery(delivery.notification.receiver, "delivered")
        self._telemetry.delivery_latency.observe((now - delivery.created_at).total_seconds())

    def _failed(self, delivery: Delivery, error: DeliveryError) -> None:
        now, receiver = self._clock(), delivery.notification.receiver
        tries = Tries(attempts=delivery.attempts, first_at=delivery.since, plain=delivery.plain)
        verdict = judge(error, tries, now=now, random=random.random())  # noqa: S311 jitter
        failed = msgspec.structs.replace(delivery, last_code=error.code, last_error=str(error))
        if isinstance(verdict, Retry | PlainOnce):
            at = verdict.at if isinstance(verdict, Retry) else now
            if isinstance(error, TemporaryError) and error.pause:
                self._paused[receiver] = at
            plain = delivery.plain or isinstance(verdict, PlainOnce)
            self._settle(msgspec.structs.replace(failed, state="pending", due_at=at, plain=plain))
            outcome = "retried"
        else:
            self._bury(msgspec.structs.replace(failed, state="dead", settled_at=now))
            outcome = "dead"
        self._telemetry.delivery(receiver, outcome)
        LOG.warning(
            "delivery_failed",
            extra={"channel": receiver, "reason": error.code, "next": outcome, "id": delivery.id},
        )

    def _settle(self, delivery: Delivery) -> None:
        self._writer.run(lambda tx: tx.put_delivery(delivery))

    def _bury(self, delivery: Delivery) -> None:
        """It is dead; the first fallback that was not tried yet is told instead."""
        rules = self._rules()
        tried = (*delivery.tried, delivery.notification.receiver)
        fallbacks = rules.policy.fallback_receivers if rules else []
        fallback = next((name for name in fallbacks if name not in tried), None)

        def work(tx: Transaction) -> None:
            tx.put_delivery(msgspec.structs.replace(delivery, fallback=fallback))
            if fallback is not None:
                told = msgspec.structs.replace(delivery.notification, receiver=fallback)
                tx.queue(told, self._clock(), tried)

        self._writer.run(work)
