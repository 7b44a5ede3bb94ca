"""The groups that the writer knows from one transaction to the next.

On SQLite there is one writer, and the database tells when another connection wrote to it: until
then what was read stays true. Spec: https://www.sqlite.org/pragma.html#pragma_data_version
"""

from collections import OrderedDict
from typing import Any

import msgspec

from routers.group import Group
from service.store.tables import HOUR

REMEMBERED = 5000  # groups, with their audiences some 10 MB


class Entry(msgspec.Struct):
    """A group, and the hour in which it was last seen."""

    group: Group
    hour: int = 0
    hour_seen: int = 0  # how often in that hour

    def see(self, at: int) -> None:
        """One that comes late counts in the newest hour."""
        hour = at // HOUR
        if hour > self.hour:
            self.hour, self.hour_seen = hour, 0
        self.hour_seen += 1


class Known:
    """The least recently used are forgotten."""

    def __init__(self, *, remembers: bool) -> None:
        """remembers: whether the database tells when another connection wrote."""
        self.entries: OrderedDict[str, Entry] = OrderedDict()  # by the group's id
        self.ids: OrderedDict[tuple[str, str], str] = OrderedDict()  # by (project, fingerprint)
        self._remembers = remembers
        self._version: int | None = None

    def begin(self, cursor: Any) -> None:
        """Within a transaction that no other can write beside."""
        if not self._remembers:
            self.forget()
            return
        version = cursor.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self.forget()
            self._version = version
        for known in (self.entries, self.ids):
            while len(known) > REMEMBERED:
                known.popitem(last=False)

    def used(self, id: str, name: tuple[str, str]) -> None:  # noqa: A002
        self.entries.move_to_end(id)
        self.ids.move_to_end(name)

    def forget(self) -> None:
        self.entries.clear()
        self.ids.clear()
