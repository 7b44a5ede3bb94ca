"""What accepting costs at the least: an envelope is read, its event decoded, its id committed once.

Nothing else: no keys, limits or metrics; no owner, masking, group or count; no body is kept. The
server, the decoder and the way to commit (whatever gathered, in one transaction, fsynced) are the
service's. What this takes of the bare app's rate, no service that does it can give back.
"""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
from starlette.types import Receive, Scope, Send

from service.ingest.sentry_shapes import SentryEvent
from service.store.database import LOG_PAGES

_DECODER = msgspec.json.Decoder(SentryEvent)
_IDS = "CREATE TABLE ids (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID"


class _Job(NamedTuple):
    id: str
    future: asyncio.Future[None]


class Least:
    """An ASGI app."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._waiting: list[_Job] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._write, daemon=True).start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        event = _DECODER.decode(body[body.index(b"\n", body.index(b"\n") + 1) + 1 :])
        job = _Job(str(event.event_id), asyncio.get_running_loop().create_future())
        with self._changed:
            self._waiting.append(job)
            self._changed.notify()
        await job.future
        said = b'{"id":"%s"}' % job.id.encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    def _write(self) -> None:
        database = sqlite3.connect(self._file, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            database.execute(f"PRAGMA {pragma}")
        database.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        database.execute(_IDS)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                jobs, self._waiting = self._waiting, []
            ids, at = [job.id for job in jobs], time.time_ns() // 1000
            database.execute("BEGIN IMMEDIATE")
            those = ", ".join("?" * len(ids))
            found = database.execute(f"SELECT id FROM ids WHERE id IN ({those})", ids)  # noqa: S608
            new = sorted(set(ids) - {id for (id,) in found})  # noqa: A001
            rows = ", ".join(["(?, ?)"] * len(new))
            values = [value for id in new for value in (id, at)]  # noqa: A001
            if new:
                database.execute(f"INSERT INTO ids VALUES {rows}", values)  # noqa: S608
            database.execute("COMMIT")
            jobs[0].future.get_loop().call_soon_threadsafe(_settle, jobs)


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if not job.future.done():  # its sender went away
            job.future.set_result(None)
