"""A running service, as its pages and API meet it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from service.app import create_app
from service.runtime import Runtime
from service.settings import Settings
from tests.databases import url_of

BASE = "http://127.0.0.1:8000"
TOKEN = "the-admin-token"
RULES = """
version: 1
teams:
  payments: {name: Payments, receivers: [{channel: log, continue: true}, {channel: unset}]}
  platform: {name: Platform, receivers: [{channel: log, when: {severity: [critical]}}]}
channels:
  unset: {webhook: {url: $NOWHERE}}
rules:
  - {path: /shop/, owner: platform}
  - {path: /shop/billing/, owner: payments, feature: invoicing, criticality: high}
  - {path: /lib/, owner: platform, transparent: true}
  - {path: /generated/, unowned: true}
policy: {fallback_receivers: []}
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Starts a service and gives a client of it; arguments are settings."""
    clients: list[TestClient] = []

    def started(rules: str = RULES, **settings: Any) -> TestClient:
        path = tmp_path / "ownership_rules.yaml"
        path.write_text(rules)
        url = SecretStr(url_of(tmp_path))
        house = Runtime(Settings(database_url=url, rules=path, **settings), environ={})
        client = TestClient(create_app(house), base_url=BASE, follow_redirects=False)
        client.__enter__()
        clients.append(client)
        return client

    yield started
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(start: Callable[..., TestClient]) -> TestClient:
    """Of an open service on loopback."""
    return start()


@pytest.fixture
def house(client: TestClient) -> Runtime:
    return house_of(client)


def house_of(client: TestClient) -> Runtime:
    runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    return runtime


def settled(client: TestClient) -> None:
    """Returns once nothing is waiting to be sent."""
    store, deadline = house_of(client).store, time.monotonic() + 10
    while store.accounting()["deliveries"]["pending"] and time.monotonic() < deadline:
        time.sleep(0.01)
