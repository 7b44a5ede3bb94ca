"""The groups that the writer knows from one transaction to the next: service/store/memory.py."""

from collections import OrderedDict

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

    def __init__(self) -> None:
        self.entries: OrderedDict[str, Entry] = OrderedDict()  # by the group's id
        self.ids: OrderedDict[tuple[str, str], str] = OrderedDict()  # by (project, fingerprint)

    def trim(self) -> None:
        for known in (self.entries, self.ids):
            while len(known) > REMEMBERED:
                known.popitem(last=False)

    def used(self, id: str, name: tuple[str, str]) -> None:  # noqa: A002
        self.entries.move_to_end(id)
        self.ids.move_to_end(name)

    def forget(self) -> None:
        self.entries.clear()
        self.ids.clear()
