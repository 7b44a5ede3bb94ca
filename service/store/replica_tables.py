"""The schema of what several services on one database agree by."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from service.store.metadata import METADATA

# Who does what only one of them must.
LEASES = Table(
    "leases",
    METADATA,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),  # an id that lives as long as its process
    Column("until", BigInteger, nullable=False),
)
# What was told of new groups lately, in the order in which it was queued: whether it is a storm is
# decided by it, wherever each was accepted. service/store/storms.py
SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("receiver", String, nullable=False),
    Column("team", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("delivery", String, nullable=False),
    Column("group_id", String, nullable=False),
    Column("causes", LargeBinary, nullable=False),  # JSON
    # of the policy then in force: whoever reads it comes to the same storms
    Column("groups", Integer, nullable=False),
    Column("within", BigInteger, nullable=False),
    Index("sightings_by_age", "at"),
    sqlite_autoincrement=True,  # a number is never used again
)
