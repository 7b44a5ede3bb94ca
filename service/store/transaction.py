"""What can be done inside one transaction of the writer. All of it lands, or none."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from matchers.event import Event
from matchers.ownership import Ownership, decision
from routers.group import Group
from routers.notification import Notification
from routers.policy import StormPolicy
from routers.route import Routing
from routers.silences import Silence
from service.store.audit import Audited, audit_row
from service.store.destinations import Destinations
from service.store.envelopes import Envelopes
from service.store.groups import Groups, every, one
from service.store.releases import Releases
from service.store.rows import (
    Artifact,
    Delivery,
    artifact_row,
    delivery_record,
    delivery_row,
    new_id,
)
from service.store.silences import InForce, KeptSilence, kept_silence, silence_row
from service.store.statements import Statements
from service.store.storms import Storms, Weather
from service.store.tables import to_us
from service.store.threads import Threads

ALL = 1_000_000


class Transaction(Envelopes):
    """Writes gather in memory until `flush`; reads see what earlier transactions committed."""

    def __init__(
        self, cursor: Any, statements: Statements, in_force: InForce, weather: Weather
    ) -> None:
        """in_force, weather: the writer's; they outlive the transaction."""
        super().__init__(cursor, statements)
        self.groups = Groups(cursor, statements)
        self.threads = Threads(cursor, statements)
        self.releases = Releases(cursor, statements)
        self.destinations = Destinations(cursor, statements)
        self.queued: set[str] = set()  # receivers that have something new
        self._events: dict[tuple[str, str], dict[str, Any]] = {}
        self._deliveries: dict[str, dict[str, Any]] = {}
        self._storms = Storms(cursor, statements, weather, self._deliveries)
        self._books: Counter[tuple[str, str]] = Counter()
        self._in_force = in_force
        self._hidden: dict[str, dict[str, Any]] = {}  # by the silence that hid it
        self._audit: list[dict[str, Any]] = []

    def known(self, event: Event) -> dict[str, Any] | None:
        """The row, with its group_id, of an event of this project with this id; None: it is new."""
        if row := self._events.get((event.project, event.event_id)):
            return row
        params = {"project": event.project, "event_id": event.event_id}
        return one(self._sql.event_known.run(self._cursor, params))

    def accept(self, event: Event) -> None:
        """Enter the event in the book of what came in, and keep its record. First ask `known`."""
        self._books["accepted", ""] += 1
        self.releases.saw(event)
        self._events[event.project, event.event_id] = {
            "project": event.project,
            "event_id": event.event_id,
            "received_at": to_us(event.received_at),
            "group_id": None,
            "outcome": "undecided",
            "body": msgspec.json.encode(event),
            "decision": None,
        }

    def accept_duplicate(self) -> None:
        self._books["accepted", ""] += 1
        self._books["outcome", "duplicate"] += 1

    def over_quota(self, count: int) -> None:
        """Enter events that are counted and not stored."""
        self._books["accepted", ""] += count
        self._books["outcome", "over_quota"] += count

    def undecided(self) -> None:
        self._books["outcome", "undecided"] += 1

    def enqueue(self, event: Event, ownership: Ownership, group: Group, routing: Routing) -> None:
        """Enter the outcome, and queue one delivery for each notification."""
        self._books["outcome", routing.outcome] += 1
        settled = {
            "group_id": group.id,
            "outcome": routing.outcome,
            "decision": msgspec.json.encode(decision(ownership, routing.receivers)),
        }
        row = self._events.get((event.project, event.event_id))
        if row is not None:
            row.update(settled)
        else:  # it was kept undecided by an earlier transaction
            self._books["outcome", "undecided"] -= 1
            names = {"p": event.project, "e": event.event_id}
            self._sql.settle_event.run(self._cursor, settled | names)
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
        return [msgspec.json.decode(row["body"], type=Event) for row in rows]

    def last_revision(self) -> dict[str, Any] | None:
        return one(self._sql.last_revision.run(self._cursor, {}))

    def keep_revision(self, revision: str, file: str, content: bytes, now: datetime) -> int:
        """Its sequence number: that of the last one if it is the same, else higher than any."""
        last = self.last_revision()
        if last and (last["revision"], last["file"]) == (revision, file):
            return int(last["sequence"])
        row = {"revision": revision, "file": file, "content": content, "loaded_at": to_us(now)}
        self._sql.add_revision.run(self._cursor, row)
        added = self.last_revision()
        return int(added["sequence"]) if added else 0

    def put_artifact(self, artifact: Artifact, packed: bytes) -> None:
        self._sql.put_artifact.run(self._cursor, artifact_row(artifact) | {"content": packed})

    def artifact_releases(self, project: str) -> dict[str, int]:
        """Release → bytes of its maps, unpacked; the one that was added to last first."""
        rows = every(self._sql.artifact_releases.run(self._cursor, {"project": project}))
        return {row["release"]: int(row["size"]) for row in rows}

    def drop_artifacts(self, project: str, release: str) -> int:
        """How many they were."""
        named = {"p": project, "r": release}
        return int(self._sql.drop_artifacts.run(self._cursor, named).rowcount)

    def silences(self, now: datetime) -> tuple[Silence, ...]:
        """Those that are active."""
        return self._in_force.at(now, self._unended)

    def put_silence(self, silence: Silence, now: datetime) -> None:
        self._sql.add_silence.run(self._cursor, silence_row(silence, now))
        self._in_force.forget()

    def end_silence(self, id: str, now: datetime) -> KeptSilence | None:  # noqa: A002
        """As it then is; one that ended before stays. None: there is no such silence."""
        row = one(self._sql.silence.run(self._cursor, {"id": id}))
        if row is None:
            return None
        at = to_us(now)
        if row["ends_at"] > at:
            ended = {"starts_at": min(row["starts_at"], at), "ends_at": at, "updated_at": at}
            self._sql.end_silence.run(self._cursor, ended | {"i": id})
            row |= ended
            self._in_force.forget()
        return kept_silence(row)

    def mark_warned(self, id: str, now: datetime) -> bool:  # noqa: A002
        """False: it was before."""
        marked = self._sql.mark_warned.run(self._cursor, {"i": id, "at": to_us(now)})
        return int(marked.rowcount) == 1

    def audit(self, entry: Audited) -> None:
        self._audit.append(audit_row(entry))

    def tell_week(self, team: str, week: str) -> bool:
        """False: it was told of it before, or of a later one."""
        told = self._sql.tell_week.run(self._cursor, {"team": team, "week": week})
        return int(told.rowcount) == 1

    def _unended(self, now: datetime) -> list[Silence]:
        rows = every(self._sql.unended_silences.run(self._cursor, {"now": to_us(now)}))
        return [kept_silence(row).silence for row in rows]

    def _flush_deliveries(self) -> None:
        self._sql.add_delivery.run_all(self._cursor, list(self._deliveries.values()))
        self._deliveries.clear()

    def flush(self) -> None:
        sql, cursor = self._sql, self._cursor
        self.groups.write()
        sql.add_event.run_all(cursor, list(self._events.values()))
        self._flush_deliveries()
        self._storms.flush()
        sql.add_envelope.run_all(cursor, self._envelopes)
        sql.hide.run_all(cursor, list(self._hidden.values()))
        self.releases.flush()
        sql.add_audit.run_all(cursor, self._audit)
        sql.count.run_all(
            cursor,
            [{"book": book, "name": name, "n": n} for (book, name), n in self._books.items()],
        )
