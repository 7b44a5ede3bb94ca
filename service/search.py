"""A thread that puts the words of what was kept into the indexes, a few events at a time.

A group is found by its title, its culprit, and the words of its events, the newest of them first.
"""

import time
from collections.abc import Sequence

from service.lease import Lease
from service.store.search import SearchStore, Unindexed
from service.store.search_tables import whole_words
from service.store.writer import Writer
from service.telemetry import Telemetry
from service.watch import Watch
from service.words import of_event, of_group, of_its_group

SECONDS = 2.0  # between two looks
AT_ONCE = 100  # events in one job of the writer
SHARE = 0.1  # of the time, at most


class SearchWatch(Watch):
    def __init__(
        self,
        writer: Writer,
        store: SearchStore,
        telemetry: Telemetry,
        lease: Lease | None = None,
        *,
        share: float = SHARE,
    ) -> None:
        super().__init__("search", SECONDS, lease)
        self._writer = writer
        self._store = store
        self._telemetry = telemetry
        self._rest = 1 / share - 1
        self._newest = 0  # event that was kept before the last look

    def look(self) -> None:
        """Index what was kept before the last look.

        By then what was kept beside it, and got a lower number, is committed too.
        """
        upto, self._newest = self._newest, self._store.newest()
        while not self._stopping.is_set():
            started = time.perf_counter()
            since = self._store.upto()
            some = self._store.unindexed(since, upto, AT_ONCE)
            if not some:
                break
            self._index(since, some)
            self._stopping.wait((time.perf_counter() - started) * self._rest)
        self._telemetry.search_behind.set(max(0, self._newest - self._store.upto()))

    def _index(self, since: int, some: Sequence[Unindexed]) -> None:
        events = {
            one.sequence: [*of_event(one.event), *whole_words(one.group, one.event.project)]
            for one in some
        }
        groups = self._groups(some)
        upto = some[-1].sequence
        self._writer.run(lambda tx: tx.search.put(events, groups, since=since, upto=upto))

    def _groups(self, some: Sequence[Unindexed]) -> dict[str, list[str]]:
        """The words of each group that is found by more than before."""
        newest: dict[str, list[list[str]]] = {}
        for one in reversed(some):
            if one.group is not None:
                newest.setdefault(one.group, []).append(of_its_group(one.event))
        known, names = self._store.words(newest), self._store.names(newest)
        told = {
            group: of_group(*name, *newest[group], known.get(group, []))
            for group, name in names.items()
        }
        return {
            group: words for group, words in told.items() if {*words} != {*known.get(group, ())}
        }
