"""The two indexes by words: what both databases call alike, and how each is asked.

An event's row is known by its sequence, a group's by its id as a number. SQLite has them as FTS5
tables, PostgreSQL as tables with a tsvector.
Spec: https://www.sqlite.org/fts5.html, https://www.postgresql.org/docs/current/textsearch.html
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    TableClause,
    bindparam,
    cast,
    column,
    delete,
    insert,
    literal,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from service.store.statement import Statement, upsert
from service.store.tables import PROGRESS

EVENT_WORDS = table("event_words", column("rowid", BigInteger), column("words"))
GROUP_WORDS = table("group_words", column("rowid", BigInteger), column("group_id"), column("words"))


class SearchStatements:
    def __init__(self, dialect: Dialect) -> None:
        self.add_event, self.add_group = (
            Statement(
                insert(index).values({one.name: bindparam(one.name) for one in index.c}), dialect
            )
            for index in (EVENT_WORDS, GROUP_WORDS)
        )
        self.drop_event, self.drop_group = (
            Statement(delete(index).where(index.c.rowid == bindparam("n")), dialect)
            for index in (EVENT_WORDS, GROUP_WORDS)
        )
        self.reach = Statement(upsert(PROGRESS), dialect)


def matching(
    index: TableClause, words: Sequence[str], whole: Iterable[str], dialect: Dialect
) -> ColumnElement[bool]:
    """Rows that have a word with each of these beginnings, and each of `whole`.

    A word is letters and digits alone (service/words.py): none can be syntax.
    """
    exact = [*whole, *(word for word in words if len(word) == 1)]
    begun = [word for word in words if len(word) > 1]
    if dialect.name == "sqlite":
        terms = [*(f'"{word}"' for word in exact), *(f'"{word}"*' for word in begun)]
        return column(index.name, is_literal=True).op("MATCH")(" AND ".join(terms))
    terms = [*(f"'{word}'" for word in exact), *(f"'{word}':*" for word in begun)]
    return column("found").op("@@")(cast(literal(" & ".join(terms)), TSQUERY))


def whole_words(group: str | None, project: str | None) -> list[str]:
    """Words of every event of that group and of that project; nobody can type them."""
    named = (("g", group), ("p", project))
    return [f"§{mark}{name.encode().hex()}" for mark, name in named if name is not None]


def number(group: str) -> int:
    """16 hex digits as what a BIGINT holds."""
    return int.from_bytes(bytes.fromhex(group), signed=True)
