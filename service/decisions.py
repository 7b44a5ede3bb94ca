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
_ASCII, _WIDE = 3, 5  # a text takes so many times what it is in JSON: a wide one more
_DECISION, _RECORD = 1500, 400  # bytes besides: of each, and of each frame and exception
_THEN = datetime(1970, 1, 1, tzinfo=UTC)


class Decisions:
    """Of the rules that were last asked for."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        # by which recipes a group may be known: all, until it is read of the database
        self.groupings: Sequence[Grouping] = GROUPINGS
        self._rules: Rules | None = None
        self._memo: Memo[bytes, Decided] = Memo(room)

    def of(self, event: Event, rules: Rules) -> Decided:
        """Masked."""
        if rules is not self._rules:
            self._rules, self._memo = rules, Memo(self._room)
        says = msgspec.structs.replace(
            event, event_id="", timestamp=_THEN, received_at=_THEN, trace_id=None
        )
        key = msgspec.json.encode(says)
        decided = self._memo.get(key)
        if decided is None:
            decided = masked(decide(says, rules, self.groupings))
            self._memo.remember(key, decided, _size(key, event))
        its_own = msgspec.structs.replace(
            decided.event,
            event_id=event.event_id,
            timestamp=event.timestamp,
            received_at=event.received_at,
            trace_id=trace_of(event),
        )
        return msgspec.structs.replace(decided, event=its_own)


def _size(key: bytes, event: Event) -> int:
    records = sum(1 + len(error.frames) for error in event.exceptions)
    weight = _ASCII if key.isascii() else _WIDE
    return weight * len(key) + _DECISION + _RECORD * records
