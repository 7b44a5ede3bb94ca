"""The storms that go on, and what joins them: new groups that are told as one (routers/storm.py).

A storm's message is a delivery that gathers before it is due; what joins meanwhile is carried by
it. Once it is claimed, the next that joins begins the next message.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine, func, select, union

from routers.notification import Cause, Notification, Storm
from routers.policy import STORM_MAX, StormPolicy
from routers.storm import GATHER, Place, Seen, Watch, causes, gathering, place
from service.store.locks import Locks
from service.store.rows import Delivery, new_id
from service.store.statement import every, one
from service.store.statements import Statements
from service.store.tables import DELIVERIES, GROUPS, STORMS, from_us, to_us

Row = dict[str, Any]


class Lasting(msgspec.Struct, frozen=True, kw_only=True):
    """A storm that new groups may join."""

    id: str
    place: Place
    cause: Cause
    since: datetime
    last_at: datetime
    carrier: str
    groups: int
    singles: tuple[str, ...]  # groups that were told one by one before it was noticed


class Weather:
    """What the writer remembers from one transaction to the next."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """What goes on is read anew, and what may become a storm yet."""
        self.watch = Watch()
        self.sighted = 0  # the last sighting that the watch knows of
        self.lasting: dict[tuple[Place, Cause], Lasting] | None = None  # None: to be read


class Storms:
    """Of one transaction."""

    def __init__(
        self,
        cursor: Any,
        statements: Statements,
        weather: Weather,
        queued: dict[str, Row],
        locks: Locks,
    ) -> None:
        """queued: the transaction's rows of deliveries that are not written yet, by id."""
        self._locks = locks
        self._is_alone = False
        self._sighted: list[Row] = []
        self._cursor = cursor
        self._sql = statements
        self._weather = weather
        self._queued = queued
        self._open: set[str] = set()  # carriers that are known to gather still
        self._changed: dict[str, Lasting] = {}

    def joined(self, delivery: Delivery, now: datetime, policy: StormPolicy) -> Delivery:
        """As it is to be queued: on its own, carried by a storm's message, or as its next one."""
        self._be_alone(now)
        told, lasting = delivery.notification, self._lasting(now)
        for cause in causes(told):
            storm = lasting.get((place(told), cause))
            if storm and now - storm.last_at <= policy.within:
                return self._join(storm, delivery, now, policy)
        breaking = self._weather.watch.see(told, delivery.id, now, policy)
        self._sighted.append(_sighting(told, delivery.id, now, policy))
        return delivery if breaking is None else self._break(*breaking, delivery, now)

    def claimed(self, id: str) -> None:  # noqa: A002
        """What that delivery carries is settled: nothing more joins it."""
        self._open.discard(id)

    def flush(self) -> None:
        self._sql.put_storm.run_all(self._cursor, list(map(_row, self._changed.values())))
        if self._sighted:
            self._sql.add_sighting.run_all(self._cursor, self._sighted)
            newest = one(self._sql.last_sighting.run(self._cursor, {})) or {}
            self._weather.sighted = newest["sequence"]
            old = min(row["at"] for row in self._sighted) - STORM_MAX // timedelta(microseconds=1)
            self._sql.drop_sightings.run(self._cursor, {"before": old})

    def _be_alone(self, now: datetime) -> None:
        """From here to the end of the transaction no other service decides of storms.

        What others decided before is known from here on.
        """
        if self._is_alone:
            return
        self._is_alone = True
        self._locks.take("storms")
        weather = self._weather
        asked = {"after": weather.sighted, "since": to_us(now - STORM_MAX)}
        others = every(self._sql.sightings.run(self._cursor, asked))
        for row in others:
            weather.watch.sight(*_sighted(row))
            weather.sighted = row["sequence"]

    def _join(
        self, storm: Lasting, delivery: Delivery, now: datetime, policy: StormPolicy
    ) -> Delivery:
        gathers = self._gathers(storm)
        self._put(
            msgspec.structs.replace(
                storm,
                last_at=max(now, storm.last_at),
                groups=storm.groups + 1,
                carrier=storm.carrier if gathers else delivery.id,
            )
        )
        if gathers:
            return msgspec.structs.replace(delivery, carrier=storm.carrier, storm=storm.id)
        return self._begun(delivery, storm, now + gathering(storm.since, now, policy))

    def _break(self, cause: Cause, seen: list[Seen], delivery: Delivery, now: datetime) -> Delivery:
        """The first of all goes its own way; of the others, what nobody has begun to send joins."""
        self._forget_old(now)
        first, *others, _ = seen
        storm = new_id()
        alone = [one for one in others if not self._pull(one.delivery, delivery.id, storm)]
        lasting = Lasting(
            id=storm,
            place=place(delivery.notification),
            cause=cause,
            since=first.at,
            last_at=now,
            carrier=delivery.id,
            groups=len(seen),
            singles=(first.group, *(one.group for one in alone)),
        )
        self._put(lasting)
        return self._begun(delivery, lasting, now + GATHER)

    def _begun(self, delivery: Delivery, storm: Lasting, due_at: datetime) -> Delivery:
        self._open.add(delivery.id)
        return msgspec.structs.replace(delivery, storm=storm.id, due_at=due_at)

    def _pull(self, delivery: str, carrier: str, storm: str) -> bool:
        if row := self._queued.get(delivery):
            row |= {"carrier": carrier, "storm": storm}
            return True
        named = {"i": delivery, "by": carrier, "s": storm}
        return bool(self._sql.join_storm.run(self._cursor, named).rowcount)

    def _gathers(self, storm: Lasting) -> bool:
        if storm.carrier in self._open:
            return True
        row = one(self._sql.delivery.run(self._cursor, {"id": storm.carrier}))
        if row is None or row["storm"] != storm.id:  # it died, and is retried by itself
            return False
        gathers = row["state"] == "pending" and not row["attempts"]
        if gathers:
            self._open.add(storm.carrier)
        return gathers

    def _forget_old(self, now: datetime) -> None:
        lasting = self._lasting(now)
        for key in [key for key, storm in lasting.items() if storm.last_at < now - STORM_MAX]:
            del lasting[key]

    def _put(self, storm: Lasting) -> None:
        lasting = self._lasting(storm.last_at)
        lasting[storm.place, storm.cause] = storm
        self._changed[storm.id] = storm

    def _lasting(self, now: datetime) -> dict[tuple[Place, Cause], Lasting]:
        known = self._weather.lasting
        if known is None:
            since = {"since": to_us(now - STORM_MAX)}
            rows = every(self._sql.late_storms.run(self._cursor, since))
            known = {(one.place, one.cause): one for one in map(_lasting, rows)}
            self._weather.lasting = known
        return known


class StormStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def told(self, id: str) -> Storm | None:  # noqa: A002
        """As it stands now."""
        with self._engine.begin() as connection:
            found = connection.execute(select(STORMS).where(STORMS.c.id == id)).mappings().first()
            if found is None:
                return None
            storm = _lasting(dict(found))
            members = select(DELIVERIES.c.group_id).where(DELIVERIES.c.storm == id)
            singles = select(GROUPS.c.id).where(GROUPS.c.id.in_(storm.singles))
            groups = union(members, singles).subquery()
            events = select(func.sum(GROUPS.c.times_seen)).where(
                GROUPS.c.id.in_(select(groups.c[0]))
            )
            counted = connection.execute(events).scalar_one() or 0
        return Storm(
            id=id, cause=storm.cause, since=storm.since, groups=storm.groups, events=int(counted)
        )

    def carried(self, carrier: str) -> int:
        """How many deliveries that one's message tells besides."""
        query = select(func.count()).where(
            DELIVERIES.c.carrier == carrier, DELIVERIES.c.state == "pending"
        )
        with self._engine.begin() as connection:
            return int(connection.execute(query).scalar_one())


def _sighting(told: Notification, delivery: str, now: datetime, policy: StormPolicy) -> Row:
    receiver, team, environment = place(told)
    return {
        "at": to_us(now),
        "receiver": receiver,
        "team": team,
        "environment": environment,
        "delivery": delivery,
        "group_id": told.group,
        "causes": msgspec.json.encode(causes(told)),
        "groups": policy.groups,
        "within": policy.within // timedelta(microseconds=1),
    }


def _sighted(row: Row) -> tuple[Place, Seen, int, timedelta]:
    known = msgspec.json.decode(row["causes"], type=tuple[Cause, ...])
    return (
        (row["receiver"], row["team"], row["environment"]),
        Seen(from_us(row["at"]), row["delivery"], row["group_id"], known),
        row["groups"],
        timedelta(microseconds=row["within"]),
    )


def _row(storm: Lasting) -> Row:
    receiver, team, environment = storm.place
    return {
        "id": storm.id,
        "receiver": receiver,
        "team": team,
        "environment": environment,
        "kind": storm.cause.kind,
        "value": storm.cause.value,
        "since": to_us(storm.since),
        "last_at": to_us(storm.last_at),
        "carrier": storm.carrier,
        "groups": storm.groups,
        "singles": ",".join(storm.singles),
    }


def _lasting(row: Row) -> Lasting:
    return Lasting(
        id=row["id"],
        place=(row["receiver"], row["team"], row["environment"]),
        cause=Cause(row["kind"], row["value"]),
        since=from_us(row["since"]),
        last_at=from_us(row["last_at"]),
        carrier=row["carrier"],
        groups=row["groups"],
        singles=tuple(filter(None, row["singles"].split(","))),
    )
