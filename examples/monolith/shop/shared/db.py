"""The shop's database: so far, one shelf of hats."""

import sqlite3
from contextlib import closing

SCHEMA = """
    CREATE TABLE hats (name TEXT PRIMARY KEY, shelf INTEGER);
    INSERT INTO hats VALUES ('bowler', 1), ('deerstalker', 1), ('fez', 2);
"""


def query(sql: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        return connection.execute(sql, values).fetchall()
