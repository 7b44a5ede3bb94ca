"""docs/clients.md is of the clients as they are pinned; and what `make clients` sees is there."""

import gzip
import json
from pathlib import Path

import httpx
import pytest

from tests.clients.arrived import arrived, wrong
from tests.clients.installed import versions
from tests.clients.table import CLIENTS, Client
from tests.clients.tap import Request, Tap, a_tap
from tests.documents import text_of
from tests.running import a_service, spilled_in

RULES = """version: 1
teams: {payments: {receivers: [{channel: log}]}}
rules: [{path: /shop/payments/, owner: payments}]
"""
SPILL = Client(
    "by hand",
    packages=(),
    program="",
    pointed="",
    coding="gzip",
    exceptions=("Spill1Error",),
    frame="shop/payments/aisle_1.py:3",
)


def rows(name: str) -> list[str]:
    page = text_of("docs/clients.md")
    return [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]


def send(tap: Tap) -> None:
    lines = [{}, {"type": "event"}, spilled_in(1)[1]]
    httpx.post(
        f"{tap.url}/api/1/envelope/?sentry_key=any",
        content=gzip.compress("\n".join(map(json.dumps, lines)).encode()),
        headers={"Content-Encoding": "gzip", "Origin": "https://shop.example.com"},
        trust_env=False,
    )


def test_the_page_says_that_all_went_as_expected() -> None:
    assert "| result | as expected |" in text_of("docs/clients.md")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_client_is_on_the_page_as_it_is_expected_and_pinned(client: Client) -> None:
    came, pointed = rows(client.name)
    shown = [*client.posts, *client.exceptions, client.frame, client.owner, client.step]
    assert [word for word in shown if word not in came] == []
    assert [name for name in client.packages if versions()[name] not in pointed] == []
    assert client.pointed in pointed


def test_what_arrives_otherwise_than_expected_is_said(tmp_path: Path) -> None:
    with a_service(tmp_path, RULES) as service, a_tap(service.port) as tap:
        send(tap)
        came = arrived(service, tap, trouble="")
    path = "/api/1/envelope/"
    assert came.requests == [Request("POST", path, "gzip", "https://shop.example.com", 200)]
    assert wrong(SPILL, came) == []
    assert wrong(SPILL._replace(owner="web"), came) == ["owner: ['payments'] instead of ['web']"]
    assert wrong(SPILL, came._replace(groups=[])) == ["0 groups instead of one"]
    assert wrong(SPILL, came._replace(trouble="no module")) == ["no module"]
