"""What can be done inside one transaction of the writer. All of it lands, or none."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from matchers.event import Event
from routers.group import Group
from routers.notification import Notification
from routers.policy import StormPolicy
from routers.route import Routing
from service.store.artifacts import Artifacts
from service.store.audit import Audited, audit_row
from service.store.bodies import Bodies, event_in, is_kept
from service.store.destinations import Destinations
from service.store.envelopes import Envelopes
from service.store.event_ids import Coming, EventIds
from service.store.groups import Groups
from service.store.leases import Leases
from service.store.locks import Locks
from service.store.memory import Memory
from service.store.releases import Releases
from service.store.retention import Retention
from service.store.rows import Delivery, delivery_record, delivery_row, new_id
from service.store.search import Search
from service.store.silenced import Silenced
from service.store.statement import every, one
from service.store.statements import Statements
from service.store.storms import Storms
from service.store.tables import HOUR, to_us
from service.store.threads import Threads

ALL = 1_000_000


class Transaction(Silenced, Envelopes):
    """Writes gather in memory until `flush`; reads see what earlier transactions committed."""

    def __init__(self, cursor: Any, statements: Statements, memory: Memory) -> None:
        """memory: the writer's; it outlives the transaction."""
        super().__init__(cursor, statements)
        self.locks = Locks(cursor, statements)
        self.leases = Leases(cursor, statements)
        self.ids = EventIds(cursor, statements)
        self.artifacts = Artifacts(cursor, statements)
        self.groups = Groups(cursor, statements, memory.known)
        self.threads = Threads(cursor, statements)
        self.releases = Releases(cursor, statements)
        self.destinations = Destinations(cursor, statements)
        self.queued: set[str] = set()  # receivers that have something new
        self._bodies = Bodies(cursor, statements)
        self._tallies: Counter[tuple[int, str, str]] = Counter()
        self._deliveries: dict[str, dict[str, Any]] = {}
        self._storms = Storms(cursor, statements, memory.weather, self._deliveries, self.locks)
        self._books: Counter[tuple[str, str]] = Counter()
        self.search = Search(cursor, statements.search)
        self.retention = Retention(cursor, statements, self.groups, self.search, self._books)
        self._in_force = memory.in_force
        self._hidden: dict[str, dict[str, Any]] = {}  # by the silence that hid it
        self._audit: list[dict[str, Any]] = []

    def prepare(self, coming: Sequence[Coming]) -> None:
        """Read at once what the jobs of a batch said they will read."""
        self.groups.read((one.project, each) for one in coming for each in one.fingerprints)
        if self._sql.shared:
            self.groups.claim((one.project, one.fingerprints) for one in coming)
        self.ids.read((one.project, one.event_id) for one in coming)

    def accept(self, event: Event) -> None:
        """Enter the event in the book of what came in. First ask `ids.before`."""
        self._books["accepted", ""] += 1
        self.releases.saw(event)
        self.ids.add(event)

    def accept_duplicate(self) -> None:
        self._books["accepted", ""] += 1
        self._books["outcome", "duplicate"] += 1

    def over_quota(self, count: int) -> None:
        """Enter events that are counted and not stored."""
        self._books["accepted", ""] += count
        self._books["outcome", "over_quota"] += count

    def undecided(self, event: Event) -> None:
        """Keep it until rules load."""
        self._books["outcome", "undecided"] += 1
        self._bodies.keep(event, "undecided")

    def enqueue(
        self,
        event: Event,
        group: Group,
        routing: Routing,
        decided: Callable[[], dict[str, Any]],
    ) -> None:
        """Enter the outcome, and queue one delivery for each notification.

        decided: the decision in JSON's types, for where the body is kept.
        """
        self._books["outcome", routing.outcome] += 1
        self._tallies[to_us(event.received_at) // HOUR, group.id, routing.outcome] += 1
        if not self.ids.settle(event, group.id):  # it was kept undecided
            self._books["outcome", "undecided"] -= 1
            self._bodies.settle(event, routing.outcome, group.id, decided())
        elif routing.notifications or is_kept(self.groups.seen_in_hour(group.id)):
            self._bodies.keep(event, routing.outcome, group.id, decided())
        self.groups.tell(group, routing.audiences)
        for hidden in routing.hidden:
            self._hidden[hidden.silence] = {
                "i": hidden.silence,
                "n": 1 + self._hidden.get(hidden.silence, {"n": 0})["n"],
                "hidden_at": to_us(event.received_at),
                "hidden_group": group.id,
                "hidden_team": hidden.team or "",
                "hidden_event": event.event_id,
            }
        for told in routing.notifications:
            self.queue(told, event.received_at, storms=routing.storm)

    def queue(
        self,
        told: Notification,
        now: datetime,
        tried: tuple[str, ...] = (),
        storms: StormPolicy | None = None,
    ) -> Delivery:
        """storms: when it becomes one message with others; None: never."""
        id_ = new_id()
        told = told if told.id else msgspec.structs.replace(told, id=id_)
        delivery = Delivery(
            id=id_, notification=told, tried=tried, created_at=now, since=now, due_at=now
        )
        self._books["queued", ""] += 1
        if storms and storms.within and told.reason == "first_seen":
            delivery = self._storms.joined(delivery, now, storms)
        self._deliveries[delivery.id] = delivery_row(delivery)
        if delivery.carrier is None:
            self.queued.add(told.receiver)
        return delivery

    def told(self, group: str) -> list[Delivery]:
        """What was queued of a group, the earliest first; of the same moment, what closes last."""
        kept = every(self._sql.deliveries_of.run(self._cursor, {"group_id": group}))
        queued = [row for row in self._deliveries.values() if row["group_id"] == group]
        return sorted(
            map(delivery_record, [*kept, *queued]),
            key=lambda one: (one.created_at, one.notification.closes),
        )

    def due(self, receiver: str, now: datetime) -> Delivery | None:
        """The delivery of this receiver that has waited longest."""
        self._flush_deliveries()  # what gathers for a message is known before it is claimed
        params = {"receiver": receiver, "now": to_us(now), "limit": 1}
        row = one(self._sql.due_delivery.run(self._cursor, params))
        return None if row is None else delivery_record(row)

    def carry(self, carrier: Delivery, now: datetime, limit: int) -> list[Delivery]:
        """Let one delivery's message tell what else is due for its receiver."""
        receiver = carrier.notification.receiver
        params = {"receiver": receiver, "now": to_us(now), "limit": limit + 1}
        rows = every(self._sql.due_delivery.run(self._cursor, params))
        # what was tried may have been told, and comes again as it was; a storm is its own message,
        # and so is a digest: of its lines none would be left
        carried = [
            row
            for row in rows
            if row["id"] != carrier.id and row["state"] == "pending" and not row["attempts"]
            if row["storm"] is None and row["reason"] != "digest"
        ]
        self.load(carrier, [row["id"] for row in carried])
        return [delivery_record(row) for row in carried]

    def load(self, carrier: Delivery, ids: Sequence[str]) -> None:
        """Have one delivery carry these, whatever becomes of it."""
        self._sql.carry.run_all(self._cursor, [{"i": one, "by": carrier.id} for one in ids])

    def carried(self, carrier: Delivery, limit: int = ALL) -> list[Delivery]:
        """What its message tells besides."""
        rows = every(self._sql.carried.run(self._cursor, {"by": carrier.id, "limit": limit}))
        return [delivery_record(row) for row in rows]

    def settle_carried(self, carrier: Delivery, now: datetime) -> int:
        """They were told by it: how many."""
        named = {"by": carrier.id, "now": to_us(now)}
        return int(self._sql.settle_carried.run(self._cursor, named).rowcount)

    def free_carried(self, carrier: Delivery, now: datetime) -> None:
        """It is dead: each goes its own way again."""
        self._sql.free_carried.run(self._cursor, {"by": carrier.id, "now": to_us(now)})
        self.queued.add(carrier.notification.receiver)

    def delivery(self, id: str) -> Delivery | None:  # noqa: A002
        row = one(self._sql.delivery.run(self._cursor, {"id": id}))
        return None if row is None else delivery_record(row)

    def put_delivery(self, delivery: Delivery) -> None:
        self._sql.put_delivery.run(self._cursor, delivery_row(delivery))
        self._storms.claimed(delivery.id)
        if delivery.state == "pending":
            self.queued.add(delivery.notification.receiver)

    def release_leases(self, now: datetime) -> None:
        """Give back what a service that died was sending. Only where no other can be alive."""
        self._sql.release_leases.run(self._cursor, {"now": to_us(now)})
        self._sql.release_envelopes.run(self._cursor, {"now": to_us(now)})

    def undecided_events(self, limit: int) -> list[Event]:
        rows = every(self._sql.undecided.run(self._cursor, {"limit": limit}))
        return [event_in(row["body"]) for row in rows]

    def last_revision(self) -> dict[str, Any] | None:
        return one(self._sql.last_revision.run(self._cursor, {}))

    def keep_revision(self, revision: str, file: str, content: bytes, now: datetime) -> int:
        """Its sequence number: that of the last one if it is the same, else higher than any."""
        self.locks.take("rules")
        last = self.last_revision()
        if last and (last["revision"], last["file"]) == (revision, file):
            return int(last["sequence"])
        row = {"revision": revision, "file": file, "content": content, "loaded_at": to_us(now)}
        self._sql.add_revision.run(self._cursor, row)
        added = self.last_revision()
        return int(added["sequence"]) if added else 0

    def audit(self, entry: Audited) -> None:
        self._audit.append(audit_row(entry))

    def tell_week(self, team: str, week: str) -> bool:
        """False: it was told of it before, or of a later one."""
        told = self._sql.tell_week.run(self._cursor, {"team": team, "week": week})
        return int(told.rowcount) == 1

    def recount(self, more: Mapping[str, int]) -> None:
        """more: rows than were counted, by what was counted."""
        rows = [{"name": name, "more": n} for name, n in more.items()]
        self._sql.recount.run_all(self._cursor, rows)

    def fold(self) -> None:
        """Make one row of each count."""
        self._sql.fold.run(self._cursor, {})

    def ask(self) -> None:
        """Write, and change nothing."""
        self._count({("accepted", ""): 0})

    def _flush_deliveries(self) -> None:
        self._sql.add_delivery.run_all(self._cursor, list(self._deliveries.values()))
        self._deliveries.clear()

    def flush(self) -> None:
        sql, cursor = self._sql, self._cursor
        self.groups.write()
        self.ids.flush()
        self._books["kept", ""] += self._bodies.flush()
        self._flush_deliveries()
        self._storms.flush()
        sql.add_envelope.run_all(cursor, self._envelopes)
        sql.hide.run_all(cursor, [self._hidden[id] for id in sorted(self._hidden)])  # noqa: A001
        self.releases.flush()
        sql.add_audit.run_all(cursor, self._audit)
        sql.tally.run_all(
            cursor,
            [
                {"hour": hour, "group_id": group, "outcome": outcome, "n": n}
                for (hour, group, outcome), n in sorted(self._tallies.items())
            ],
        )
        self._count({key: n for key, n in self._books.items() if n})

    def _count(self, books: Mapping[tuple[str, str], int]) -> None:
        shard = self._sql.shard
        rows = [
            {"book": book, "name": name, "shard": shard, "n": n}
            for (book, name), n in sorted(books.items())
        ]
        self._sql.count.run_all(self._cursor, rows)
