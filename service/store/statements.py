"""SQL compiled once per dialect, to run on the raw DBAPI cursor: the writer's few statements."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Dialect, Table, bindparam, delete, func, insert, null, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert_insert
from sqlalchemy.sql.elements import ClauseElement

from service.store.tables import (
    ARTIFACTS,
    AUDIENCES,
    AUDIT,
    BREAKERS,
    BUCKETS,
    DELIVERIES,
    EVENTS,
    GROUP_FINGERPRINTS,
    GROUPS,
    LEDGER,
    RELEASES,
    RULES_REVISIONS,
    SILENCES,
    STORMS,
    THREADS,
    UPSTREAM,
)

Row = dict[str, Any]
_LAST_HIDDEN = ("hidden_at", "hidden_group", "hidden_team", "hidden_event")


class Statement:
    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect)
        self._sql = str(compiled)
        self._constants = {
            name: value for name, value in compiled.params.items() if value is not None
        }
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)

    def run(self, cursor: Any, params: Row) -> Any:
        """The cursor, ready to fetch from."""
        cursor.execute(self._sql, self._bind(params))
        return cursor

    def run_all(self, cursor: Any, rows: Sequence[Row]) -> int:
        """How many rows of the table it changed."""
        if not rows:
            return 0
        cursor.executemany(self._sql, [self._bind(row) for row in rows])
        return int(cursor.rowcount)

    def _bind(self, params: Row) -> Any:
        bound = self._constants | params if self._constants else params
        return bound if self._order is None else [bound[name] for name in self._order]


class Statements:
    """The writer's vocabulary."""

    def __init__(self, dialect: Dialect) -> None:
        def compiled(clause: ClauseElement) -> Statement:
            return Statement(clause, dialect)

        self.event_known = compiled(
            select(EVENTS.c.group_id).where(
                EVENTS.c.project == bindparam("project"), EVENTS.c.event_id == bindparam("event_id")
            )
        )
        self.add_event = compiled(insert(EVENTS))
        self.settle_event = compiled(
            update(EVENTS)
            .where(EVENTS.c.project == bindparam("p"), EVENTS.c.event_id == bindparam("e"))
            .values(
                group_id=bindparam("group_id"),
                outcome=bindparam("outcome"),
                decision=bindparam("decision"),
            )
        )
        self.undecided = compiled(
            select(EVENTS.c.body)
            .where(EVENTS.c.outcome == "undecided")
            .order_by(EVENTS.c.received_at)
            .limit(bindparam("limit"))
        )
        self.group_by_id = compiled(select(GROUPS).where(GROUPS.c.id == bindparam("id")))
        self.group_by_fingerprint = compiled(
            select(GROUPS)
            .join(GROUP_FINGERPRINTS, GROUP_FINGERPRINTS.c.group_id == GROUPS.c.id)
            .where(
                GROUP_FINGERPRINTS.c.project == bindparam("project"),
                GROUP_FINGERPRINTS.c.fingerprint == bindparam("fingerprint"),
            )
        )
        self.audiences = compiled(
            select(AUDIENCES).where(AUDIENCES.c.group_id == bindparam("group_id"))
        )
        self.put_group = compiled(_upsert(GROUPS))
        self.put_fingerprint = compiled(upsert_insert(GROUP_FINGERPRINTS).on_conflict_do_nothing())
        self.put_audience = compiled(_upsert(AUDIENCES))
        self.add_delivery = compiled(insert(DELIVERIES))
        self.put_delivery = compiled(_upsert(DELIVERIES))
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
        self.put_storm = compiled(_upsert(STORMS))
        self.late_storms = compiled(select(STORMS).where(STORMS.c.last_at >= bindparam("since")))
        self.put_breaker = compiled(_upsert(BREAKERS))
        self.drop_breaker = compiled(
            delete(BREAKERS).where(BREAKERS.c.receiver == bindparam("receiver"))
        )
        self.bucket = compiled(select(BUCKETS).where(BUCKETS.c.receiver == bindparam("receiver")))
        self.put_bucket = compiled(_upsert(BUCKETS))
        self.release_leases = compiled(
            update(DELIVERIES)
            .where(DELIVERIES.c.state == "leased")
            .values(state="pending", due_at=bindparam("now"))
        )
        self.count = compiled(_add_up(LEDGER))
        self.add_revision = compiled(
            insert(RULES_REVISIONS).values(
                {name: bindparam(name) for name in ("revision", "file", "content", "loaded_at")}
            )
        )
        self.last_revision = compiled(
            select(RULES_REVISIONS).order_by(RULES_REVISIONS.c.sequence.desc()).limit(1)
        )
        self.put_artifact = compiled(_upsert(ARTIFACTS))
        self.artifact_releases = compiled(
            select(ARTIFACTS.c.release, func.sum(ARTIFACTS.c.size).label("size"))
            .where(ARTIFACTS.c.project == bindparam("project"))
            .group_by(ARTIFACTS.c.release)
            .order_by(func.max(ARTIFACTS.c.created_at).desc(), ARTIFACTS.c.release)
        )
        self.drop_artifacts = compiled(
            delete(ARTIFACTS).where(
                ARTIFACTS.c.project == bindparam("p"), ARTIFACTS.c.release == bindparam("r")
            )
        )
        self.add_silence = compiled(insert(SILENCES))
        self.silence = compiled(select(SILENCES).where(SILENCES.c.id == bindparam("id")))
        self.unended_silences = compiled(
            select(SILENCES).where(SILENCES.c.ends_at > bindparam("now")).order_by(SILENCES.c.id)
        )
        self.end_silence = compiled(
            update(SILENCES)
            .where(SILENCES.c.id == bindparam("i"))
            .values({name: bindparam(name) for name in ("starts_at", "ends_at", "updated_at")})
        )
        self.mark_warned = compiled(
            update(SILENCES)
            .where(SILENCES.c.id == bindparam("i"), SILENCES.c.warned_at.is_(None))
            .values(warned_at=bindparam("at"))
        )
        self.hide = compiled(
            update(SILENCES)
            .where(SILENCES.c.id == bindparam("i"))
            .values(
                {name: bindparam(name) for name in _LAST_HIDDEN}
                | {"hidden": SILENCES.c.hidden + bindparam("n")}
            )
        )
        self.add_release = compiled(upsert_insert(RELEASES).on_conflict_do_nothing())
        self.release = compiled(
            select(RELEASES.c.first_seen).where(
                RELEASES.c.project == bindparam("project"),
                RELEASES.c.release == bindparam("release"),
            )
        )
        self.newest_release = compiled(
            select(RELEASES.c.release)
            .where(RELEASES.c.project == bindparam("project"))
            .order_by(RELEASES.c.first_seen.desc(), RELEASES.c.release.desc())
            .limit(1)
        )
        self.drop_releases = compiled(
            delete(RELEASES).where(
                RELEASES.c.project == bindparam("p"),
                RELEASES.c.first_seen
                < select(RELEASES.c.first_seen)
                .where(RELEASES.c.project == bindparam("p"))
                .order_by(RELEASES.c.first_seen.desc())
                .limit(1)
                .offset(bindparam("keep"))
                .scalar_subquery(),
            )
        )
        self.add_audit = compiled(insert(AUDIT))
        self.add_envelope = compiled(insert(UPSTREAM))
        self.due_envelopes = compiled(
            select(UPSTREAM)
            .where(UPSTREAM.c.due_at <= bindparam("now"))
            .order_by(UPSTREAM.c.due_at, UPSTREAM.c.id)
            .limit(bindparam("limit"))
        )
        self.defer_envelope = compiled(
            update(UPSTREAM).where(UPSTREAM.c.id == bindparam("i")).values(due_at=bindparam("due"))
        )
        self.release_envelopes = compiled(
            update(UPSTREAM)
            .where(UPSTREAM.c.due_at > bindparam("now"))
            .values(due_at=bindparam("now"))
        )
        self.put_thread = compiled(_upsert(THREADS))
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
        self.drop_envelope = compiled(delete(UPSTREAM).where(UPSTREAM.c.id == bindparam("i")))


def _upsert(table: Table) -> ClauseElement:
    clause = upsert_insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {
        column.name: clause.excluded[column.name]
        for column in table.columns
        if column.name not in keys
    }
    return clause.on_conflict_do_update(index_elements=keys, set_=changed)


def _add_up(table: Table) -> ClauseElement:
    clause = upsert_insert(table)
    return clause.on_conflict_do_update(
        index_elements=["book", "name"], set_={"n": table.c.n + clause.excluded.n}
    )
