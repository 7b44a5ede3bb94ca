"""The part of a transaction that keeps how destinations fare: their pace, and whether they fail."""

from typing import Any

from routers.breaker import Breaker
from routers.pace import Bucket
from service.store.rows import breaker_row
from service.store.statement import one
from service.store.statements import Statements
from service.store.tables import from_us, to_us


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

    def put_breaker(self, receiver: str, breaker: Breaker) -> None:
        self._sql.put_breaker.run(self._cursor, breaker_row(receiver, breaker))

    def drop_breaker(self, receiver: str) -> None:
        self._sql.drop_breaker.run(self._cursor, {"receiver": receiver})
