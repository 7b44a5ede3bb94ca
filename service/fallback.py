"""Where a delivery goes that its own destination cannot be told: the team's next, the policy's."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from routers.breaker import Breaker
from routers.channels.log import Log
from routers.outage import notice
from routers.policy import StormPolicy
from routers.retry import LIFETIME
from routers.rules import Rules
from service.breakers import Breakers
from service.store.rows import Delivery
from service.store.transaction import Transaction

AT_ONCE = 100  # deliveries that one transaction redirects
_STILL_A_STORM = 2  # what was one message stays one, where it goes


class Fallback:
    def __init__(
        self, rules: Callable[[], Rules | None], breakers: Breakers, *, public_url: str
    ) -> None:
        self._rules = rules
        self._breakers = breakers
        self._public_url = public_url

    def redirect(self, tx: Transaction, receiver: str, now: datetime) -> int:
        """While its breaker is open, what is due for it goes elsewhere: how many did.

        What could go nowhere else waits for the next probe, if the destination may come back.
        """
        moved = 0
        for _ in range(AT_ONCE):
            breaker, delivery = self._breakers.of(tx, receiver), tx.due(receiver, now)
            if breaker is None or delivery is None or breaker.probe_at is None:
                break
            may_wait = not breaker.is_gone and now - delivery.since < LIFETIME
            if may_wait and self._next(tx, delivery, now, may_wait=True) is None:
                later = {"state": "pending", "due_at": breaker.probe_at}
                tx.put_delivery(msgspec.structs.replace(delivery, **later))
            else:
                moved += self.bury(tx, _given_up(delivery, breaker), now, may_wait=may_wait)
        else:
            tx.queued.add(receiver)  # there may be more
        return moved

    def announce(self, tx: Transaction, failed: Delivery, breaker: Breaker, now: datetime) -> None:
        """Its breaker has opened: who hears what is due there instead, hears of that too."""
        told = failed.notification
        said = notice(told.receiver, breaker, told, public_url=self._public_url, now=now)
        said = msgspec.structs.replace(said, spare=told.spare)
        of_it = msgspec.structs.replace(failed, notification=said)
        if receiver := self._next(tx, of_it, now, may_wait=False):
            tx.queue(msgspec.structs.replace(said, receiver=receiver), now, _tried(of_it))

    def bury(
        self,
        tx: Transaction,
        failed: Delivery,
        now: datetime,
        *,
        alone: bool = False,
        may_wait: bool = False,
    ) -> int:
        """It is dead, and what it carried with it: how many; `alone`: those go their own way."""
        closes = failed.notification.closes  # what it carries was to be told by nobody
        carried = [] if alone or closes else tx.carried(failed)
        if may_wait:  # what has nowhere to go waits, freed, as it would have by itself
            carried = [one for one in carried if self._next(tx, one, now, may_wait=True)]
        for one in (failed, *carried):
            self._bury_one(tx, one, failed, now, may_wait=may_wait)
        tx.free_carried(failed, now)
        return 1 + len(carried)

    def _bury_one(
        self,
        tx: Transaction,
        delivery: Delivery,
        failed: Delivery,
        now: datetime,
        *,
        may_wait: bool,
    ) -> None:
        """The first fallback that was not tried yet is told instead."""
        fallback = self._next(tx, delivery, now, may_wait=may_wait)
        fallback = fallback or self._next(tx, delivery, now, may_wait=False)
        dead = msgspec.structs.replace(
            delivery,
            state="dead",
            settled_at=now,
            fallback=fallback,
            carrier=None,
            last_code=failed.last_code,
            last_error=failed.last_error,
        )
        tx.put_delivery(dead)
        if fallback is not None:
            told = msgspec.structs.replace(delivery.notification, receiver=fallback)
            tx.queue(told, now, _tried(delivery), storms=self._storms(failed))

    def _next(
        self, tx: Transaction, delivery: Delivery, now: datetime, *, may_wait: bool
    ) -> str | None:
        """may_wait: it could be told where it is, later; the console is no better than that."""
        rules, told = self._rules(), delivery.notification
        if rules is None or told.closes:  # nobody else has the incident that it closes
            return None
        names = [*told.spare, *rules.policy.fallback_receivers]
        # a digest opens no incident there either
        left = [
            name
            for name in names
            if name not in _tried(delivery)
            and (told.reason != "digest" or rules.opens_no_incident(name))
        ]
        well = (name for name in left if not self._breakers.is_shut(tx, name, now))
        if may_wait:
            return next((one for one in well if not isinstance(rules.channels.get(one), Log)), None)
        return next(well, left[0] if left else None)

    def _storms(self, failed: Delivery) -> StormPolicy | None:
        rules = self._rules()
        if rules is None:
            return None
        policy = rules.policy.storm
        if failed.storm is None or policy.within == timedelta():
            return policy
        return policy.model_copy(update={"groups": _STILL_A_STORM})


def _tried(delivery: Delivery) -> tuple[str, ...]:
    """The receivers that it cannot be told at."""
    return (*delivery.tried, delivery.notification.receiver)


def _given_up(delivery: Delivery, breaker: Breaker) -> Delivery:
    """With what its own last attempt was answered, if it had any."""
    if delivery.attempts:
        return delivery
    said = f"the breaker is open: its destination fails ({breaker.code})"
    return msgspec.structs.replace(delivery, last_code="breaker_open", last_error=said)
