"""The two indexes by words: what both databases call alike, and how each is asked.

An event's row is known by its sequence, a group's by its id as a number. SQLite has them as FTS5
tables, PostgreSQL as tables with a tsvector.
Spec: https://www.sqlite.org/fts5.html, https://www.postgresql.org/docs/current/textsearch.html
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    TableClause,
    Text,
    bindparam,
    cast,
    column,
    delete,
    insert,
    literal,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from service.store.statement import Statement
from service.store.tables import PROGRESS

SEARCH = "search"  # in the table of works
EVENT_WORDS = table("event_words", column("rowid", BigInteger), column("words", Text))
GROUP_WORDS = table(
    "group_words", column("rowid", BigInteger), column("group_id", Text), column("words", Text)
)
SHORT = 3  # letters of a beginning of which SQLite keeps an index
FEW = 2000  # words of a question that are named instead of their beginnings
_FIRST, _LAST = "\x01", "\U0010ffff"  # come before and after all that a word is made of
_NEXT = "(SELECT term FROM event_terms WHERE term >= {at} AND term < :end LIMIT 1)"
_SPELLING = text(
    f"WITH RECURSIVE found(term) AS (SELECT {_NEXT.format(at=':at')} UNION ALL"  # noqa: S608 words of ours
    f" SELECT {_NEXT.format(at='found.term || :next')} FROM found WHERE term IS NOT NULL)"
    " SELECT term FROM found WHERE term IS NOT NULL LIMIT :limit"
)


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
        # PostgreSQL tidies up by itself
        self.merge = tuple(
            Statement(text(f"INSERT INTO {name} ({name}, rank) VALUES ('merge', :pages)"), dialect)  # noqa: S608
            for name in ("event_words", "group_words")
            if dialect.name == "sqlite"
        )
        self.reach = Statement(
            update(PROGRESS)
            .where(PROGRESS.c.work == SEARCH, PROGRESS.c.upto == bindparam("since"))
            .values(upto=bindparam("upto")),
            dialect,
        )


def matching(
    index: TableClause,
    words: Sequence[str],
    dialect: Dialect,
    *,
    whole: Iterable[str] = (),
    spelt: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> ColumnElement[bool]:
    """Rows that have a word with each of these beginnings, and each of `whole`.

    A word is letters and digits alone (service/words.py): none can be syntax.
    spelt: of some beginnings, all the words that have it.
    """
    exact = [*whole, *(word for word in words if len(word) == 1)]
    begun = [word for word in words if len(word) > 1]
    if dialect.name == "sqlite":
        terms = [*(f'"{word}"' for word in exact), *(_begun(word, spelt) for word in begun)]
        return column(index.name, is_literal=True).op("MATCH")(" AND ".join(terms))
    terms = [*(f"'{word}'" for word in exact), *(f"'{word}':*" for word in begun)]
    return column("found").op("@@")(cast(literal(" & ".join(terms)), TSQUERY))


def spelling(connection: Connection, beginning: str, most: int) -> list[str] | None:
    """The words of events that begin so; None: they are more than that.

    FTS5 gathers all rows of all words of a beginning before it gives the first, unless that is as
    short as those it keeps an index of: of a million rows 0.1 s. Of words that are named, hundreds
    too, it walks through the rows. It is asked for one word, then for the next that is greater:
    that too costs no walk.
    Spec: https://www.sqlite.org/fts5.html#the_fts5vocab_virtual_table_module
    """
    asked = {"at": beginning, "end": beginning + _LAST, "next": _FIRST, "limit": most + 1}
    found = list(connection.execute(_SPELLING, asked).scalars())
    return found if len(found) <= most else None


def _begun(word: str, spelt: Mapping[str, Sequence[str]]) -> str:
    if word not in spelt:
        return f'"{word}"*'
    return "(" + " OR ".join(f'"{one}"' for one in spelt[word] or (word,)) + ")"


def whole_words(group: str | None, project: str | None) -> list[str]:
    """Words of every event of that group and of that project; nobody can type them."""
    named = (("g", group), ("p", project))
    return [f"§{mark}{name.encode().hex()}" for mark, name in named if name is not None]


def number(group: str) -> int:
    """16 hex digits as what a BIGINT holds."""
    return int.from_bytes(bytes.fromhex(group), signed=True)
