"""The part of a transaction that says who does what only one service on a database must."""

from datetime import datetime
from typing import Any

from service.store.statements import Statements
from service.store.tables import to_us


class Leases:
    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements

    def take(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """False: another has it until later than now."""
        asked = {"name": name, "holder": holder, "until": to_us(until), "now": to_us(now)}
        return int(self._sql.take_lease.run(self._cursor, asked).rowcount) == 1

    def give_back(self, name: str, holder: str) -> None:
        self._sql.drop_lease.run(self._cursor, {"n": name, "h": holder})
