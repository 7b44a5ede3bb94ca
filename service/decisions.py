"""Whose an event is, remembered: in a storm the same error comes again and again.

An event is decided by all that it says, but for who it is and when it came: no rule may ask for
those. So what was decided of one that says the same stands for it too, masked as it is.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from matchers.event import Event
from matchers.fingerprint import GROUPINGS, Grouping
from matchers.memo import Memo
from routers.rules import Rules
from service.masking import masked, trace_of
from service.pipeline import Decided, decide

ROOM = 48 * 2**20  # bytes of events and decisions that are remembered
_WEIGHT = 5  # a record takes so many times what it is in JSON
_THEN = datetime(1970, 1, 1, tzinfo=UTC)


class Decisions:
    """Of the rules that were last asked for."""

    def __init__(self) -> None:
        # by which recipes a group may be known: all, until it is read of the database
        self.groupings: Sequence[Grouping] = GROUPINGS
        self._rules: Rules | None = None
        self._memo: Memo[bytes, Decided] = Memo(ROOM)

    def of(self, event: Event, rules: Rules) -> Decided:
        """Masked."""
        if rules is not self._rules:
            self._rules, self._memo = rules, Memo(ROOM)
        says = msgspec.structs.replace(
            event, event_id="", timestamp=_THEN, received_at=_THEN, trace_id=None
        )
        key = msgspec.json.encode(says)
        decided = self._memo.get(key)
        if decided is None:
            decided = masked(decide(says, rules, self.groupings))
            self._memo.remember(key, decided, _WEIGHT * len(key))
        its_own = msgspec.structs.replace(
            decided.event,
            event_id=event.event_id,
            timestamp=event.timestamp,
            received_at=event.received_at,
            trace_id=trace_of(event),
        )
        return msgspec.structs.replace(decided, event=its_own)
