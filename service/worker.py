"""Sends what is queued: claim with a lease, send, settle. At least once, never all at once.

Each receiver has a thread of its own while it has something due, so that a slow destination
holds up nobody else. A worker that dies gives its delivery back when the lease ends.
"""

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import httpx
import msgspec
from sqlalchemy.exc import SQLAlchemyError

from routers.channels.base import Channel, Receipt
from routers.configured import Unconfigured
from routers.errors import DeliveryError, PermanentError, TemporaryError
from routers.notification import SEVERITIES, Notification
from routers.pace import filled, spent, wait
from routers.retry import Dead, PlainOnce, Retry, Tries, judge
from routers.rules import Rules
from routers.wording import Tell, tell
from service.alerts import Alerts
from service.attention import Attention
from service.breakers import Breakers
from service.fallback import Fallback
from service.incidents import outlived, unsent
from service.store.backend import reason
from service.store.rows import Delivery
from service.store.store import Store
from service.store.transaction import Transaction
from service.store.writer import StoreUnavailableError, Writer
from service.telemetry import Telemetry

LOG = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)  # longer than the longest send
POLL_SECONDS = 1.0  # how late what is due is noticed where nothing woke us
RECEIVERS_AT_ONCE = 256
MEANWHILE = timedelta(milliseconds=100)  # until a receiver is asked for that another claims from
CARRIED = 1000  # deliveries that one message may tell besides its own
Claimed = tuple[Delivery, Sequence[Delivery]]  # what is sent, and what its message tells besides


class Worker:
    def __init__(
        self,
        writer: Writer,
        store: Store,
        rules: Callable[[], Rules | None],
        client: httpx.Client,
        telemetry: Telemetry,
        *,
        breakers: Breakers,
        clock: Callable[[], datetime],
        alerts: Alerts,
        public_url: str,
        tell: Tell = tell,
    ) -> None:
        self._alerts = alerts
        self._tell = tell
        self._writer = writer
        self._store = store
        self._rules = rules
        self._client = client
        self._telemetry = telemetry
        self._breakers = breakers
        self._fallback = Fallback(rules, breakers, public_url=public_url)
        self._clock = clock
        self._attention = Attention(clock)
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(RECEIVERS_AT_ONCE, thread_name_prefix="send")
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def wake(self, receivers: Iterable[str]) -> None:
        """They have something new."""
        self._attention.tell(receivers)

    def drain(self) -> None:
        """Claim nothing more. What is in flight is finished."""
        self._stopping.set()
        self._attention.tell()

    def stop(self) -> None:
        self.drain()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        looked = -math.inf
        while not self._stopping.is_set():
            for receiver in self._attention.wait(POLL_SECONDS):
                self._begin(receiver)
            # a look reads everything that waits: it must not come with every commit
            if time.monotonic() - looked >= POLL_SECONDS:
                self._look()
                looked = time.monotonic()

    def _look(self) -> None:
        """Begin what is due by now, which nobody tells."""
        try:
            receivers = self._store.due_receivers(self._clock())
        except SQLAlchemyError as error:
            if self._writer.down is None:  # else it said so, and each look would again
                LOG.warning("worker_cannot_read", extra={"reason": reason(error)})
            return
        except Exception:  # keep sending whatever it was
            LOG.exception("worker_cannot_read")
            return
        for receiver in receivers:
            self._begin(receiver)

    def _begin(self, receiver: str) -> None:
        if not self._stopping.is_set() and self._attention.begin(receiver):
            self._pool.submit(self._serve, receiver)

    def _serve(self, receiver: str) -> None:
        try:
            claimed: Claimed | None = None
            while claimed := claimed or self._writer.run(lambda tx: self._next(tx, receiver)):
                claimed = self._deliver(*claimed)
        except StoreUnavailableError:  # the lease ends, and it is claimed again
            LOG.warning("worker_cannot_write", extra={"channel": receiver})
        except Exception:  # loud, and the next look begins this receiver anew
            LOG.exception("worker_failed", extra={"channel": receiver})
        finally:
            self._attention.end(receiver)

    def _next(self, tx: Transaction, receiver: str) -> Claimed | None:
        """None: nothing is due, or not yet."""
        if self._stopping.is_set() or self._attention.is_paused(receiver):
            return None
        return self._claim(tx, receiver, self._clock())

    def _claim(self, tx: Transaction, receiver: str, now: datetime) -> Claimed | None:
        if not tx.locks.try_to_take("receiver", receiver):  # another service is at it
            self._attention.pause(receiver, now + MEANWHILE)
            return None
        if self._breakers.is_shut(tx, receiver, now):
            for _ in range(self._fallback.redirect(tx, receiver, now)):
                self._telemetry.delivery(receiver, "dead")
            return None
        delivery = tx.due(receiver, now)
        if delivery is None:
            return None
        if delivery.notification.closes and outlived(tx, delivery, now):
            self._telemetry.delivery(receiver, "merged")
            tx.queued.add(receiver)  # there may be more
            return None
        carried = tx.carried(delivery, CARRIED)  # of an earlier attempt, or of a storm
        if delivery.notification.closes:
            carried += unsent(tx, delivery)
        channel = self._channel(receiver)
        if isinstance(channel, Channel) and channel.pace is not None:
            bucket = filled(tx.destinations.bucket(receiver), channel.pace, now)
            if bucket.tokens < 1:
                self._attention.pause(receiver, now + wait(bucket, channel.pace))
                return None
            tx.destinations.put_bucket(receiver, spent(bucket))
            is_last = bucket.tokens < 2 and delivery.notification.reason != "digest"  # for now
            # what was tried may have been told, and comes again as it was
            is_new = not (delivery.attempts or carried or delivery.storm)
            if is_last and channel.merges and is_new:
                carried = tx.carry(delivery, now, CARRIED)
        self._breakers.probe(tx, receiver, now)
        leased = delivery.leased(until=now + LEASE)
        tx.put_delivery(leased)
        return leased, carried

    def _deliver(self, delivery: Delivery, carried: Sequence[Delivery]) -> Claimed | None:
        """What the same commit claimed that says it was told, if any did."""
        try:
            receipt = self._send(delivery, carried)
        except DeliveryError as error:
            self._failed(delivery, error)
        except Exception:  # a channel's own mistake: another attempt, and loud
            LOG.exception("channel_failed", extra={"channel": delivery.notification.receiver})
            self._failed(
                delivery, TemporaryError("internal", "the channel itself failed; see logs")
            )
        else:
            return self._delivered(delivery, receipt, len(carried))
        return None

    def _channel(self, receiver: str) -> Channel | Unconfigured | None:
        """By the rules now in force; None: they name no such channel."""
        rules = self._rules()
        return rules.channels.get(receiver) if rules else None

    def _send(self, delivery: Delivery, carried: Sequence[Delivery]) -> Receipt:
        receiver = delivery.notification.receiver
        channel = self._channel(receiver)
        if isinstance(channel, Unconfigured):
            raise PermanentError("unconfigured", channel.reason)
        if not isinstance(channel, Channel):
            raise PermanentError("receiver_gone", f'the rules name no channel "{receiver}"')
        closes = delivery.notification.closes
        if closes and not channel.closes:
            raise PermanentError("receiver_gone", f'"{receiver}" opens no incidents any more')
        told, *others = worst_first([delivery] if closes else [delivery, *carried])
        rules = self._rules() or Rules.empty()
        alert = self._alerts.of(
            told,
            others,
            delivery=delivery.id,
            plain=delivery.plain,
            storm=delivery.storm,
            rules=rules,
        )
        return self._tell(channel, alert, rules.wordings.get(receiver), self._client)

    def _delivered(self, delivery: Delivery, receipt: Receipt, carried: int) -> Claimed | None:
        now, receiver = self._clock(), delivery.notification.receiver
        delivered = msgspec.structs.replace(
            delivery,
            state="delivered",
            settled_at=now,
            last_code=_note(receipt),
            last_error=receipt.missed or receipt.unworded,
            external_id=receipt.external_id,
        )

        def work(tx: Transaction) -> tuple[int, Claimed | None]:
            tx.put_delivery(delivered)
            self._breakers.worked(tx, receiver)
            if receipt.thread is not None:
                tx.threads.put(receiver, delivery.notification.group, receipt.thread)
            merged = tx.settle_carried(delivered, now) if carried else 0
            return merged, self._next(tx, receiver)

        merged, following = self._writer.run(work)
        self._telemetry.delivery(receiver, "delivered")
        LOG.info("delivered", extra=delivery.about)
        if receipt.unworded:
            self._telemetry.unworded(receiver, receipt.unworded)
        for _ in range(merged):
            self._telemetry.delivery(receiver, "merged")
        self._telemetry.delivery_latency.observe((now - delivery.created_at).total_seconds())
        return following

    def _failed(self, delivery: Delivery, error: DeliveryError) -> None:
        now, receiver = self._clock(), delivery.notification.receiver
        tries = Tries(attempts=delivery.attempts, first_at=delivery.since, plain=delivery.plain)
        verdict = judge(error, tries, now=now, random=random.random())  # noqa: S311 jitter
        failed = msgspec.structs.replace(delivery, last_code=error.code, last_error=str(error))
        outcome = "retried"
        if isinstance(verdict, Retry | PlainOnce):
            at = verdict.at if isinstance(verdict, Retry) else now
            if isinstance(error, TemporaryError) and error.pause:
                self._attention.pause(receiver, at)
            plain = delivery.plain or isinstance(verdict, PlainOnce)
            failed = msgspec.structs.replace(failed, state="pending", due_at=at, plain=plain)
        else:
            outcome = "dead"
        # a message that was refused says nothing against what else it told; a storm is one thing
        refused = isinstance(verdict, Dead) and verdict.reason == "refused" and not failed.storm
        alone = refused or failed.notification.closes

        def work(tx: Transaction) -> int:
            breaker = self._breakers.failed(tx, receiver, error, now)
            if breaker and breaker.opened_at == now:
                LOG.error("breaker_open", extra={"channel": receiver, "reason": breaker.code})
                self._fallback.announce(tx, failed, breaker, now)
            if outcome == "dead":
                return self._fallback.bury(tx, failed, now, alone=alone) - 1
            tx.put_delivery(failed)
            return 0

        for _ in range(self._writer.run(work)):
            self._telemetry.delivery(receiver, "dead")
        self._telemetry.delivery(receiver, outcome)
        about = {"reason": error.code, "next": outcome, **delivery.about}
        LOG.warning("delivery_failed", extra=about)


def _note(receipt: Receipt) -> str | None:
    """What is to say of a delivery that was taken; None: nothing."""
    if receipt.missed:
        return "partly_taken"
    return "template_failed" if receipt.unworded else None


def worst_first(deliveries: Iterable[Delivery]) -> list[Notification]:
    """By severity, then by how often it was seen."""
    told = [delivery.notification for delivery in deliveries]
    return sorted(told, key=lambda one: (SEVERITIES.index(one.severity), -one.times_seen))
