"""The bodies of events: which are kept, and in what form.

Of each group all of its first WHOLE in an hour, then one in ONE_IN; besides, what somebody is told
of, and what is undecided still. Counts know of every event.

zstd at its fastest common level halves what zlib does in CPU, at the size of zlib's. What was kept
before it was compressed is JSON, whose first byte no frame of zstd begins with.
Spec: https://www.rfc-editor.org/rfc/rfc8878#name-zstandard-frames
"""

from typing import Any

import msgspec
from zstandard import ZstdCompressor, ZstdDecompressor

from matchers.event import Event
from service.store.statements import Statements
from service.store.tables import to_us

# A hundred show how an error varies, and cost little; ten times as many events in the hour must not
# be half as many bodies again.
WHOLE = 100
ONE_IN = 1000
_LEVEL = 1
_JSON = b"{"


def is_kept(seen: int) -> bool:
    """seen: how often its group came in this hour, with this event."""
    return seen <= WHOLE or seen % ONE_IN == 0


def unpacked(raw: bytes) -> bytes:
    """The JSON."""
    return raw if raw[:1] == _JSON else ZstdDecompressor().decompress(raw)


def event_in(raw: bytes) -> Event:
    return msgspec.json.decode(unpacked(raw), type=Event)


def decision_in(raw: bytes | None) -> dict[str, Any] | None:
    """None: undecided."""
    return None if raw is None else msgspec.json.decode(unpacked(raw), type=dict[str, Any])


class Bodies:
    """Those of one transaction, in memory until `flush`."""

    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements
        self._rows: list[dict[str, Any]] = []
        self._packer = ZstdCompressor(level=_LEVEL)

    def keep(
        self, event: Event, outcome: str, group: str | None = None, decision: object = None
    ) -> None:
        """decision: in JSON's types; None: undecided."""
        self._rows.append(
            {
                "project": event.project,
                "event_id": event.event_id,
                "received_at": to_us(event.received_at),
                "group_id": group,
                "outcome": outcome,
                "body": self._packed(event),
                "decision": None if decision is None else self._packed(decision),
            }
        )

    def settle(self, event: Event, outcome: str, group: str, decision: object) -> None:
        """Of one that an earlier transaction kept undecided."""
        settled = {"g": group, "outcome": outcome, "decision": self._packed(decision)}
        place = {"p": event.project, "e": event.event_id, "at": to_us(event.received_at)}
        self._sql.settle_event.run(self._cursor, settled | place)

    def flush(self) -> int:
        """How many were kept."""
        self._sql.add_event.run_all(self._cursor, self._rows)
        return len(self._rows)

    def _packed(self, value: object) -> bytes:
        return self._packer.compress(msgspec.json.encode(value))
