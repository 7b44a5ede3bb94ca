"""What a channel is handed: a notification, and what is known of it as it is sent."""

from collections.abc import Callable, Sequence
from datetime import datetime

from routers.links import links_of
from routers.notification import Alert, Notification
from routers.rules import Rules
from service.store.store import Store
from service.store.storms import StormStore
from service.store.threads import ThreadStore


class Alerts:
    def __init__(
        self,
        store: Store,
        threads: ThreadStore,
        storms: StormStore,
        *,
        clock: Callable[[], datetime],
        pressable: bool,
    ) -> None:
        """pressable: whether what is pressed in a message reaches us."""
        self._store = store
        self._threads = threads
        self._storms = storms
        self._clock = clock
        self._pressable = pressable

    def of(
        self,
        told: Notification,
        others: Sequence[Notification] = (),
        *,
        delivery: str,
        rules: Rules,
        plain: bool = False,
        storm: str | None = None,
    ) -> Alert:
        """What the delivery carries beyond `others` is counted, where it is a storm's."""
        event, ownership = self._store.evidence(told.group, told.event_id)
        return Alert(
            id=delivery if others or storm else told.id or delivery,
            sent_at=self._clock(),
            notification=told,
            others=tuple(others),
            more=self._storms.carried(delivery) - len(others) if storm else 0,
            storm=self._storms.told(storm) if storm else None,
            ownership=ownership,
            event=event,
            links=links_of(told, event, ownership, rules),
            plain=plain,
            thread=None if others or storm else self._threads.of(told.receiver, told.group),
            pressable=self._pressable,
        )
