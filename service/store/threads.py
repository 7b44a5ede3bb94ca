"""Messages that can be changed and replied to: which one tells of a group, and what it owes."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, select

from routers.notification import ALONE, Notification, Thread
from service.store.statements import Statements
from service.store.tables import DELIVERIES, THREADS, from_us, to_us


class KeptThread(msgspec.Struct, frozen=True):
    receiver: str
    group: str
    thread: Thread


class Threads:
    """What one transaction does to them."""

    def __init__(self, cursor: Any, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements

    def put(self, receiver: str, group: str, thread: Thread) -> None:
        row = msgspec.structs.asdict(thread) | {
            "receiver": receiver,
            "group_id": group,
            "updated_at": to_us(thread.updated_at),
            "due_at": _us(thread.due_at),
        }
        self._sql.put_thread.run(self._cursor, row)

    def revise(self, group: str, said: str, now: datetime) -> None:
        """Have each message of the group say what a person did; "": that nobody did anything."""
        self._sql.revise_threads.run(self._cursor, {"g": group, "said": said, "due": to_us(now)})

    def settle(self, due: KeptThread, thread: Thread | None) -> None:
        """It says what was so when `due` was read. None: the message is not there any more."""
        asked = {"r": due.receiver, "g": due.group, "was_due": _us(due.thread.due_at)}
        if thread is None:
            self._sql.drop_thread.run(self._cursor, asked)
            return
        changed = {"updated": to_us(thread.updated_at), "due": _us(thread.due_at)}
        self._sql.settle_thread.run(self._cursor, asked | changed)


class ThreadStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, receiver: str, group: str) -> Thread | None:
        query = select(THREADS).where(THREADS.c.receiver == receiver, THREADS.c.group_id == group)
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _thread(row)

    def due(self, now: datetime, limit: int) -> list[KeptThread]:
        """Those that wait longest first."""
        query = (
            select(THREADS)
            .where(THREADS.c.due_at.is_not(None), THREADS.c.due_at <= to_us(now))
            .order_by(THREADS.c.due_at)
            .limit(limit)
        )
        with self._engine.begin() as connection:
            rows = connection.execute(query).mappings().all()
        return [KeptThread(row["receiver"], row["group_id"], _thread(row)) for row in rows]

    def told(self, receiver: str, group: str) -> Notification | None:
        """What the receiver was last told of the group by a message of its own."""
        query = (
            select(DELIVERIES.c.notification)
            .where(DELIVERIES.c.group_id == group, DELIVERIES.c.receiver == receiver)
            .where(DELIVERIES.c.state == "delivered", DELIVERIES.c.reason.not_in(ALONE))
            .order_by(DELIVERIES.c.id.desc())
            .limit(1)
        )
        with self._engine.begin() as connection:
            told = connection.execute(query).scalar()
        return None if told is None else msgspec.json.decode(told, type=Notification)


def _thread(row: Any) -> Thread:
    due = row["due_at"]
    return Thread(
        channel=row["channel"],
        ts=row["ts"],
        updated_at=from_us(row["updated_at"]),
        due_at=None if due is None else from_us(due),
        said=row["said"],
    )


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else to_us(moment)
