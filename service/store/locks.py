"""Locks that a transaction holds until it ends, by what they are about.

On SQLite a transaction that writes is alone, and they cost nothing.
Spec: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from hashlib import blake2b
from typing import Any, Literal

from service.store.statements import Statements

Kind = Literal["migration", "storms", "rules", "receiver", "again"]
# Of no meaning, but that nobody else in the same database is likely to use them
NUMBERS: dict[Kind, int] = {
    "migration": 7_264_001,
    "storms": 7_264_002,
    "rules": 7_264_003,
    "receiver": 7_264_004,
    "again": 7_264_005,
}


class Locks:
    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements
        self._held: set[tuple[Kind, str]] = set()

    def take(self, kind: Kind, name: str = "") -> None:
        """Wait until nobody else has it."""
        if self._sql.shared and (kind, name) not in self._held:
            self._sql.lock.run(self._cursor, {"kind": NUMBERS[kind], "name": _number(name)})
            self._held.add((kind, name))

    def try_to_take(self, kind: Kind, name: str = "") -> bool:
        """False: somebody else has it."""
        if not self._sql.shared or (kind, name) in self._held:
            return True
        asked = {"kind": NUMBERS[kind], "name": _number(name)}
        taken = bool(self._sql.try_lock.run(self._cursor, asked).fetchone()[0])
        if taken:
            self._held.add((kind, name))
        return taken


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big", signed=True)
