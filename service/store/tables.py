"""The schema. Moments are integer microseconds, UTC, in every database; "" stands for no team."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    text,
)

from service.store.event_tables import EVENT_IDS as EVENT_IDS
from service.store.event_tables import EVENTS as EVENTS
from service.store.event_tables import TALLIES as TALLIES
from service.store.metadata import HOUR as HOUR
from service.store.metadata import METADATA as METADATA
from service.store.metadata import from_us as from_us
from service.store.metadata import to_us as to_us

GROUPS = Table(
    "groups",
    METADATA,
    Column("id", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("title", String, nullable=False),
    Column("culprit", String, nullable=False),
    Column("team", String, nullable=False),
    Column("level", String, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("times_seen", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    Column("resolved_at", BigInteger),
    Column("resolved_in", String),
    Column("ignored", LargeBinary),  # the Ignored record, JSON
    Column("woken_at", BigInteger),
    Column("woken_for", String),
    Column("assigned", String),
    Column("moved_at", BigInteger),
    Column("last_event_id", String, nullable=False),
    # the hour in which it was last seen, and how often in that
    Column("hour", BigInteger, nullable=False, server_default="0"),
    Column("hour_seen", BigInteger, nullable=False, server_default="0"),
    Index("groups_newest", "last_seen", "id"),
    Index("groups_of_team", "team", "last_seen", "id"),
)
GROUP_FINGERPRINTS = Table(
    "group_fingerprints",
    METADATA,
    Column("project", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("group_id", String, nullable=False),
    PrimaryKeyConstraint("project", "fingerprint"),
    Index("fingerprints_of_group", "group_id"),
    sqlite_with_rowid=False,
)
AUDIENCES = Table(
    "audiences",
    METADATA,
    Column("group_id", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("team", String, nullable=False),
    Column("times_seen", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("last_notified_at", BigInteger),
    Column("last_reason", String),
    Column("threshold", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("group_id", "environment", "team"),
    sqlite_with_rowid=False,
)
DEAD_END = text("state = 'dead' AND fallback IS NULL")  # told nowhere; as its index is spelt
DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", String, primary_key=True),  # UUIDv7
    Column("group_id", String, nullable=False),
    Column("receiver", String, nullable=False),
    Column("team", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("notification", LargeBinary, nullable=False),  # the Notification record, JSON
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("plain", Integer, nullable=False),  # 1: refused as malformed, short text is next
    Column("tried", String, nullable=False),  # receivers it was dead at before, comma-joined
    Column("fallback", String),  # the receiver that was told instead
    Column("carrier", String),  # the delivery whose message tells this one too
    Column("created_at", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),  # while leased: when the lease ends
    Column("settled_at", BigInteger),
    Column("last_code", String),
    Column("last_error", String),
    Column("external_id", String),
    Column("storm", String),  # the storm that it tells of, as its carrier or carried
    Index("deliveries_due", "state", "receiver", "due_at"),
    Index("deliveries_of_group", "group_id", "id"),
    Index("deliveries_settled", "settled_at"),
    Index(
        "deliveries_in_state",
        "state",
        "id",
        sqlite_where=text("settled_at IS NOT NULL"),
        postgresql_where=text("settled_at IS NOT NULL"),
    ),
    Index("dead_ends", "state", sqlite_where=DEAD_END, postgresql_where=DEAD_END),
    # partial: "carried by none" is nearly every row, and is looked for by the index above
    Index(
        "deliveries_of_carrier",
        "carrier",
        sqlite_where=text("carrier IS NOT NULL"),
        postgresql_where=text("carrier IS NOT NULL"),
    ),
    Index(
        "deliveries_of_storm",
        "storm",
        "group_id",
        sqlite_where=text("storm IS NOT NULL"),
        postgresql_where=text("storm IS NOT NULL"),
    ),
)
# Many new groups that are told as one: routers/storm.py
STORMS = Table(
    "storms",
    METADATA,
    Column("id", String, primary_key=True),  # UUIDv7
    Column("receiver", String, nullable=False),
    Column("team", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("value", String, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),  # when the last group joined
    Column("carrier", String, nullable=False),  # the delivery whose message gathers, or gathered
    Column("groups", Integer, nullable=False),
    Column("singles", String, nullable=False),  # groups that were told before it, comma-joined
    Index("storms_newest", "last_at"),
)
# Destinations that fail: routers/breaker.py. One that is well has no row.
BREAKERS = Table(
    "breakers",
    METADATA,
    Column("receiver", String, primary_key=True),
    Column("failures", Integer, nullable=False),  # in a row
    Column("since", BigInteger, nullable=False),  # the first of them
    Column("code", String, nullable=False),  # the last one's
    Column("opened_at", BigInteger),  # null: closed
    Column("probe_at", BigInteger),
    Column("probes", Integer, nullable=False),  # that failed since
)
BUCKETS = Table(
    "buckets",
    METADATA,
    Column("receiver", String, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("at", BigInteger, nullable=False),
)
# The books: `accepted` where events are committed, `outcome` where they are routed, `queued` where
# notifications are, `kept` where bodies are; deliveries, bodies and what groups were seen are
# counted by their rows. `taken`: what retention took of each table's rows, or of what they counted.
LEDGER = Table(
    "ledger",
    METADATA,
    Column("book", String, nullable=False),
    Column("name", String, nullable=False),
    # each service on PostgreSQL has its own rows, so that none waits for another's; they add up
    Column("shard", Integer, nullable=False, server_default="0"),
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("book", "name", "shard"),
)
RULES_REVISIONS = Table(
    "rules_revisions",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("revision", String, nullable=False),
    Column("file", String, nullable=False),
    Column("content", LargeBinary, nullable=False),  # without the secrets it spelled out
    Column("loaded_at", BigInteger, nullable=False),
)
# Envelopes on their way to the upstream, sealed. A row is deleted once the upstream has taken it.
UPSTREAM = Table(
    "upstream_envelopes",
    METADATA,
    Column("id", String, primary_key=True),  # UUIDv7: the oldest first
    Column("received_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),  # while it is being sent: when another may
    Column("error", Integer, nullable=False),  # 1: it holds an error event
    Column("size", BigInteger, nullable=False),  # bytes, sealed
    Column("sealed", LargeBinary, nullable=False),
    Index("upstream_due", "due_at", "id"),
)

# Source maps, by the release that the bundles belong to.
ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("project", String, nullable=False),
    Column("release", String, nullable=False),
    Column("name", String, nullable=False),  # the bundle's; service/sourcemaps/frames.py
    Column("sha256", String, nullable=False),  # of the map as it was uploaded
    Column("content", LargeBinary, nullable=False),  # zlib
    Column("size", BigInteger, nullable=False),  # bytes, unpacked
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("project", "release", "name"),
)

# Who is not told for a while, and what came of it.
SILENCES = Table(
    "silences",
    METADATA,
    Column("id", String, primary_key=True),  # UUIDv7
    Column("matchers", LargeBinary, nullable=False),  # JSON, in Alertmanager's form
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("created_by", String, nullable=False),
    Column("comment", String, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("hidden", BigInteger, nullable=False),  # how often it kept a team from being told
    Column("hidden_at", BigInteger),  # the last time, with that group, team and event
    Column("hidden_group", String),
    Column("hidden_team", String),
    Column("hidden_event", String),
    Column("warned_at", BigInteger),  # when that team was told that it ends soon
    Index("silences_by_end", "ends_at", "id"),
)

# Who did what, when: each written in the transaction that did it.
AUDIT = Table(
    "audit",
    METADATA,
    Column("id", String, primary_key=True),  # UUIDv7
    Column("at", BigInteger, nullable=False),
    Column("by", String, nullable=False),
    Column("act", String, nullable=False),
    Column("subject", String, nullable=False),  # the id of a group, a silence, a delivery
    Column("detail", LargeBinary, nullable=False),  # JSON
    Index("audit_of_subject", "subject", "id"),
    Index("audit_by_time", "at"),
)

# When an event of a release first came: tells which is newer where their names do not.
RELEASES = Table(
    "releases",
    METADATA,
    Column("project", String, nullable=False),
    Column("release", String, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    PrimaryKeyConstraint("project", "release"),
    Index("releases_newest", "project", "first_seen"),
)

# The message that tells of a group at a receiver, where one can be changed and replied to.
THREADS = Table(
    "threads",
    METADATA,
    Column("receiver", String, nullable=False),
    Column("group_id", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("ts", String, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),  # when it is to be changed; null: it says what is so
    Column("said", String, nullable=False),  # what a person did since it was last told
    PrimaryKeyConstraint("receiver", "group_id"),
    Index("threads_of_group", "group_id"),
    Index(
        "threads_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
)

# Which week each team was last told of.
DIGESTS = Table(
    "digests",
    METADATA,
    Column("team", String, primary_key=True),
    Column("week", String, nullable=False),  # 2026-W48
)

# How far works have come that go through events in their order. The indexes by words, whose tables
# no two databases spell alike: service/store/search_tables.py.
PROGRESS = Table(
    "progress",
    METADATA,
    Column("work", String, primary_key=True),
    Column("upto", BigInteger, nullable=False),
)
