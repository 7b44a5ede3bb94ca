"""A thread that looks for silences which end soon and still hide, and has their teams warned once.

What is warned, and the mark that it was, are one transaction: a kill or a second service on the
same database warns of none twice.
"""

from collections.abc import Callable
from datetime import datetime

from routers.notification import Notification
from routers.rules import Rules
from routers.silence_warning import AHEAD, LATELY, LastHidden, warnings
from service.lease import Lease
from service.overview import recalled
from service.store.silences import KeptSilence, SilenceStore
from service.store.store import Store
from service.store.transaction import Transaction
from service.store.writer import Writer
from service.telemetry import Telemetry
from service.watch import Watch

SECONDS = 30.0  # between two looks


class SilenceWatch(Watch):
    def __init__(
        self,
        writer: Writer,
        store: Store,
        silences: SilenceStore,
        rules: Callable[[], Rules | None],
        telemetry: Telemetry,
        *,
        clock: Callable[[], datetime],
        public_url: str,
        lease: Lease | None = None,
    ) -> None:
        super().__init__("silences", SECONDS, lease)
        self._writer = writer
        self._store = store
        self._silences = silences
        self._rules = rules
        self._telemetry = telemetry
        self._clock = clock
        self._public_url = public_url

    def look(self) -> None:
        """Warn of those that are due."""
        now, rules = self._clock(), self._rules()
        for kept in self._silences.ending(now, now + AHEAD, now - LATELY) if rules else ():
            last = self._last(kept)
            if last is not None and rules is not None:
                silence, url = kept.silence, self._public_url
                self._warn(silence.id, warnings(silence, last, rules, public_url=url, now=now), now)

    def _last(self, kept: KeptSilence) -> LastHidden | None:
        """None: it is no longer kept."""
        group = self._store.group(kept.hidden_group or "")
        if group is None:
            return None
        event, decision = self._store.evidence(group.id, kept.hidden_event or "")
        if event is None or not decision:
            return None
        return LastHidden(
            event=event,
            ownership=recalled(decision),
            group=group,
            team=kept.hidden_team,
            hidden=kept.hidden,
        )

    def _warn(self, id: str, told: tuple[Notification, ...], now: datetime) -> None:  # noqa: A002
        def work(tx: Transaction) -> bool:
            is_first = bool(told) and tx.mark_warned(id, now)
            for one in told if is_first else ():
                tx.queue(one, now)
            return is_first

        if self._writer.run(work):
            for one in told:
                self._telemetry.queued(one)
