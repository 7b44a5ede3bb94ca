"""SQL compiled once per dialect, to run on the raw DBAPI cursor: the writer's few statements."""

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    String,
    bindparam,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert_insert
from sqlalchemy.sql.elements import ClauseElement

from service.store.ageing import Ageing
from service.store.outbox import Outbox
from service.store.replica_tables import LEASES
from service.store.search_tables import SearchStatements
from service.store.statement import Listed, Statement, add_up, upsert
from service.store.tables import (
    ARTIFACTS,
    AUDIENCES,
    AUDIT,
    DIGESTS,
    EVENT_IDS,
    EVENTS,
    GROUP_FINGERPRINTS,
    GROUPS,
    LEDGER,
    RELEASES,
    RULES_REVISIONS,
    SILENCES,
    TALLIES,
    UPSTREAM,
)

_LAST_HIDDEN = ("hidden_at", "hidden_group", "hidden_team", "hidden_event")


class Statements(Outbox):
    """The writer's vocabulary."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.ageing = Ageing(dialect)
        self.search = SearchStatements(dialect)

        def compiled(clause: ClauseElement) -> Statement:
            return Statement(clause, dialect)

        self.known_ids = Listed(
            lambda values: select(
                EVENT_IDS.c.event_id, EVENT_IDS.c.group_id, EVENT_IDS.c.received_at
            ).where(EVENT_IDS.c.project == bindparam("project"), EVENT_IDS.c.event_id.in_(values)),
            dialect,
        )
        self.add_id = compiled(insert(EVENT_IDS))
        self.settle_id = compiled(
            update(EVENT_IDS)
            .where(EVENT_IDS.c.project == bindparam("p"), EVENT_IDS.c.event_id == bindparam("e"))
            .values(group_id=bindparam("g"))
        )
        key = tuple_(EVENT_IDS.c.project, EVENT_IDS.c.event_id)
        after = key > tuple_(bindparam("p", type_=String), bindparam("e", type_=String))
        upto = key <= tuple_(bindparam("p2", type_=String), bindparam("e2", type_=String))
        old = EVENT_IDS.c.received_at < bindparam("before")
        self.id_after = compiled(
            select(EVENT_IDS.c.project, EVENT_IDS.c.event_id)
            .where(after)
            .order_by(EVENT_IDS.c.project, EVENT_IDS.c.event_id)
            .limit(1)
            .offset(bindparam("skip"))
        )
        self.expire_ids = compiled(delete(EVENT_IDS).where(after, upto, old))
        self.expire_last_ids = compiled(delete(EVENT_IDS).where(after, old))
        self.add_event = compiled(
            insert(EVENTS).values(
                {one.name: bindparam(one.name) for one in EVENTS.c if one.name != "sequence"}
            )
        )
        self.settle_event = compiled(
            update(EVENTS)
            .where(
                EVENTS.c.group_id.is_(None),
                EVENTS.c.received_at == bindparam("at"),
                EVENTS.c.event_id == bindparam("e"),
                EVENTS.c.project == bindparam("p"),
            )
            .values(
                group_id=bindparam("g"),
                outcome=bindparam("outcome"),
                decision=bindparam("decision"),
            )
        )
        self.tally = compiled(add_up(TALLIES))
        self.undecided = compiled(
            select(EVENTS.c.body)
            .where(EVENTS.c.group_id.is_(None))
            .order_by(EVENTS.c.received_at)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)  # of several that start, each decides its own
        )
        self.group_by_id = compiled(
            select(GROUPS).where(GROUPS.c.id == bindparam("id")).with_for_update()
        )
        self.groups_by_fingerprint = Listed(
            lambda values: (
                select(GROUPS, GROUP_FINGERPRINTS.c.fingerprint.label("known_by"))
                .join(GROUP_FINGERPRINTS, GROUP_FINGERPRINTS.c.group_id == GROUPS.c.id)
                .where(
                    GROUP_FINGERPRINTS.c.project == bindparam("project"),
                    GROUP_FINGERPRINTS.c.fingerprint.in_(values),
                )
                # whoever counts in a group has it until the end; all ask in one order
                .order_by(GROUP_FINGERPRINTS.c.fingerprint)
                .with_for_update(of=GROUPS)
            ),
            dialect,
        )
        self.audiences = Listed(
            lambda values: select(AUDIENCES).where(AUDIENCES.c.group_id.in_(values)), dialect
        )
        self.put_group = compiled(upsert(GROUPS))
        self.put_fingerprint = compiled(upsert_insert(GROUP_FINGERPRINTS).on_conflict_do_nothing())
        self.put_audience = compiled(upsert(AUDIENCES))
        self.count_audiences = compiled(
            select(
                func.count(AUDIENCES.c.group_id.distinct()).label("groups"),
                func.count().label("audiences"),
            ).where(_of_anyone())
        )
        heard = select(AUDIENCES.c.group_id).where(_of_anyone())
        self.lock_heard = compiled(
            select(GROUPS.c.id)
            .where(GROUPS.c.id.in_(heard))
            .order_by(GROUPS.c.id)
            .with_for_update()
        )
        self.baseline = compiled(
            update(AUDIENCES)
            .where(_of_anyone())
            .values(
                last_notified_at=func.coalesce(_just_before_resolved(), bindparam("now")),
                last_reason=null(),
                threshold=AUDIENCES.c.times_seen,  # above all thresholds that it is past
            )
        )
        self.count = compiled(add_up(LEDGER))
        more = "UPDATE counted SET n = n + :more WHERE name = :name"
        added = "INSERT INTO counted VALUES (:name, :more)"
        self.recount = compiled(text(added if self.shared else more))
        self.fold = compiled(  # PostgreSQL's alone
            text(
                "WITH gone AS (DELETE FROM counted RETURNING name, n) "
                "INSERT INTO counted SELECT name, sum(n) FROM gone GROUP BY name"
            )
        )
        self.add_revision = compiled(
            insert(RULES_REVISIONS).values(
                {name: bindparam(name) for name in ("revision", "file", "content", "loaded_at")}
            )
        )
        self.last_revision = compiled(
            select(RULES_REVISIONS).order_by(RULES_REVISIONS.c.sequence.desc()).limit(1)
        )
        self.put_artifact = compiled(upsert(ARTIFACTS))
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
        week = upsert_insert(DIGESTS)
        self.tell_week = compiled(
            week.on_conflict_do_update(
                index_elements=["team"],
                set_={"week": week.excluded.week},
                where=DIGESTS.c.week < week.excluded.week,
            )
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
        lease = upsert_insert(LEASES).values(
            {one: bindparam(one) for one in ("name", "holder", "until")}
        )
        is_free = or_(
            LEASES.c.until <= bindparam("now", type_=BigInteger),
            LEASES.c.holder == lease.excluded.holder,
        )
        self.take_lease = compiled(
            lease.on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": lease.excluded.holder, "until": lease.excluded.until},
                where=is_free,
            )
        )
        self.drop_lease = compiled(
            delete(LEASES).where(LEASES.c.name == bindparam("n"), LEASES.c.holder == bindparam("h"))
        )
        self.add_audit = compiled(insert(AUDIT))
        self.add_envelope = compiled(upsert_insert(UPSTREAM).on_conflict_do_nothing())
        self.due_envelopes = compiled(
            select(UPSTREAM)
            .where(UPSTREAM.c.due_at <= bindparam("now"))
            .order_by(UPSTREAM.c.due_at, UPSTREAM.c.id)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True)
        )
        self.defer_envelope = compiled(
            update(UPSTREAM).where(UPSTREAM.c.id == bindparam("i")).values(due_at=bindparam("due"))
        )
        self.release_envelopes = compiled(
            update(UPSTREAM)
            .where(UPSTREAM.c.due_at > bindparam("now"))
            .values(due_at=bindparam("now"))
        )
        self.drop_envelope = compiled(delete(UPSTREAM).where(UPSTREAM.c.id == bindparam("i")))


def _of_anyone() -> ColumnElement[bool]:
    """Of the team `whose`; None: of all."""
    whose = bindparam("whose", type_=String)
    return or_(whose.is_(None), AUDIENCES.c.team == whose)


def _just_before_resolved() -> ColumnElement[int]:
    """Null: the group is not resolved."""
    is_its = GROUPS.c.id == AUDIENCES.c.group_id
    return (
        select(GROUPS.c.resolved_at - 1)
        .where(is_its, GROUPS.c.status == "resolved")
        .scalar_subquery()
    )
