"""The books: what was counted apart, compared."""

from typing import Any

from sqlalchemy import Connection, func, select

from service.store.tables import DELIVERIES, EVENTS, GROUPS, LEDGER


def books_of(connection: Connection) -> dict[str, Any]:
    total = func.sum(LEDGER.c.n).label("n")
    shards = select(LEDGER.c.book, LEDGER.c.name, total)
    summed = connection.execute(shards.group_by(LEDGER.c.book, LEDGER.c.name))
    books = {(row.book, row.name): int(row.n) for row in summed}
    states = dict(_count(connection, DELIVERIES.c.state))
    # count(*) by itself adds up what each page of the smallest index says that it holds
    kept = connection.execute(select(func.count()).select_from(EVENTS)).scalar_one()
    seen = connection.execute(select(func.sum(GROUPS.c.times_seen))).scalar_one() or 0
    return _balance(books, states, int(kept), int(seen))


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


def _count(connection: Connection, column: Any) -> list[tuple[str, int]]:
    query = select(column, func.count()).group_by(column)
    return [(str(name), int(n)) for name, n in connection.execute(query)]
