"""What the writer remembers from one transaction to the next.

SQLite tells when another connection wrote: until then what was read stays true. PostgreSQL does
not, and everything is read anew. Spec: https://www.sqlite.org/pragma.html#pragma_data_version
"""

from typing import Any

from service.store.known import Known
from service.store.silences import InForce
from service.store.storms import Weather


class Memory:
    def __init__(self, *, alone: bool) -> None:
        """alone: whether the database tells when another connection wrote."""
        self._alone = alone
        self._version: int | None = None
        self.in_force = InForce()
        self.weather = Weather()
        self.known = Known()

    def begin(self, cursor: Any) -> None:
        """Of a transaction; on SQLite no other can write beside it."""
        version = cursor.execute("PRAGMA data_version").fetchone()[0] if self._alone else None
        if version is None or version != self._version:
            self._version = version
            self.in_force.forget()
            self.weather.lasting = None
            self.known.forget()
        self.known.trim()

    def forget(self) -> None:
        """It may have been read from what is now undone."""
        self.in_force.forget()
        self.weather.forget()
        self.known.forget()
