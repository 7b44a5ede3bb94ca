"""The books: what was counted apart, compared.

The database counts the rows of `events` and `deliveries` by triggers, as they come and go, whoever
writes them: to count them anew is to read the whole of an index, of a month's events from a cold
disk a second. Recount does so beside everything else. SQLite has one row for each count. On
PostgreSQL all who write would wait for that one, so each statement adds a row; they add up, and
Fold makes one of them.
Spec: https://www.sqlite.org/lang_createtrigger.html
"""

from typing import Any

from sqlalchemy import BigInteger, Connection, String, column, func, select, table

from service.store.tables import DELIVERIES, EVENTS, GROUPS, LEDGER

COUNTED = table("counted", column("name", String), column("n", BigInteger))
KEPT = "events"  # among what is counted; all others are states of deliveries


def books_of(connection: Connection) -> dict[str, Any]:
    total = func.sum(LEDGER.c.n).label("n")
    shards = select(LEDGER.c.book, LEDGER.c.name, total)
    summed = connection.execute(shards.group_by(LEDGER.c.book, LEDGER.c.name))
    books = {(row.book, row.name): int(row.n) for row in summed}
    states = counted_in(connection)
    kept = states.pop(KEPT, 0)
    seen = connection.execute(select(func.sum(GROUPS.c.times_seen))).scalar_one() or 0
    return _balance(books, states, kept, int(seen))


def rows_of(connection: Connection) -> dict[str, int]:
    """What there is, looked at."""
    # count(*) by itself adds up what each page of the smallest index says that it holds
    kept = connection.execute(select(func.count()).select_from(EVENTS)).scalar_one()
    state = DELIVERIES.c.state
    states = connection.execute(select(state, func.count()).group_by(state))
    return {KEPT: int(kept)} | {str(name): int(n) for name, n in states}


def counted_in(connection: Connection) -> dict[str, int]:
    """What there is by the database's own count."""
    total = func.sum(COUNTED.c.n).label("n")
    counts = connection.execute(select(COUNTED.c.name, total).group_by(COUNTED.c.name))
    return {row.name: int(row.n) for row in counts}


def miscounted(connection: Connection) -> dict[str, int]:
    """How many more there are, or fewer, than were counted."""
    counted, rows = counted_in(connection), rows_of(connection)
    more = {name: rows.get(name, 0) - counted.get(name, 0) for name in counted | rows}
    return {name: n for name, n in more.items() if n}


def _balance(
    books: dict[tuple[str, str], int], states: dict[str, int], kept: int, seen: int
) -> dict[str, Any]:
    """kept: bodies; seen: how often the groups were."""
    kept += books.get(("taken", "events"), 0)
    seen += books.get(("taken", "groups"), 0)
    accepted, queued = books.get(("accepted", ""), 0), books.get(("queued", ""), 0)
    outcomes = {name: n for (book, name), n in sorted(books.items()) if book == "outcome" and n}
    settled = ("delivered", "merged", "dead")
    deliveries = {
        **{name: states.get(name, 0) + books.get(("taken", name), 0) for name in settled},
        "pending": states.get("pending", 0) + states.get("leased", 0),
    }
    once = accepted - outcomes.get("duplicate", 0) - outcomes.get("over_quota", 0)
    unaccounted = (
        abs(accepted - sum(outcomes.values()))
        + abs(queued - sum(deliveries.values()))
        + abs(books.get(("kept", ""), 0) - kept)
        + abs(once - outcomes.get("undecided", 0) - seen)
    )
    return {
        "accepted": accepted,
        "outcomes": outcomes,
        "queued": queued,
        "deliveries": deliveries,
        "unaccounted": unaccounted,
    }
