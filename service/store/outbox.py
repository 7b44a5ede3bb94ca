"""The writer's statements on what is told: deliveries, storms, breakers, buckets, threads."""

from sqlalchemy import Dialect, bindparam, delete, insert, null, or_, select, update
from sqlalchemy.sql.elements import ClauseElement

from service.store.statement import Statement, upsert
from service.store.tables import BREAKERS, BUCKETS, DELIVERIES, STORMS, THREADS


class Outbox:
    def __init__(self, dialect: Dialect) -> None:
        def compiled(clause: ClauseElement) -> Statement:
            return Statement(clause, dialect)

        self.add_delivery = compiled(insert(DELIVERIES))
        self.put_delivery = compiled(upsert(DELIVERIES))
        self.delivery = compiled(select(DELIVERIES).where(DELIVERIES.c.id == bindparam("id")))
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
