"""How destinations fare, as it is kept: their pace, and whether they fail."""

from typing import Any

from sqlalchemy import Engine, select

from routers.breaker import Breaker
from routers.pace import Bucket
from service.store.rows import breaker_record, breaker_row
from service.store.statement import one
from service.store.statements import Statements
from service.store.tables import BREAKERS, from_us, to_us


class Destinations:
    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements

    def bucket(self, receiver: str) -> Bucket | None:
        row = one(self._sql.bucket.run(self._cursor, {"receiver": receiver}))
        return None if row is None else Bucket(row["tokens"], from_us(row["at"]))

    def put_bucket(self, receiver: str, bucket: Bucket) -> None:
        row = {"receiver": receiver, "tokens": bucket.tokens, "at": to_us(bucket.at)}
        self._sql.put_bucket.run(self._cursor, row)

    def breaker(self, receiver: str) -> Breaker | None:
        """None: nothing is known against it."""
        row = one(self._sql.breaker.run(self._cursor, {"receiver": receiver}))
        return None if row is None else breaker_record(row)

    def lock_breaker(self, receiver: str) -> Breaker | None:
        """As of `breaker`, and nobody else changes it before this transaction ends."""
        row = one(self._sql.lock_breaker.run(self._cursor, {"receiver": receiver}))
        return None if row is None else breaker_record(row)

    def put_breaker(self, receiver: str, breaker: Breaker) -> None:
        self._sql.put_breaker.run(self._cursor, breaker_row(receiver, breaker))

    def drop_breaker(self, receiver: str) -> None:
        self._sql.drop_breaker.run(self._cursor, {"receiver": receiver})


class BreakerStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def every(self) -> dict[str, Breaker]:
        with self._engine.begin() as connection:
            rows = connection.execute(select(BREAKERS)).mappings().all()
        return {row["receiver"]: breaker_record(row) for row in rows}

    def one(self, receiver: str) -> Breaker | None:
        query = select(BREAKERS).where(BREAKERS.c.receiver == receiver)
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else breaker_record(row)
