"""Sends on what waits for the upstream: claim with a lease, send, delete. At least once.

There is one destination, so whatever is wrong with it holds up everything, and one envelope at a
time asks whether it is back. Sentry knows an event that comes twice by its id.
"""

import gzip
import logging
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Literal

import httpx
import msgspec
from sqlalchemy.exc import SQLAlchemyError

from routers.retry import backoff
from service.ingest.limits import LARGE_BODY
from service.store.backend import reason
from service.store.rows import Waiting, new_id
from service.store.store import Store
from service.store.transaction import Transaction
from service.store.writer import StoreUnavailableError, Writer
from service.telemetry import Telemetry
from service.upstream.address import Address
from service.upstream.envelope import sent_later
from service.upstream.limits import RateLimits
from service.upstream.seal import Seal, UnreadableError

LOG = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)  # longer than the longest send
SEND_SECONDS = 15.0  # to connect, and for each read and write
POLL_SECONDS = 1.0  # how late it is noticed that a lease ended
AT_ONCE = 8
LONGEST_PAUSE = timedelta(seconds=30)  # so that one which is back is soon found to be
UNREADABLE = timedelta(hours=1)  # perhaps the key is set again by then
# The envelope is at fault, not the upstream: it would be refused for ever.
REFUSED = frozenset((400, 413, 415, 422))

Outcome = Literal["forwarded", "refused", "limited", "waits", "unreadable"]
DONE: tuple[Outcome, ...] = ("forwarded", "refused", "limited")


class Sent(msgspec.Struct, frozen=True):
    outcome: Outcome
    reason: str = ""  # never a URL or a body
    retry_after: timedelta | None = None


class Standing(msgspec.Struct, frozen=True):
    """How the upstream is, for people."""

    waiting: int = 0
    size: int = 0  # bytes that wait
    problem: str | None = None  # None: it took the last one


class Forwarder:
    def __init__(
        self,
        address: Address,
        seal: Seal,
        limits: RateLimits,
        *,
        writer: Writer,
        store: Store,
        telemetry: Telemetry,
        clock: Callable[[], datetime],
        client: httpx.Client,
        capacity: int,
    ) -> None:
        """capacity: bytes that may wait; beyond them only envelopes with an error are kept."""
        self.limits = limits
        self.standing = Standing()
        self._address = address
        self._seal = seal
        self._writer = writer
        self._store = store
        self._telemetry = telemetry
        self._clock = clock
        self._client = client
        self._capacity = capacity
        self._failures = 0
        self._resume_at: datetime | None = None
        self._opening = threading.Lock()  # one envelope is unpacked at a time: it may be 20 MiB
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="upstream")
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)

    def waiting(self, envelope: bytes, received_at: datetime, *, error: bool) -> Waiting | None:
        """The envelope, sealed, to be kept; None: no room is left for what holds no error."""
        if not error and self.standing.size >= self._capacity:
            self._telemetry.upstream("dropped")
            return None
        label = new_id()
        sealed = self._seal.close(envelope, label)
        return Waiting(id=label, received_at=received_at, error=error, sealed=sealed)

    def wake(self) -> None:
        """Something new waits."""
        self._woken.set()

    def start(self) -> None:
        self._thread.start()

    def drain(self) -> None:
        self._stopping.set()
        self._woken.set()

    def stop(self) -> None:
        """What is being sent is finished; the rest waits for the next start."""
        self.drain()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True)
        self._client.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait(POLL_SECONDS)
            self._woken.clear()
            try:
                while self._look():
                    pass
            except (StoreUnavailableError, SQLAlchemyError) as error:  # leases end: claimed again
                LOG.warning("upstream_cannot_write", extra={"reason": reason(error)})
            except Exception:  # loud, and the next look begins anew
                LOG.exception("upstream_failed")

    def _look(self) -> bool:
        """Send what is due; whether more may be."""
        now = self._clock()
        count, size = self._store.waiting_envelopes()
        self.standing = msgspec.structs.replace(self.standing, waiting=count, size=size)
        self._telemetry.upstream_pending.set(count)
        if not count or self._stopping.is_set() or (self._resume_at and self._resume_at > now):
            return False
        limit = 1 if self._failures or size > count * LARGE_BODY else AT_ONCE
        claimed = self._writer.run(lambda tx: tx.claim_envelopes(now, now + LEASE, limit))
        if claimed:
            self._settle(claimed, list(self._pool.map(self._send, claimed)))
        return bool(claimed)

    def _settle(self, claimed: Sequence[Waiting], sent: Sequence[Sent]) -> None:
        now = self._clock()
        of: dict[Outcome, list[str]] = {}
        for one, said in zip(claimed, sent, strict=True):
            of.setdefault(said.outcome, []).append(one.id)
        done = [one for outcome in DONE for one in of.get(outcome, [])]
        waits, unreadable = of.get("waits", []), of.get("unreadable", [])

        self._judge([said for said in sent if said.outcome != "forwarded"], bool(waits), now)

        def work(tx: Transaction) -> None:
            tx.drop_envelopes(done)
            tx.defer_envelopes(waits, self._resume_at or now)  # behind all that were not tried
            tx.defer_envelopes(unreadable, now + UNREADABLE)

        self._writer.run(work)
        for said in sent:
            self._telemetry.upstream(said.outcome)

    def _judge(self, bad: Sequence[Sent], waits: bool, now: datetime) -> None:
        """Pause where the upstream took nothing more, and say what is wrong."""
        for said in bad:
            LOG.warning("upstream", extra={"reason": said.reason, "next": said.outcome})
        problem = bad[-1].reason if bad else None
        self.standing = msgspec.structs.replace(self.standing, problem=problem)
        if not waits:
            self._failures, self._resume_at = 0, None
            return
        self._failures += 1
        asked = max((said.retry_after for said in bad if said.retry_after), default=timedelta())
        jitter = random.random()  # noqa: S311 no secret
        self._resume_at = now + max(asked, min(backoff(self._failures, jitter), LONGEST_PAUSE))

    def _send(self, waiting: Waiting) -> Sent:
        try:
            with self._opening:
                envelope = self._seal.open(waiting.sealed, waiting.id)
                body = gzip.compress(sent_later(envelope, self._clock() - waiting.received_at), 1)
                del envelope
        except UnreadableError as error:
            return Sent("unreadable", str(error))
        headers = {
            "Content-Type": "application/x-sentry-envelope",
            "Content-Encoding": "gzip",
            **self._address.headers,
        }
        try:
            answer = self._client.post(self._address.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return Sent("waits", f"no answer: {type(error).__name__}")
        self.limits.learn(answer.headers.get("x-sentry-rate-limits"), self._clock())
        return _judged(answer, waiting)


def _judged(answer: httpx.Response, waiting: Waiting) -> Sent:
    reason = f"it answered {answer.status_code}"
    if answer.is_success:
        return Sent("forwarded")
    if answer.status_code in REFUSED:
        return Sent("refused", reason)
    if answer.status_code == 429 and not waiting.error:  # an SDK drops it as well
        return Sent("limited", reason)
    after = answer.headers.get("retry-after", "")
    seconds = min(int(after), 3600) if after.isascii() and after.isdigit() else 0
    return Sent("waits", reason, timedelta(seconds=seconds))
