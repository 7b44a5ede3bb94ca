"""The writer's statements on what is told: deliveries, storms, breakers, buckets, threads."""

import secrets

from sqlalchemy import (
    Dialect,
    Integer,
    bindparam,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ClauseElement

from service.store.replica_tables import SIGHTINGS
from service.store.statement import Statement, upsert
from service.store.tables import BREAKERS, BUCKETS, DELIVERIES, STORMS, THREADS

SHARDS = 16  # of the ledger; two services that share one are right all the same


class Outbox:
    def __init__(self, dialect: Dialect) -> None:
        def compiled(clause: ClauseElement) -> Statement:
            return Statement(clause, dialect)

        self.shared = dialect.name == "postgresql"  # others write at the same time
        self.shard = secrets.randbelow(SHARDS) if self.shared else 0
        kind, name = bindparam("kind", type_=Integer), bindparam("name", type_=Integer)
        self.lock = compiled(select(func.pg_advisory_xact_lock(kind, name)))
        self.try_lock = compiled(select(func.pg_try_advisory_xact_lock(kind, name)))
        self.add_delivery = compiled(insert(DELIVERIES))
        self.put_delivery = compiled(upsert(DELIVERIES))
        # locked: what is to be read of one decides what is done to it
        self.delivery = compiled(
            select(DELIVERIES).where(DELIVERIES.c.id == bindparam("id")).with_for_update()
        )
        self.due_delivery = compiled(
            select(DELIVERIES)
            .where(
                # a leased one is due as its lease ends
                or_(DELIVERIES.c.state == "pending", DELIVERIES.c.state == "leased"),
                DELIVERIES.c.receiver == bindparam("receiver"),
                DELIVERIES.c.due_at <= bindparam("now"),
                DELIVERIES.c.carrier.is_(None),
            )
            .order_by(DELIVERIES.c.due_at)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        )
        self.deliveries_of = compiled(
            select(DELIVERIES)
            .where(DELIVERIES.c.group_id == bindparam("group_id"))
            .order_by(DELIVERIES.c.id.desc())
            .limit(1000)
        )
        self.carry = compiled(
            update(DELIVERIES)
            .where(DELIVERIES.c.id == bindparam("i"))
            .values(carrier=bindparam("by"))
        )
        self.carried = compiled(
            select(DELIVERIES)
            .where(DELIVERIES.c.carrier == bindparam("by"), DELIVERIES.c.state == "pending")
            .limit(bindparam("limit"))
        )
        self.settle_carried = compiled(
            update(DELIVERIES)
            .where(DELIVERIES.c.carrier == bindparam("by"), DELIVERIES.c.state == "pending")
            .values(state="merged", settled_at=bindparam("now"))
        )
        self.free_carried = compiled(
            update(DELIVERIES)
            .where(DELIVERIES.c.carrier == bindparam("by"), DELIVERIES.c.state == "pending")
            .values(carrier=null(), storm=null(), due_at=bindparam("now"))
        )
        self.join_storm = compiled(
            update(DELIVERIES)
            .where(
                DELIVERIES.c.id == bindparam("i"),
                DELIVERIES.c.state == "pending",
                DELIVERIES.c.attempts == 0,
                DELIVERIES.c.carrier.is_(None),
            )
            .values(carrier=bindparam("by"), storm=bindparam("s"))
        )
        self.put_storm = compiled(upsert(STORMS))
        self.late_storms = compiled(select(STORMS).where(STORMS.c.last_at >= bindparam("since")))
        of_receiver = select(BREAKERS).where(BREAKERS.c.receiver == bindparam("receiver"))
        self.breaker = compiled(of_receiver)
        self.lock_breaker = compiled(of_receiver.with_for_update())
        self.add_sighting = compiled(
            insert(SIGHTINGS).values(
                {one.name: bindparam(one.name) for one in SIGHTINGS.c if one.name != "sequence"}
            )
        )
        self.sightings = compiled(
            select(SIGHTINGS)
            .where(SIGHTINGS.c.sequence > bindparam("after"), SIGHTINGS.c.at >= bindparam("since"))
            .order_by(SIGHTINGS.c.sequence)
        )
        self.last_sighting = compiled(select(func.max(SIGHTINGS.c.sequence).label("sequence")))
        self.drop_sightings = compiled(
            delete(SIGHTINGS).where(SIGHTINGS.c.at < bindparam("before"))
        )
        self.put_breaker = compiled(upsert(BREAKERS))
        self.drop_breaker = compiled(
            delete(BREAKERS).where(BREAKERS.c.receiver == bindparam("receiver"))
        )
        self.bucket = compiled(select(BUCKETS).where(BUCKETS.c.receiver == bindparam("receiver")))
        self.put_bucket = compiled(upsert(BUCKETS))
        self.release_leases = compiled(
            update(DELIVERIES)
            .where(DELIVERIES.c.state == "leased")
            .values(state="pending", due_at=bindparam("now"))
        )
        self.put_thread = compiled(upsert(THREADS))
        self.revise_threads = compiled(
            update(THREADS)
            .where(THREADS.c.group_id == bindparam("g"))
            .values(said=bindparam("said"), due_at=bindparam("due"))
        )
        as_read = (
            THREADS.c.receiver == bindparam("r"),
            THREADS.c.group_id == bindparam("g"),
            THREADS.c.due_at == bindparam("was_due"),
        )
        self.settle_thread = compiled(
            update(THREADS)
            .where(*as_read)
            .values(updated_at=bindparam("updated"), due_at=bindparam("due"))
        )
        self.drop_thread = compiled(delete(THREADS).where(*as_read))
