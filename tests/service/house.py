"""A service in the test's own process: the real parts on a database of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from fastapi.testclient import TestClient

from service.app import create_app
from service.runtime import Runtime
from service.settings import Settings
from service.store.database import writing
from tests.builders import NOW
from tests.databases import url_of

RULES = """version: 1
teams:
  payments: {receivers: [{channel: log}]}
  search: {receivers: [{channel: log}]}
rules:
  - {path: /billing/, owner: payments}
  - {path: /search/, owner: search}
"""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


def settings(folder: Path, **more: object) -> Settings:
    rules = folder / "rules.yaml"
    if not rules.exists():
        rules.write_text(RULES)
    return Settings.model_validate({"database_url": url_of(folder), "rules": rules} | more)


@contextmanager
def the_database_away(house: Runtime) -> Iterator[None]:
    """Nothing can be committed meanwhile."""
    with writing(house.engine).begin() as connection:
        connection.exec_driver_sql("alter table ledger rename to away")
    try:
        yield
    finally:
        with writing(house.engine).begin() as connection:
            connection.exec_driver_sql("alter table away rename to ledger")


@contextmanager
def running(
    folder: Path,
    clock: Clock | None = None,
    transport: httpx.BaseTransport | None = None,
    **more: object,
) -> Iterator[TestClient]:
    """A client of a started service. transport: the network that its channels post to."""
    runtime = Runtime(
        settings(folder, **more),
        clock=clock or Clock(),
        environ={},
        client=httpx.Client(transport=transport) if transport else None,
    )
    app = create_app(runtime)
    with TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False) as client:
        yield client
