"""The database goes away under load, and comes back: nothing that was answered is lost.

benchmarks/outage.py is the same at length, with PostgreSQL and with a full disk.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.running import PATIENCE, Load, Service, a_service, wait_for

RULES = "version: 1\nteams: {payments: {}}\nrules: [{path: /shop/payments/, owner: payments}]\n"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another process writes to the database, for long."""
    path = folder / "data" / "pointsman.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def warnings(service: Service) -> list[str]:
    """Of /readyz, which is no success while everything is refused."""
    answer = httpx.get(f"{service.url}/readyz", trust_env=False, timeout=PATIENCE)
    said: list[str] = answer.json()["warnings"]
    return [one.partition(":")[0] for one in said]


def settled(service: Service) -> dict[str, Any]:
    """The books, once the spool is empty."""
    wait_for(lambda: warnings(service) == [])
    books: dict[str, Any] = service.read("/api/v1/accounting")
    return books


def assert_all_there(service: Service, load: Load) -> None:
    books = settled(service)
    counted = {title: group["times_seen"] for title, group in service.groups().items()}
    assert counted.keys() <= load.sent.keys()
    for title, sent in load.sent.items():
        assert load.answered[title] <= counted.get(title, 0) <= sent, title
    assert (books["accepted"], books["unaccounted"]) == (sum(counted.values()), 0)
    assert "duplicate" not in books["outcomes"]


def test_a_database_that_is_locked_under_load_costs_no_event(tmp_path: Path) -> None:
    with a_service(tmp_path, RULES) as service:
        load = Load(service.port, aisles=9)
        with load.from_clients(8):
            load.wait_for_more(100)
            with locked(tmp_path):
                load.wait_for_more(300)
                assert "spooled" in warnings(service)
            load.wait_for_more(100)
        books = settled(service)
        counted = {title: group["times_seen"] for title, group in service.groups().items()}
    assert (load.refused, counted) == ([], dict(load.answered))  # each exactly once
    assert (books["accepted"], books["unaccounted"]) == (load.answered.total(), 0)


def test_neither_do_a_kill_and_a_start_while_it_is(tmp_path: Path) -> None:
    with a_service(tmp_path, RULES) as service:
        load = Load(service.port, aisles=9)
        with load.from_clients(8):
            load.wait_for_more(100)
            with locked(tmp_path):
                load.wait_for_more(100)
                service.kill()
                service.start()
                load.wait_for_more(100)
                assert "spooled" in warnings(service)
                service.kill()
            service.start()
            load.wait_for_more(100)
        assert load.refused == []
        assert_all_there(service, load)


def test_a_full_spool_refuses_loudly_and_keeps_what_it_took(tmp_path: Path) -> None:
    with a_service(tmp_path, RULES, POINTSMAN_SPOOL_BYTES="50000") as service:
        load = Load(service.port, aisles=9)
        with load.from_clients(8):
            load.wait_for_more(100)
            with locked(tmp_path):
                wait_for(lambda: len(load.refused) > 10)
            wait_for(lambda: warnings(service) == [])
            load.wait_for_more(100)
        assert set(load.refused) == {503}
        assert " error spool_full reason='50000 bytes wait'" in service.log()
        assert_all_there(service, load)
