"""A thread that has messages say what is now so: what a person did, and counts that moved on.

A notification changes the message itself; what comes within a minute of the last change, or not by
a notification at all, is due here. It is kept in the database, so a restart loses none.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import msgspec

from routers.channels.base import Channel
from routers.errors import PermanentError, TemporaryError
from routers.notification import Alert, Thread
from routers.rules import Rules
from routers.wording import worded
from service.alerts import Alerts
from service.lease import Lease
from service.store.store import Store
from service.store.threads import KeptThread, ThreadStore
from service.store.writer import Writer
from service.watch import Watch

LOG = logging.getLogger(__name__)
SECONDS = 1.0  # between two looks
AT_ONCE = 20  # in one look
AGAIN = timedelta(minutes=1)  # after one that failed


class ThreadWatch(Watch):
    def __init__(
        self,
        writer: Writer,
        store: Store,
        threads: ThreadStore,
        alerts: Alerts,
        rules: Callable[[], Rules | None],
        client: httpx.Client,
        *,
        clock: Callable[[], datetime],
        lease: Lease | None = None,
    ) -> None:
        super().__init__("threads", SECONDS, lease)
        self._writer = writer
        self._store = store
        self._threads = threads
        self._alerts = alerts
        self._rules = rules
        self._client = client
        self._clock = clock

    def look(self) -> None:
        """Change those that are due. After one that failed, its receiver's others wait too."""
        resting: dict[str, timedelta] = {}
        for due in self._threads.due(self._clock(), AT_ONCE):
            if self._stopping.is_set():
                return
            if due.receiver not in resting:
                try:
                    self._settle(due, self._revise(due))
                    continue
                except TemporaryError as error:
                    resting[due.receiver] = max(error.retry_after or AGAIN, AGAIN)
            later = self._clock() + resting[due.receiver]
            self._settle(due, msgspec.structs.replace(due.thread, due_at=later))

    def _settle(self, due: KeptThread, thread: Thread | None) -> None:
        self._writer.run(lambda tx: tx.threads.settle(due, thread))

    def _revise(self, due: KeptThread) -> Thread | None:
        """None: its message is not there any more. Raises TemporaryError."""
        rules = self._rules() or Rules.empty()
        channel = rules.channels.get(due.receiver)
        alert = self._alert(due, rules)
        as_it_is = msgspec.structs.replace(due.thread, due_at=None)
        if not isinstance(channel, Channel) or alert is None:
            return as_it_is
        try:
            return channel.revise(alert, self._client)
        except PermanentError as error:
            reason = {"channel": due.receiver, "reason": error.code}
            LOG.warning("message_not_changed", extra=reason)
            return as_it_is

    def _alert(self, due: KeptThread, rules: Rules) -> Alert | None:
        """What it was last told, with what is now known. None: that is no longer kept."""
        group = self._store.group(due.group)
        told = self._threads.told(due.receiver, due.group)
        if group is None or told is None:
            return None
        now_so = msgspec.structs.replace(
            told, times_seen=group.times_seen, last_seen=group.last_seen
        )
        alert = self._alerts.of(now_so, delivery=due.group, rules=rules)
        alert = msgspec.structs.replace(alert, thread=due.thread)
        return worded(alert, rules.wordings.get(due.receiver))[0]
