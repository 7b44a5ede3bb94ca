"""PostgreSQL counts its rows too: each statement adds a row of its own, so that nobody waits."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_EVENTS = "INSERT INTO counted SELECT 'events', {sign}count(*) FROM {rows} HAVING count(*) > 0"
_STATES = """INSERT INTO counted SELECT state, sum(n) FROM (
    {changed}
) AS changed GROUP BY state HAVING sum(n) <> 0"""
_COME = "SELECT state, 1 AS n FROM come"
_GONE = "SELECT state, -1 AS n FROM gone"
# where, what: `come` and `gone` are the rows as they are, and as they were
_TRIGGERS = {
    "events_come": ("INSERT ON events", _EVENTS.format(sign="", rows="come")),
    "events_go": ("DELETE ON events", _EVENTS.format(sign="-", rows="gone")),
    "deliveries_come": ("INSERT ON deliveries", _STATES.format(changed=_COME)),
    "deliveries_go": ("DELETE ON deliveries", _STATES.format(changed=_GONE)),
    "deliveries_change": (
        "UPDATE ON deliveries",
        _STATES.format(changed=f"{_COME} UNION ALL {_GONE}"),
    ),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.create_table(
        "counted",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
    )
    for name, (when, does) in _TRIGGERS.items():
        _trigger(name, when, does)
    # nobody writes beside this: who makes a trigger has the table locked until the end
    op.execute("INSERT INTO counted SELECT 'events', count(*) FROM events")
    op.execute("INSERT INTO counted SELECT state, count(*) FROM deliveries GROUP BY state")


def _trigger(name: str, when: str, does: str) -> None:
    """Spec: https://www.postgresql.org/docs/current/sql-createtrigger.html"""
    rows = []
    if not when.startswith("DELETE"):
        rows.append("NEW TABLE AS come")
    if not when.startswith("INSERT"):
        rows.append("OLD TABLE AS gone")
    run = op.get_bind().exec_driver_sql
    run(
        f"CREATE FUNCTION count_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {does}; RETURN NULL; END $$"
    )
    run(
        f"CREATE TRIGGER {name} AFTER {when} REFERENCING {' '.join(rows)} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION count_{name}()"
    )
